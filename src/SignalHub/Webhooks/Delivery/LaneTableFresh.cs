namespace SignalHub.Webhooks.Delivery;

/// <summary>The room for fresh rows: written as ours, and held without having been claimed.</summary>
internal sealed partial class LaneTable
{
    private List<FreshRow> _handed = [];
    private bool _acceptsFresh;
    private int _reserved;
    private int _fresh;

    /// <summary>Rows that are being written for us at this moment.</summary>
    public int Reserved
    {
        get
        {
            lock (_lock)
            {
                return _reserved;
            }
        }
    }

    /// <summary>From now on fresh rows may come, or no more.</summary>
    public void AcceptFresh(bool accepts)
    {
        lock (_lock)
        {
            _acceptsFresh = accepts;
        }
    }

    /// <summary>
    /// Makes room for deliveries that are about to be written, as far as there is some, and marks those that get it. They have half of
    /// all room at most: what waits in the queue has the other.
    /// </summary>
    public List<NewDelivery> Reserve(IReadOnlyList<NewDelivery> deliveries)
    {
        var granted = new List<NewDelivery>();
        lock (_lock)
        {
            foreach (var delivery in deliveries)
            {
                if (_acceptsFresh && delivery.IsPlain && _fresh < options.Held / 2 && _heldBytes < options.HeldBytes / 2
                    && _lanes.TryGetValue(delivery.Endpoint, out var lane) && lane.TakesFresh && lane.Fresh < Share(lane))
                {
                    delivery.Lease = options.Lease;
                    lane.Fresh++;
                    lane.Reserved++;
                    _fresh++;
                    _held++;
                    _heldBytes += delivery.Event.Body.Length;
                    granted.Add(delivery);
                }
            }
            _reserved += granted.Count;
        }
        return granted;
    }

    /// <summary>Reserved rows have been written.</summary>
    /// <param name="since">Before their transaction began.</param>
    public void Hand(IReadOnlyList<NewDelivery> deliveries, DateTimeOffset since)
    {
        lock (_lock)
        {
            _reserved -= deliveries.Count;
            foreach (var delivery in deliveries)
            {
                _handed.Add(new FreshRow(delivery, since));
            }
        }
    }

    /// <summary>Reserved rows have not been written, as far as we know: should they be there, they are due when their lease ends.</summary>
    public void Cancel(IReadOnlyList<NewDelivery> deliveries)
    {
        lock (_lock)
        {
            _reserved -= deliveries.Count;
            foreach (var delivery in deliveries)
            {
                Refuse(delivery);
                _held--;
                _heldBytes -= delivery.Event.Body.Length;
            }
        }
    }

    /// <summary>Rows written since the last time, to be added when their endpoints have been looked up.</summary>
    public List<FreshRow> TakeHanded()
    {
        lock (_lock)
        {
            (var taken, _handed) = (_handed, []);
            return taken;
        }
    }

    public void PutBackHanded(IReadOnlyList<FreshRow> rows)
    {
        lock (_lock)
        {
            _handed.InsertRange(0, rows);
        }
    }

    /// <summary>What became something for a claim meanwhile goes back to the queue.</summary>
    /// <param name="targets">The endpoints as they are now; one that is missing is gone.</param>
    /// <returns>Whether there is something to hand back.</returns>
    public bool AddFresh(IReadOnlyList<FreshRow> rows, IReadOnlyDictionary<EndpointKey, EndpointTarget> targets)
    {
        lock (_lock)
        {
            foreach (var (delivery, since) in rows)
            {
                if (targets.TryGetValue(delivery.Endpoint, out var target) && target.IsFree)
                {
                    var (lane, row) = (_lanes[delivery.Endpoint], ClaimedDelivery.Fresh(delivery, target));
                    lane.HearOfClaim(row);
                    lane.Reserved--;
                    lane.Waiting.Enqueue(new WaitingRow(row, since, since + options.Lease / 2, IsFresh: true));
                }
                else
                {
                    _returning.Add(Refuse(delivery));
                }
            }
            return _returning.Count > 0;
        }
    }

    private HeldRow Refuse(NewDelivery delivery)
    {
        var lane = _lanes[delivery.Endpoint];
        lane.Reserved--;
        lane.Fresh--;
        _fresh--;
        return new HeldRow(delivery.Endpoint, delivery.Id, ClaimedDelivery.FirstAttempt, delivery.Event.Body.Length);
    }
}
