using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

/// <summary>
/// Nodes that share one workspace's limits over a database that is a variable: exchanges go step by step, so that a test can put
/// anything between reading and writing.
/// </summary>
internal sealed class SimulatedNodes
{
    /// <summary>Two minutes before midnight.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 14, 23, 58, 0, TimeSpan.Zero);

    private readonly WorkspaceLimits _limits;
    private DateTimeOffset _start;
    private readonly List<Node> _nodes;
    private readonly List<(DateTimeOffset At, bool IsTest)> _stored = [];
    private byte[]? _row;
    private long _version;
    private int _started;
    private TimeSpan _time;

    public SimulatedNodes(int nodes, WorkspaceLimits limits, DateTimeOffset? start = null)
    {
        _limits = limits;
        _start = start ?? Start;
        _nodes = [.. Enumerable.Range(0, nodes).Select(_ => NewNode())];
    }

    /// <summary>Events that were admitted and kept, by the database's clock.</summary>
    public IReadOnlyList<(DateTimeOffset At, bool IsTest)> Kept => _stored;

    public DateTimeOffset Now => _start + _time;

    public static SimulatedNodes Alone(WorkspaceLimits limits, DateTimeOffset? start = null) => new(1, limits, start);

    /// <summary>Lets time pass; each node tells the others each second, as its loop does, unless it is in the middle of an exchange.</summary>
    public void Advance(TimeSpan time)
    {
        for (var end = _time + time; _time < end;)
        {
            var next = TimeSpan.FromSeconds(Math.Floor(_time.TotalSeconds) + 1);
            _time = next < end ? next : end;
            foreach (var node in _nodes.Where(n => _time == next))
            {
                Finish(node);
                if (node.Share.TryBegin(At(node), isLeaving: false))
                {
                    node.Step = Step.Read;
                    Finish(node);
                }
            }
        }
    }

    /// <summary>Asks for events and gets an answer at once.</summary>
    public Admission Reserve(int node, int events, bool isTest = false)
    {
        var admission = Ask(node, events, isTest);
        Finish(_nodes[node]);
        return Settled(admission);
    }

    /// <summary>Asks for events; the answer may have to wait for the exchange, which goes on step by step.</summary>
    public Task<Admission> Ask(int node, int events, bool isTest = false)
    {
        var asking = _nodes[node];
        if (asking.Share.TryReserve(_limits, events, isTest, At(asking), out var admission))
        {
            return Task.FromResult(admission);
        }
        var waiting = asking.Share.Wait(_limits, events, isTest, At(asking), out var mustExchange)!;
        asking.Step = mustExchange ? Step.Read : asking.Step;
        return waiting;
    }

    /// <summary>Reads or writes, whatever comes next in the node's exchange.</summary>
    public void DoStep(int node) => DoStep(_nodes[node]);

    /// <summary>The write gets through, and the node never hears of it.</summary>
    public void LoseAnswer(int node)
    {
        var losing = _nodes[node];
        if (losing.Step == Step.Write)
        {
            Write(losing);
        }
        if (losing.Step != Step.None)
        {
            losing.Share.Fail(new TimeoutException());
            losing.Step = Step.None;
        }
    }

    /// <summary>What was admitted is stored, as the intake does; the rest is given back.</summary>
    public Admission Keep(int node, Admission admission, int kept)
    {
        _stored.AddRange(Enumerable.Repeat((AdmittedAt(admission), admission.IsTest), kept));
        return _nodes[node].Share.GiveBack(admission, admission.Allowed - kept, At(_nodes[node]));
    }

    /// <summary>Another process in the node's place; what the old one held is held for a while.</summary>
    public void Kill(int node) => _nodes[node] = NewNode();

    /// <summary>The database's clock; the processes' own only run forward.</summary>
    public void SetClockBack(TimeSpan time) => _start -= time;

    /// <summary>PostgreSQL crashes: a second later it is there again, unlogged tables are empty, and every connection is gone.</summary>
    public void CrashDatabase()
    {
        _row = null;
        _time += TimeSpan.FromSeconds(1);
        foreach (var node in _nodes)
        {
            node.Share.Fail(new TimeoutException());
            node.Step = Step.None;
        }
    }

    public static Admission Settled(Task<Admission> admission) =>
        admission.IsCompletedSuccessfully ? admission.Result : throw new InvalidOperationException("The admission still waits.");

    /// <summary>The most that any 60 s hold.</summary>
    public int MostInAMinute()
    {
        var ordered = Kept.Select(k => k.At).Order().ToList();
        return ordered.Count == 0 ? 0 : ordered.Select((first, i) => ordered.Skip(i).TakeWhile(at => at - first <= TimeSpan.FromSeconds(60)).Count()).Max();
    }

    public int MostInADay() => Kept.Where(k => !k.IsTest).CountBy(k => k.At.UtcDateTime.Date).Select(day => day.Value).DefaultIfEmpty().Max();

    // A process counts the time from whenever its machine started.
    private Node NewNode() => new(new WorkspaceShare(new Guid(++_started, 0, 0, new byte[8])), TimeSpan.FromHours(_started));

    // The slot's beginning is at most a tenth of a second before the true instant.
    private DateTimeOffset AdmittedAt(Admission admission) =>
        DateTimeOffset.FromUnixTimeMilliseconds(admission.Slot * WindowCounter.SlotMilliseconds) is var slot && Now - slot < TimeSpan.FromMilliseconds(100) ? Now : slot;

    private TimeSpan At(Node node) => node.Started + _time;

    private void Finish(Node node)
    {
        while (node.Step != Step.None)
        {
            DoStep(node);
        }
    }

    private void DoStep(Node node)
    {
        if (node.Step == Step.Read)
        {
            var ledger = _row is null ? null : UsageLedger.Read(_row, node.Share.TakeSpare());
            var read = _row is null ? LedgerExchange.FirstVersion(Now) - 1 : _version;
            var proposed = node.Share.Propose(ledger, node.Share.NeedsStored ? Stored() : null, Now, At(node), isLeaving: false);
            (node.Read, node.Proposed, node.Step) = (read, proposed?.ToBytes(), proposed is null ? Step.Read : Step.Write);
        }
        else if (node.Step == Step.Write)
        {
            node.Step = node.Share.Settle(Write(node), At(node)) ? Step.Read : Step.None;
        }
    }

    /// <summary>As the store does: unless another node was first.</summary>
    private bool Write(Node node)
    {
        if (_row is not null && _version != node.Read)
        {
            return false;
        }
        (_row, _version) = (node.Proposed, node.Read + 1);
        return true;
    }

    private StoredUsage Stored()
    {
        var slots = Kept.CountBy(k => new DateTimeOffset(k.At.UtcTicks - (k.At.UtcTicks % UsageStore.SlotLength.Ticks), TimeSpan.Zero))
            .Where(s => s.Key > Now.AddSeconds(-70)).Select(s => (s.Key, s.Value));
        return new StoredUsage([.. slots], DateOnly.FromDateTime(Now.UtcDateTime), Kept.Count(k => !k.IsTest && k.At.UtcDateTime.Date == Now.UtcDateTime.Date));
    }

    private enum Step { None, Read, Write }

    private sealed class Node(WorkspaceShare share, TimeSpan started)
    {
        public WorkspaceShare Share { get; } = share;

        public TimeSpan Started { get; } = started;

        public Step Step { get; set; }

        public long Read { get; set; }

        public byte[]? Proposed { get; set; }
    }
}
