namespace SignalHub.Workspaces;

/// <summary>What one node did and has not told yet: events by slot, and of one UTC day. Not thread-safe.</summary>
internal sealed class Uses
{
    private readonly Dictionary<long, int> _slots = [];
    private DateOnly _date;
    private long _ofDay;

    public bool IsEmpty => _slots.Count == 0;

    /// <summary>Events of one slot.</summary>
    public int At(long slot) => _slots.GetValueOrDefault(slot);

    /// <param name="events">Less than nothing: given back.</param>
    public void Add(long slot, int events)
    {
        if (events != 0)
        {
            _slots[slot] = _slots.GetValueOrDefault(slot) + events;
        }
    }

    /// <summary>Those of the day before are of no use then.</summary>
    public void AddDay(DateOnly date, long events) => (_date, _ofDay) = (date, date == _date ? _ofDay + events : events);

    public void AddTo(UsageLedger ledger)
    {
        foreach (var (slot, events) in _slots)
        {
            ledger.Count(slot, events);
        }
        ledger.CountDay(_date, _ofDay);
    }

    /// <summary>Keeps only what was used: what was given back is not counted where this is told next.</summary>
    public void DropGivenBack()
    {
        foreach (var slot in _slots.Where(s => s.Value < 0).Select(s => s.Key).ToList())
        {
            _slots.Remove(slot);
        }
        _ofDay = Math.Max(0, _ofDay);
    }

    /// <summary>What was to be told before these.</summary>
    public void AddFirst(Uses earlier)
    {
        foreach (var (slot, events) in earlier._slots)
        {
            Add(slot, events);
        }
        if (_ofDay == 0 || earlier._date == _date)
        {
            AddDay(earlier._date, earlier._ofDay);
        }
    }
}
