namespace SignalHub.Workspaces;

/// <summary>What one workspace used: the last 60 s and the UTC day. Thread-safe.</summary>
internal sealed class WorkspaceCounter(DateOnly date, long today)
{
    private readonly Lock _lock = new();
    private readonly WindowCounter _window = new();
    private DateOnly _date = date;
    private long _today = today;
    private DateTimeOffset _usedAt;
    private bool _retired;

    /// <summary>
    /// A counter with what is stored. A stored slot of 10 s counts as if all of it had come at its end: later than it was, so
    /// never too little.
    /// </summary>
    public static WorkspaceCounter Restore(StoredUsage stored, DateTimeOffset now)
    {
        var counter = new WorkspaceCounter(stored.Day, stored.Today) { _usedAt = now };
        var head = counter._window.MoveTo(now);
        foreach (var (slot, events) in stored.Slots)
        {
            var end = WindowCounter.SlotOf(slot + UsageStore.SlotLength) - 1;
            counter._window.AddAt(Math.Min(end, head), events);
        }
        return counter;
    }

    /// <summary>Takes what fits of the events; false: the counter was retired, ask for a new one.</summary>
    public bool TryReserve(WorkspaceLimits limits, int events, bool isTest, DateTimeOffset now, out Admission admission)
    {
        lock (_lock)
        {
            if (_retired)
            {
                admission = default;
                return false;
            }
            var slot = MoveTo(now);
            var minuteRoom = Room(limits.PerMinute, _window.Count);
            // Test signals cost the minute only.
            var dayRoom = isTest ? int.MaxValue : Room(limits.PerDay, _today);
            var allowed = Math.Min(events, Math.Min(minuteRoom, dayRoom));
            _window.Add(allowed);
            _today += isTest ? 0 : allowed;
            admission = Describe(new Admission
            {
                Requested = events, Allowed = allowed, IsTest = isTest, MinuteViolated = minuteRoom < events, DayViolated = dayRoom < events,
                Counter = this, Slot = slot, Date = _date,
            }, limits, now);
            return true;
        }
    }

    /// <summary>Takes events of an admission back out, where they were counted.</summary>
    public Admission GiveBack(in Admission admission, int events, DateTimeOffset now)
    {
        lock (_lock)
        {
            MoveTo(now);
            var returned = Math.Min(events, admission.Allowed);
            _window.Remove(admission.Slot, returned);
            if (!admission.IsTest && admission.Date == _date)
            {
                _today = Math.Max(0, _today - returned);
            }
            return Describe(admission with { Allowed = admission.Allowed - returned, Requested = admission.Requested - returned },
                new WorkspaceLimits(admission.Minute.Limit, admission.Day.Limit), now);
        }
    }

    /// <summary>True if nobody used it since then: it takes no reservation any more.</summary>
    public bool TryRetire(DateTimeOffset unusedSince)
    {
        lock (_lock)
        {
            _retired |= _usedAt < unusedSince;
            return _retired;
        }
    }

    private long MoveTo(DateTimeOffset now)
    {
        _usedAt = now;
        var slot = _window.MoveTo(now);
        // Of the slot, not of the clock: a thread that read the clock before midnight must not bring yesterday back.
        var day = DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(slot * WindowCounter.SlotMilliseconds).UtcDateTime);
        if (day != _date)
        {
            _date = day;
            _today = 0;
        }
        return slot;
    }

    private Admission Describe(Admission admission, WorkspaceLimits limits, DateTimeOffset now)
    {
        var midnight = Seconds(TimeSpan.TicksPerDay - now.UtcDateTime.TimeOfDay.Ticks, TimeSpan.TicksPerSecond);
        var minuteWait = admission.MinuteViolated ? Seconds(_window.WaitForOne(limits.PerMinute, now), 1000) : 0;
        var dayWait = admission.DayViolated && Room(limits.PerDay, _today) == 0 ? midnight : 0;
        var isRefused = admission.MinuteViolated || admission.DayViolated;
        return admission with
        {
            Minute = new Quota(limits.PerMinute, Room(limits.PerMinute, _window.Count),
                Math.Min(WindowCounter.WindowSeconds, Seconds(_window.WaitForAll(now), 1000))),
            Day = new Quota(limits.PerDay, Room(limits.PerDay, _today), midnight),
            RetryAfterSeconds = isRefused ? Math.Max(1, Math.Max(minuteWait, dayWait)) : 0,
        };
    }

    private static int Room(int limit, long used) => limit == 0 ? int.MaxValue : (int)Math.Max(0, limit - used);

    private static int Seconds(long time, long unit) => (int)((time + unit - 1) / unit);
}
