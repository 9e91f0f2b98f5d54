namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// What this process holds: per endpoint a lane of rows that wait and a number in flight. Decides who may begin and how
/// much to claim; does no I/O. Safe to use from the sends and the dispatcher at once.
/// </summary>
internal sealed class LaneTable(WebhookOptions options, TimeProvider clock)
{
    /// <summary>How much the newest send counts in an endpoint's speed: about the last ten sends do.</summary>
    private const double SpeedWeight = 0.2;

    /// <summary>Lanes without work are kept for their speed until there are so many.</summary>
    private const int MaxIdleLanes = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<EndpointKey, Lane> _lanes = [];
    private List<Completion> _finished = [];
    private List<ClaimedDelivery> _returning = [];
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
    /// How many rows to claim of whom. A lane asks again when half of what it may hold is used up, so that claims stay in
    /// bulk; one whose endpoint is unknown, or of which nothing is held, always may.
    /// </summary>
    public ClaimRequest NextClaim()
    {
        lock (_lock)
        {
            var isFull = _held >= options.Held || _heldBytes >= options.HeldBytes;
            var slots = _lanes.ToDictionary(pair => pair.Key, pair => isFull && pair.Value.Held > 0 ? 0 : Wanted(pair.Value));
            var room = isFull ? 0 : Math.Min(options.ClaimBatch, options.Held - _held);
            return new ClaimRequest(slots, options.InFlightPerEndpoint, room, options.Lease, options.ClaimAhead);
        }
    }

    public void Add(IReadOnlyList<ClaimedDelivery> claimed)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            foreach (var delivery in claimed)
            {
                if (!_lanes.TryGetValue(delivery.Target.Key, out var lane))
                {
                    lane = _lanes[delivery.Target.Key] = new Lane();
                }
                lane.HearOfClaim(delivery);
                lane.Waiting.Enqueue(new Waiting(delivery, now + delivery.StartDelay, now + options.Lease / 2));
                _held++;
                _heldBytes += delivery.Body?.Length ?? 0;
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
            if (completion.Attempt is { } attempt)
            {
                var took = attempt.DurationMs / 1000;
                lane.SecondsPerSend = lane.SecondsPerSend is { } known ? known + SpeedWeight * (took - known) : took;
            }
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
            _returning.Add(delivery);
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
    public List<ClaimedDelivery> TakeUnbegun(bool all)
    {
        lock (_lock)
        {
            (var taken, _returning) = (_returning, []);
            var now = clock.GetUtcNow();
            foreach (var lane in _lanes.Values)
            {
                while (lane.Waiting.TryPeek(out var head) && (all || head.OverdueAt <= now))
                {
                    taken.Add(lane.Waiting.Dequeue().Delivery);
                }
            }
            return taken;
        }
    }

    public void PutBackUnbegun(IReadOnlyList<ClaimedDelivery> deliveries)
    {
        lock (_lock)
        {
            _returning.InsertRange(0, deliveries);
        }
    }

    /// <summary>Rows that are no longer ours.</summary>
    public void Release(IEnumerable<ClaimedDelivery> deliveries)
    {
        lock (_lock)
        {
            foreach (var delivery in deliveries)
            {
                _held--;
                _heldBytes -= delivery.Body?.Length ?? 0;
            }
            if (_lanes.Count > MaxIdleLanes)
            {
                foreach (var idle in _lanes.Where(pair => pair.Value is { Held: 0, Unwritten: 0 }).Select(pair => pair.Key).ToArray())
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
            lane.Waiting.Dequeue();
            if (lane.Admits(head.Delivery))
            {
                lane.InFlight++;
                _inFlight++;
                return head.Delivery;
            }
            _returning.Add(head.Delivery);
        }
        return null;
    }

    private int Wanted(Lane lane)
    {
        // Before its first answer an endpoint's speed is unknown: what can be in flight, and no more.
        var ahead = lane.SecondsPerSend is { } seconds
            ? options.InFlightPerEndpoint * options.ClaimAhead.TotalSeconds / Math.Max(seconds, 0.001)
            : options.InFlightPerEndpoint;
        var target = (int)Math.Clamp(ahead, Math.Min(options.InFlightPerEndpoint, options.ClaimPerEndpoint), options.ClaimPerEndpoint);
        return lane.Held <= target / 2 || lane.Held < options.InFlightPerEndpoint ? target - lane.Held : 0;
    }

    private readonly record struct Waiting(ClaimedDelivery Delivery, DateTimeOffset NotBefore, DateTimeOffset OverdueAt);

    private sealed class Lane
    {
        private int _failures;
        private bool _isGone;

        public Queue<Waiting> Waiting { get; } = new();

        public int InFlight { get; set; }

        public double? SecondsPerSend { get; set; }

        public int Held => Waiting.Count + InFlight;

        private bool IsOpen => _failures >= Breaker.OpensAt;

        /// <summary>Rows that were claimed before the breaker opened are not for an open one: only its probe is.</summary>
        public bool Admits(ClaimedDelivery delivery) => !_isGone && (!IsOpen || delivery.IsProbe);

        /// <summary>Outcomes that the next claim cannot know of, as they are not written before it.</summary>
        public int Unwritten { get; set; }

        /// <summary>The endpoint's row knows of other nodes; but while it lacks outcomes of ours, it does not close what they opened.</summary>
        public void HearOfClaim(ClaimedDelivery delivery)
        {
            var stored = delivery.Target.ConsecutiveFailures;
            _failures = IsOpen && !delivery.IsProbe && Unwritten == 0 ? stored : Math.Max(_failures, stored);
            _isGone &= Unwritten > 0;
        }

        public void HearOf(Completion completion)
        {
            if (EndpointHealth.IsTold(completion))
            {
                _failures = completion.Error is null ? 0 : _failures + 1;
            }
            Unwritten++;
            _isGone |= completion.Next.Ending == Ending.Gone;
        }
    }
}
