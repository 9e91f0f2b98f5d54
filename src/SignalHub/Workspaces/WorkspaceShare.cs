namespace SignalHub.Workspaces;

/// <summary>
/// One node's part of a workspace's limits: what it may admit without asking, what it did since it last told the others, and how
/// the ledger stood then. Admits only what it holds, so that all nodes together never admit more than the limit. Asks for as much
/// as waits, and a little more where there is room. Thread-safe; no I/O, <c>at</c> is the process's own clock that only runs
/// forward.
/// </summary>
internal sealed class WorkspaceShare(Guid node)
{
    /// <summary>How long a node may admit what it holds without telling the others: as long as the dead keep it from them.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    // A third, so that one failure costs nothing.
    private static readonly TimeSpan _renewal = TimeSpan.FromSeconds(10);

    // Who is quieter than this needs nothing at hand: a round trip for one request a minute is not much.
    private static readonly TimeSpan _quiet = TimeSpan.FromMinutes(1);

    // After the answer that there is no room: others may have given something back by then.
    private static readonly TimeSpan _refusal = TimeSpan.FromMilliseconds(250);

    // A look at the quotas may be as old as this.
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(1);

    // What is held without use keeps others from the limit: four idle nodes hold 2 % of it. What a node holds of the day when it
    // dies is lost for that day.
    private const int IdlePartOfMinute = 200;
    private const int IdlePartOfDay = 2_000;

    // What is asked for beyond need is at most this part of the room: nearer to the limit it is less, and at last nothing.
    private const int SparePart = 8;

    private readonly Lock _lock = new();
    private readonly Queue<Waiter> _waiting = new();

    // How it all stands as far as this node knows: the ledger as it was written last, and its own events since.
    private UsageLedger? _view;
    private UsageLedger? _spare;
    private (long Minute, long Day) _others;
    private DateTimeOffset _asOf;
    private TimeSpan _askedAt;
    private TimeSpan _usedAt;
    private WorkspaceLimits _limits = new(0, 0);
    private WorkspaceLimits _asked = new(0, 0);

    // May be admitted without asking.
    private int _minute;
    private int _day;
    private TimeSpan _minuteShortUntil;
    private TimeSpan _dayShortUntil;
    private bool _isKnown;

    // Not in the ledger yet: events by slot (less than nothing: given back), and of one day.
    private Uses _uses = new();
    private Proposal? _proposal;
    private bool _isExchanging;
    private bool _isRetired;
    private (long Second, int Now, int Before) _pace;

    /// <summary>There is no ledger, or it misses a time without limits: it takes what is stored.</summary>
    public bool NeedsStored { get; private set; }

    /// <summary>Decides with what is held, if that can be; else <see cref="Wait"/>.</summary>
    public bool TryReserve(WorkspaceLimits limits, int events, bool isTest, TimeSpan at, out Admission admission)
    {
        lock (_lock)
        {
            if (_isRetired || _waiting.Count > 0 || !_isKnown || at >= _askedAt + Lifetime || !limits.Equals(_limits)
                || (events == 0 && at > _askedAt + _fresh)
                || (Minute < events && at >= _minuteShortUntil) || (!isTest && Day < events && at >= _dayShortUntil))
            {
                admission = default;
                return false;
            }
            admission = Take(new Waiter(events, isTest, at), at);
            return true;
        }
    }

    /// <summary>Queues a reservation for the next exchange; null: the share was retired, ask for a new one.</summary>
    /// <param name="mustExchange">The caller must see to that exchange; otherwise somebody does already.</param>
    public Task<Admission>? Wait(WorkspaceLimits limits, int events, bool isTest, TimeSpan at, out bool mustExchange)
    {
        lock (_lock)
        {
            mustExchange = !_isRetired && !_isExchanging;
            if (_isRetired)
            {
                return null;
            }
            _isExchanging = true;
            _asked = limits;
            _usedAt = events > 0 ? at : _usedAt;
            var waiter = new Waiter(events, isTest, at);
            _waiting.Enqueue(waiter);
            return waiter.Done.Task;
        }
    }

    /// <summary>Takes events of an admission back out, where they were counted.</summary>
    public Admission GiveBack(in Admission admission, int events, TimeSpan at)
    {
        lock (_lock)
        {
            var now = Now(at);
            _view!.MoveTo(now);
            var returned = Math.Min(events, admission.Allowed);
            var isCounted = admission.Ledger == _view.Begun;
            var isToday = isCounted && !admission.IsTest && admission.Date == _view.Date;
            // At hand again at once if the others still count it as held. If they count it as used, it is theirs too: they must
            // hear of it first, else it would be used once more while the ledger has it where it was.
            if (_isKnown && isCounted && _uses.At(admission.Slot) >= returned)
            {
                _minute += _limits.PerMinute == 0 ? 0 : returned;
                _day += _limits.PerDay == 0 || !isToday ? 0 : returned;
            }
            else
            {
                (_minuteShortUntil, _dayShortUntil) = (default, default);
            }
            Count(admission.Slot, isCounted ? -returned : 0, isToday);
            return Describe(admission with { Allowed = admission.Allowed - returned, Requested = admission.Requested - returned },
                new WorkspaceLimits(admission.Minute.Limit, admission.Day.Limit), now);
        }
    }

    /// <summary>Whether there is something to tell or to hand back. True: the caller must see to an exchange now.</summary>
    /// <param name="isLeaving">Everything is handed back.</param>
    public bool TryBegin(TimeSpan at, bool isLeaving)
    {
        lock (_lock)
        {
            var isHolding = _isKnown && ((_limits.PerMinute > 0 && _minute > 0) || (_limits.PerDay > 0 && _day > 0));
            var isDue = !_uses.IsEmpty || (isHolding && (isLeaving || at >= _askedAt + _renewal
                || (_limits.PerMinute > 0 && _minute > Target(_limits.PerMinute / IdlePartOfMinute, at))
                || (_limits.PerDay > 0 && _day > Target(_limits.PerDay / IdlePartOfDay, at))));
            if (_isRetired || _isExchanging || !isDue)
            {
                return false;
            }
            return _isExchanging = true;
        }
    }

    /// <summary>
    /// Puts what this node did into the ledger, and what it wants to hold from then on. Until <see cref="Settle"/> it admits no
    /// more than it may under both, the old and the new.
    /// </summary>
    /// <param name="ledger">As read; null: there is none. Belongs to the share from now on.</param>
    /// <param name="stored">What is stored; null unless it was asked for.</param>
    /// <param name="now">The database's clock when it was read.</param>
    /// <param name="askedAt">This process's clock before.</param>
    /// <param name="isLeaving">Holds nothing from then on.</param>
    /// <returns>The ledger to write; null: it takes what is stored to say.</returns>
    public UsageLedger? Propose(UsageLedger? ledger, StoredUsage? stored, DateTimeOffset now, TimeSpan askedAt, bool isLeaving)
    {
        lock (_lock)
        {
            if (ledger is null && stored is null)
            {
                NeedsStored = true;
                return null;
            }
            ledger ??= UsageLedger.Of(stored!, now);
            ledger.MoveTo(now);
            ledger.Expire(now, _view is null ? null : node);
            if (ledger.Begun != _view?.Begun)
            {
                _uses.DropGivenBack();
            }
            _uses.AddTo(ledger);
            if (stored is not null)
            {
                ledger.Absorb(stored);
            }
            _limits = _asked;
            // Who came after the database was asked is for the next exchange.
            var served = _waiting.TakeWhile(w => w.At <= askedAt).Count();
            var (minute, day) = Wanted(ledger, Needs(served), askedAt, isLeaving);
            ledger.Grant(new Hold(node, minute, day, now + Lifetime));
            _proposal = new Proposal(ledger, _uses, now, askedAt, minute, day, _minute, _day, served, stored is not null);
            _uses = new Uses();
            (_minute, _day) = (Math.Min(_minute, minute), Math.Min(_day, day));
            return ledger;
        }
    }

    /// <summary>A ledger that is not looked at any more, to read the next one into; whoever takes it has it alone.</summary>
    public UsageLedger? TakeSpare() => Interlocked.Exchange(ref _spare, null);

    /// <summary>After the attempt to write. True: the caller must exchange again, somebody else was first or more are waiting.</summary>
    public bool Settle(bool isWritten, TimeSpan at)
    {
        lock (_lock)
        {
            var proposal = _proposal!;
            _proposal = null;
            _spare = isWritten ? _view : proposal.Ledger;
            if (!isWritten)
            {
                _uses.AddFirst(proposal.Uses);
                _minute += proposal.MinuteBefore - Math.Min(proposal.MinuteBefore, proposal.Minute);
                _day += proposal.DayBefore - Math.Min(proposal.DayBefore, proposal.Day);
                return true;
            }
            _minute += proposal.Minute - Math.Min(proposal.MinuteBefore, proposal.Minute);
            _day += proposal.Day - Math.Min(proposal.DayBefore, proposal.Day);
            NeedsStored &= !proposal.IsWithStored;
            if (proposal.Ledger.Begun != _view?.Begun)
            {
                _uses.DropGivenBack();
            }
            _isKnown = true;
            (_view, _asOf, _askedAt) = (proposal.Ledger, proposal.Now, proposal.AskedAt);
            _others = _view.HeldByOthers(node);
            _view.MoveTo(Now(at));
            _uses.AddTo(_view);
            Serve(proposal.Served, at);
            return _isExchanging = _waiting.Count > 0;
        }
    }

    /// <summary>
    /// The exchange failed, written or not: nothing is held, and what was used is told again, what was given back is not; never
    /// too little.
    /// </summary>
    public void Fail(Exception exception)
    {
        lock (_lock)
        {
            if (_proposal is { } proposal)
            {
                proposal.Uses.DropGivenBack();
                _uses.AddFirst(proposal.Uses);
                _proposal = null;
            }
            (_minute, _day, _isKnown, _isExchanging) = (0, 0, false, false);
            while (_waiting.TryDequeue(out var waiter))
            {
                waiter.Done.SetException(exception);
            }
        }
    }

    /// <summary>The workspace is without limits for now, and nobody counts.</summary>
    public void Suspend()
    {
        lock (_lock)
        {
            NeedsStored = true;
        }
    }

    /// <summary>True if nobody used it since then: it takes no reservation any more.</summary>
    public bool TryRetire(TimeSpan unusedSince)
    {
        lock (_lock)
        {
            _isRetired |= !_isExchanging && _usedAt < unusedSince && _askedAt < unusedSince;
            return _isRetired;
        }
    }

    private int Minute => _limits.PerMinute == 0 ? int.MaxValue : _minute;

    private int Day => _limits.PerDay == 0 ? int.MaxValue : _day;

    /// <summary>The database's clock, at the latest: it was asked a moment before it answered.</summary>
    private DateTimeOffset Now(TimeSpan at) => _asOf + (at - _askedAt);

    /// <summary>Those who were counted in the proposal, in their order.</summary>
    private void Serve(int waiters, TimeSpan at)
    {
        var (minute, day) = Needs(waiters);
        _minuteShortUntil = Minute < minute ? at + _refusal : default;
        _dayShortUntil = Day < day ? at + _refusal : default;
        for (; waiters > 0; waiters--)
        {
            var waiter = _waiting.Dequeue();
            waiter.Done.SetResult(Take(waiter, at));
        }
    }

    private Admission Take(Waiter waiter, TimeSpan at)
    {
        var now = Now(at);
        var slot = _view!.MoveTo(now);
        var dayRoom = waiter.IsTest ? int.MaxValue : Day;
        var allowed = Math.Min(waiter.Events, Math.Min(Minute, dayRoom));
        var admission = new Admission
        {
            Requested = waiter.Events, Allowed = allowed, IsTest = waiter.IsTest, MinuteViolated = Minute < waiter.Events, DayViolated = dayRoom < waiter.Events,
            Share = this, Ledger = _view.Begun, Slot = slot, Date = _view.Date,
        };
        if (allowed > 0)
        {
            Count(slot, allowed, !waiter.IsTest);
            _minute -= _limits.PerMinute == 0 ? 0 : allowed;
            _day -= _limits.PerDay == 0 || waiter.IsTest ? 0 : allowed;
            _usedAt = at;
            _pace = (Second(at), Pace(at).Now + allowed, Pace(at).Before);
        }
        return Describe(admission, _limits, now);
    }

    /// <summary>In the view, and to be told.</summary>
    private void Count(long slot, int events, bool isOfDay)
    {
        _view!.Count(slot, events);
        _uses.Add(slot, events);
        if (isOfDay)
        {
            _view.CountDay(_view.Date, events);
            _uses.AddDay(_view.Date, events);
        }
    }

    private (int Minute, int Day) Wanted(UsageLedger ledger, (long Minute, long Day) needs, TimeSpan at, bool isLeaving)
    {
        var others = ledger.HeldByOthers(node);
        return (Share(_limits.PerMinute, IdlePartOfMinute, ledger.Window.Count + others.Minute, needs.Minute),
            Share(_limits.PerDay, IdlePartOfDay, ledger.Today + others.Day, needs.Day));

        int Share(int limit, int idlePart, long used, long need)
        {
            if (limit == 0)
            {
                return 0;
            }
            var room = Room(limit, used);
            var spare = isLeaving ? 0 : Math.Min(Target(limit / idlePart, at), Math.Max(0, (room - need) / SparePart));
            return (int)Math.Min(room, need + spare);
        }
    }

    /// <summary>What to have at hand beyond need: two seconds at the pace of the last one; nothing when it is quiet.</summary>
    private long Target(int atLeast, TimeSpan at)
    {
        var pace = Pace(at);
        return at > _usedAt + _quiet ? 0 : Math.Max(atLeast, 2L * Math.Max(pace.Now, pace.Before));
    }

    private (int Now, int Before) Pace(TimeSpan at) => (Second(at) - _pace.Second) switch
    {
        0 => (_pace.Now, _pace.Before),
        1 => (0, _pace.Now),
        _ => (0, 0),
    };

    private (long Minute, long Day) Needs(int waiters)
    {
        var (minute, day) = (0L, 0L);
        foreach (var waiter in _waiting.Take(waiters))
        {
            minute += waiter.Events;
            day += waiter.IsTest ? 0 : waiter.Events;
        }
        return (minute, day);
    }

    private Admission Describe(Admission admission, WorkspaceLimits limits, DateTimeOffset now)
    {
        var view = _view!;
        var midnight = Seconds(TimeSpan.TicksPerDay - now.UtcDateTime.TimeOfDay.Ticks, TimeSpan.TicksPerSecond);
        var minuteLimit = (int)Math.Max(1, limits.PerMinute - _others.Minute);
        var dayLeft = Room(limits.PerDay, view.Today + _others.Day);
        var minuteWait = admission.MinuteViolated ? Seconds(view.Window.WaitForOne(minuteLimit, now), 1000) : 0;
        var dayWait = admission.DayViolated && dayLeft == 0 ? midnight : 0;
        var isRefused = admission.MinuteViolated || admission.DayViolated;
        return admission with
        {
            Minute = new Quota(limits.PerMinute, Room(limits.PerMinute, view.Window.Count + _others.Minute),
                Math.Min(WindowCounter.WindowSeconds, Seconds(view.Window.WaitForAll(now), 1000))),
            Day = new Quota(limits.PerDay, dayLeft, midnight),
            RetryAfterSeconds = isRefused ? Math.Max(1, Math.Max(minuteWait, dayWait)) : 0,
        };
    }

    private static int Room(int limit, long used) => limit == 0 ? int.MaxValue : (int)Math.Max(0, limit - used);

    private static int Seconds(long time, long unit) => (int)((time + unit - 1) / unit);

    private static long Second(TimeSpan at) => (long)at.TotalSeconds;

    private sealed record Waiter(int Events, bool IsTest, TimeSpan At)
    {
        // Whoever waits goes on by itself, not inside the lock.
        public TaskCompletionSource<Admission> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>What is on its way to the database.</summary>
    private sealed record Proposal(
        UsageLedger Ledger, Uses Uses, DateTimeOffset Now, TimeSpan AskedAt, int Minute, int Day, int MinuteBefore, int DayBefore, int Served, bool IsWithStored);
}
