namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// What this process holds: per endpoint a lane of rows that wait and a number in flight. Decides who may begin and how
/// much to claim; does no I/O. Safe to use from the sends and the dispatcher at once.
/// </summary>
internal sealed partial class LaneTable(WebhookOptions options, TimeProvider clock)
{
    /// <summary>Lanes without work are kept for their speed until there are so many.</summary>
    private const int MaxIdleLanes = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<EndpointKey, Lane> _lanes = [];
    private List<Completion> _finished = [];
    private List<HeldRow> _returning = [];
    private int _inFlight;
    private int _held;
    private long _heldBytes;

    /// <summary>Rows claimed and neither written down nor handed back.</summary>
    public int Held
    {
        get
        {
            lock (_lock)
            {
                return _held;
            }
        }
    }

    public int InFlight
    {
        get
        {
            lock (_lock)
            {
                return _inFlight;
            }
        }
    }

    /// <summary>Whether a claim would ask for something of a lane: there is little use in one that would not.</summary>
    public bool IsHungry
    {
        get
        {
            lock (_lock)
            {
                return _lanes.Values.Any(WantsMore);
            }
        }
    }

    /// <summary>Whether a lane has used up half of what it may hold, and there may be more for it in the queue.</summary>
    public bool NeedsClaim
    {
        get
        {
            lock (_lock)
            {
                return _lanes.Values.Any(lane => lane.MayHaveMore && WantsMore(lane));
            }
        }
    }

    /// <summary>Whether what is held only waits for its place in a pace: there is nothing to do before <see cref="NextStart"/>.</summary>
    public bool OnlyWaits
    {
        get
        {
            lock (_lock)
            {
                return _held > 0 && _inFlight == 0 && _finished.Count == 0 && _returning.Count == 0;
            }
        }
    }

    /// <summary>When the next row may begin that waits for its place in a pace.</summary>
    public DateTimeOffset NextStart
    {
        get
        {
            lock (_lock)
            {
                var now = clock.GetUtcNow();
                return _lanes.Values
                    .Where(lane => lane.InFlight < options.InFlightPerEndpoint && lane.Waiting.Count > 0)
                    .Select(lane => lane.Waiting.Peek().NotBefore)
                    .Where(start => start > now)
                    .DefaultIfEmpty(DateTimeOffset.MaxValue)
                    .Min();
            }
        }
    }

    /// <summary>
    /// How many rows to claim of whom. When half of what a lane may hold is used up it asks again, and every other takes the occasion
    /// from a quarter on, so that claims are few and large; one whose endpoint is unknown, or of which nothing is held, always may.
    /// </summary>
    /// <param name="sweeps">Whether to look for what came behind rows that were claimed before it.</param>
    public ClaimRequest NextClaim(bool sweeps)
    {
        lock (_lock)
        {
            var isFull = _held >= options.Held || _heldBytes >= options.HeldBytes;
            var anyHungry = _lanes.Values.Any(WantsMore);
            int Wanted(Lane lane)
            {
                var missing = Share(lane) - lane.Claimed;
                return (isFull && lane.Held > 0) || !(WantsMore(lane) || (anyHungry && missing >= Share(lane) / 4)) ? 0 : missing;
            }
            var slots = _lanes.ToDictionary(pair => pair.Key, pair => Wanted(pair.Value));
            var room = isFull ? 0 : Math.Min(options.ClaimBatch, options.Held - _held);
            return new ClaimRequest(slots, options.InFlightPerEndpoint, room, options.Lease, options.ClaimAhead)
            {
                Floors = _lanes.Where(pair => !sweeps && pair.Value.Floor is not null).ToDictionary(pair => pair.Key, pair => pair.Value.Floor!.Value),
            };
        }
    }

    public void Add(ClaimRequest request, IReadOnlyList<ClaimedDelivery> claimed)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            var brought = claimed.CountBy(delivery => delivery.Target.Key).ToDictionary();
            foreach (var delivery in claimed)
            {
                if (!_lanes.TryGetValue(delivery.Target.Key, out var lane))
                {
                    lane = _lanes[delivery.Target.Key] = new Lane();
                }
                lane.HearOfClaim(delivery);
                lane.GoOnFrom(delivery.ClaimedUpTo);
                lane.Waiting.Enqueue(new WaitingRow(delivery, now + delivery.StartDelay, now + options.Lease / 2, IsFresh: false));
                _held++;
                _heldBytes += delivery.Body?.Length ?? 0;
            }
            foreach (var (key, lane) in _lanes)
            {
                lane.MayHaveMore = brought.GetValueOrDefault(key) >= request.Slots.GetValueOrDefault(key, brought.ContainsKey(key) ? request.SlotsOfOthers : 1);
            }
        }
    }

    /// <summary>One row for each send that may begin now, lane by lane in turns.</summary>
    public IReadOnlyList<ClaimedDelivery> BeginAll()
    {
        lock (_lock)
        {
            var begun = new List<ClaimedDelivery>();
            var ready = _lanes.Values.Where(lane => lane.Waiting.Count > 0).ToList();
            while (ready.Count > 0)
            {
                ready.RemoveAll(lane =>
                {
                    if (Begin(lane) is not { } delivery)
                    {
                        return true;
                    }
                    begun.Add(delivery);
                    return false;
                });
            }
            return begun;
        }
    }

    /// <summary>Takes a send's outcome, and answers what its endpoint sends next, if it may.</summary>
    public ClaimedDelivery? FinishAndBegin(Completion completion)
    {
        lock (_lock)
        {
            _finished.Add(completion);
            var lane = EndSend(completion.Delivery);
            lane.HearOf(completion);
            return Begin(lane);
        }
    }

    /// <summary>A send that the end of the process cut off: without outcome, to be handed back.</summary>
    public void Interrupt(ClaimedDelivery delivery)
    {
        lock (_lock)
        {
            EndSend(delivery);
            _returning.Add(delivery.Row);
        }
    }

    /// <summary>The outcomes not taken yet. They stay held until <see cref="Release"/>.</summary>
    public List<Completion> TakeFinished()
    {
        lock (_lock)
        {
            (var taken, _finished) = (_finished, []);
            return taken;
        }
    }

    /// <summary>Outcomes that were written before the next claim begins.</summary>
    public void Forget(IReadOnlyList<Completion> written)
    {
        lock (_lock)
        {
            foreach (var completion in written)
            {
                if (_lanes.TryGetValue(completion.Delivery.Target.Key, out var lane))
                {
                    lane.Unwritten--;
                }
            }
        }
    }

    /// <summary>Outcomes that could not be written, to be taken again.</summary>
    public void PutBack(IReadOnlyList<Completion> finished)
    {
        lock (_lock)
        {
            _finished.InsertRange(0, finished);
        }
    }

    /// <summary>
    /// Rows to hand back: those not begun at half their lease (or all that wait), those that were interrupted, and those
    /// whose endpoint turned out to be failing or gone.
    /// </summary>
    public List<HeldRow> TakeUnbegun(bool all)
    {
        lock (_lock)
        {
            (var taken, _returning) = (_returning, []);
            var now = clock.GetUtcNow();
            if (all)
            {
                taken.AddRange(_handed.Select(row => Refuse(row.Delivery)));
                _handed = [];
            }
            foreach (var lane in _lanes.Values)
            {
                while (lane.Waiting.TryPeek(out var head) && (all || head.OverdueAt <= now))
                {
                    taken.Add(Dequeue(lane).Row);
                }
            }
            return taken;
        }
    }

    public void PutBackUnbegun(IReadOnlyList<HeldRow> rows)
    {
        lock (_lock)
        {
            _returning.InsertRange(0, rows);
        }
    }

    /// <summary>Rows that are no longer ours.</summary>
    public void Release(IEnumerable<HeldRow> rows)
    {
        lock (_lock)
        {
            foreach (var row in rows)
            {
                _held--;
                _heldBytes -= row.Bytes;
            }
            if (_lanes.Count > MaxIdleLanes)
            {
                foreach (var idle in _lanes.Where(pair => pair.Value.IsIdle).Select(pair => pair.Key).ToArray())
                {
                    _lanes.Remove(idle);
                }
            }
        }
    }

    private Lane EndSend(ClaimedDelivery delivery)
    {
        var lane = _lanes[delivery.Target.Key];
        lane.InFlight--;
        _inFlight--;
        return lane;
    }

    private ClaimedDelivery? Begin(Lane lane)
    {
        var mayBegin = lane.InFlight == 0 || (lane.InFlight < options.InFlightPerEndpoint && _inFlight < options.InFlight);
        while (mayBegin && lane.Waiting.TryPeek(out var head))
        {
            var now = clock.GetUtcNow();
            if (head.OverdueAt <= now || head.NotBefore > now)
            {
                return null;
            }
            Dequeue(lane);
            if (lane.Admits(head.Delivery))
            {
                lane.InFlight++;
                _inFlight++;
                return head.Delivery;
            }
            _returning.Add(head.Delivery.Row);
        }
        return null;
    }

    private ClaimedDelivery Dequeue(Lane lane)
    {
        var row = lane.Waiting.Dequeue();
        if (row.IsFresh)
        {
            lane.Fresh--;
            _fresh--;
        }
        return row.Delivery;
    }

    /// <summary>Whether it is time to claim for a lane again: half of what it may hold is used up.</summary>
    private bool WantsMore(Lane lane) => lane.Claimed <= Share(lane) / 2 || lane.Claimed < options.InFlightPerEndpoint;

    /// <summary>Rows of one lane that are held for it, of those claimed as of those that came fresh.</summary>
    private int Share(Lane lane)
    {
        // Before its first answer an endpoint's speed is unknown: what can be in flight, and no more.
        var ahead = lane.SecondsPerSend is { } seconds
            ? options.InFlightPerEndpoint * options.ClaimAhead.TotalSeconds / Math.Max(seconds, 0.001)
            : options.InFlightPerEndpoint;
        return (int)Math.Clamp(ahead, Math.Min(options.InFlightPerEndpoint, options.ClaimPerEndpoint), options.ClaimPerEndpoint);
    }
}
