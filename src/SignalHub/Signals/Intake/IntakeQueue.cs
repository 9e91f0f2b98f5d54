using SignalHub.Storage;

namespace SignalHub.Signals.Intake;

/// <summary>
/// What waits for a writer, and who may take it. Signals about one person wait in one line, which one writer at a time has, with what is remembered
/// of its people. While little waits, one transaction takes from all lines: two small ones cost more than a larger one. Bounded three ways,
/// whatever the <see cref="IntakeGate"/> expects: rows, bytes, and the age of the oldest one.
/// </summary>
public sealed class IntakeQueue
{
    /// <summary>Signals that may wait: more than a second of work on a small machine; the gate closes long before.</summary>
    public const int MaxItems = 8_192;

    /// <summary>Bytes that may wait.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    /// <summary>People and companies that all lines together remember: some 20 MB.</summary>
    public const int Remembered = 20_000;

    /// <summary>So many have to wait for a transaction beside one that is running already.</summary>
    public const int Enough = 12;

    /// <summary>From so many on a transaction takes from one line, so that another one can run beside it.</summary>
    public const int Plenty = 24;

    /// <summary>When the oldest one has waited this long, the writers are not keeping up (or the database is away).</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(0.5);

    /// <summary>So long after its first signal a process still compiles what it runs: slow writers say nothing about the database yet.</summary>
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>What the oldest one may wait meanwhile.</summary>
    public static readonly TimeSpan MaxWaitInWarmUp = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly IntakeLine[] _lines;
    private readonly Stack<IntakeBatch> _idle = new();
    private readonly TimeProvider _time;
    private long _firstAt;
    private int _items;
    private long _bytes;
    private int _waitedFor;
    private bool _isComplete;

    // While one writer's batch is in the database the other one's is being planned: with two, neither side waits for the other.
    public IntakeQueue(TimeProvider time)
        : this(time, Database.Writers)
    {
    }

    /// <param name="time">The clock.</param>
    /// <param name="lines">As many as writers.</param>
    public IntakeQueue(TimeProvider time, int lines)
    {
        _time = time;
        IntakeMetrics.Watch(this);
        _lines = new IntakeLine[lines];
        for (var i = 0; i < _lines.Length; i++)
        {
            _lines[i] = new IntakeLine(Remembered / _lines.Length);
        }
    }

    /// <summary>Signals that wait for a writer.</summary>
    public int Depth => Volatile.Read(ref _items);

    public int Writers => _lines.Length;

    /// <summary>Whether the oldest one of every line waits for too long already: then no writer takes anything.</summary>
    public bool IsStuck => _lines.Min(WaitOf) > Longest;

    /// <summary>How long the oldest one of all waits already.</summary>
    public TimeSpan LongestWait => _lines.Max(WaitOf);

    /// <summary>False when there is no room for it: answer 503.</summary>
    /// <param name="item">The signal.</param>
    /// <param name="moreCome">The caller has more, or calls <see cref="NoMoreCome"/>: for a few of them no writer is woken.</param>
    public bool TryEnqueue(IntakeItem item, bool moreCome = false)
    {
        var line = LineOf(item);
        IntakeBatch? woken;
        lock (_lock)
        {
            if (_isComplete || _items >= MaxItems || _bytes + item.Size > MaxBytes || WaitOf(line) > Longest)
            {
                return false;
            }
            item.EnqueuedAt = _time.GetTimestamp();
            _firstAt = _firstAt == 0 ? item.EnqueuedAt : _firstAt;
            _items++;
            _bytes += item.Size;
            line.Add(item);
            if (moreCome && _items < Plenty)
            {
                return true;
            }
            woken = NextToWake();
            WakeOthers();
        }
        // A writer that waits goes on in the thread of the caller that has something for it: waking another thread takes longer than planning a signal.
        woken?.Wake(hasItems: true);
        return true;
    }

    /// <summary>What was announced is here, or will not come.</summary>
    public void NoMoreCome()
    {
        IntakeBatch? woken;
        lock (_lock)
        {
            woken = NextToWake();
            WakeOthers();
        }
        woken?.Wake(hasItems: true);
    }

    /// <summary>The writer is done with what it has and takes the next; false at the end, when nothing more comes.</summary>
    public Task<bool> TakeAsync(IntakeBatch batch)
    {
        lock (_lock)
        {
            StopWaitingFor(batch);
            batch.Clear();
            if (!TryTake(batch))
            {
                if (_isComplete)
                {
                    return Task.FromResult(false);     // what another one has, that one goes on with
                }
                _idle.Push(batch);
                return batch.SleepAsync();
            }
            WakeOthers();
        }
        return Task.FromResult(true);
    }

    /// <summary>
    /// Whatever holds the batch up is not to hold up anything else: all lines but its first one are given back with what was taken from them, and nobody
    /// waits for its end any longer.
    /// </summary>
    public void Part(IntakeBatch batch)
    {
        lock (_lock)
        {
            StopWaitingFor(batch);
            foreach (var line in batch.Lines.Skip(1))
            {
                var back = batch.Items.FindAll(item => item.Line == line);
                line.GiveBack(back);
                _items += back.Count;
                _bytes += back.Sum(item => (long)item.Size);
            }
            batch.KeepFirstLine();
            WakeOthers();
        }
    }

    /// <summary>Nothing more comes in; the writers finish what waits.</summary>
    public void Complete()
    {
        IntakeBatch[] sleeping;
        lock (_lock)
        {
            _isComplete = true;
            WakeOthers();
            sleeping = [.. _idle];
            _idle.Clear();
        }
        foreach (var batch in sleeping)
        {
            batch.Wake(hasItems: false);
        }
    }

    /// <summary>A writer that has nothing to do, if there is enough for it now, with what it takes.</summary>
    private IntakeBatch? NextToWake() => _idle.TryPeek(out var batch) && TryTake(batch) ? _idle.Pop() : null;

    /// <summary>All for whom there is enough, in other threads: this one has something to do itself.</summary>
    private void WakeOthers()
    {
        while (NextToWake() is { } batch)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.Wake(hasItems: true), batch, preferLocal: false);
        }
    }

    private bool TryTake(IntakeBatch batch)
    {
        var (waiting, oldest) = (0, (IntakeLine?)null);
        foreach (var line in _lines)
        {
            if (!line.IsTaken && line.Count > 0)
            {
                waiting += line.Count;
                oldest = oldest is null || line.OldestAt < oldest.OldestAt ? line : oldest;
            }
        }
        if (oldest is null || (_waitedFor > 0 && waiting < Enough))
        {
            return false;
        }
        Take(oldest, batch);
        if (!oldest.Memory.IsTrusted)
        {
            return true;    // reads first and waits for every lock: nobody waits for it
        }
        _waitedFor++;
        batch.IsWaitedFor = true;
        if (waiting >= Plenty)
        {
            return true;
        }
        foreach (var line in _lines)
        {
            if (!line.IsTaken && line.Count > 0 && line.Memory.IsTrusted && batch.HasRoom)
            {
                Take(line, batch);
            }
        }
        return true;
    }

    private void Take(IntakeLine line, IntakeBatch batch)
    {
        var (items, bytes) = batch.Take(line);
        _items -= items;
        _bytes -= bytes;
    }

    private void StopWaitingFor(IntakeBatch batch)
    {
        _waitedFor -= batch.IsWaitedFor ? 1 : 0;
        batch.IsWaitedFor = false;
    }

    private TimeSpan Longest =>
        Interlocked.Read(ref _firstAt) is var first && first != 0 && _time.GetElapsedTime(first) >= WarmUp ? MaxWait : MaxWaitInWarmUp;

    private TimeSpan WaitOf(IntakeLine line) => line.OldestAt is var oldest and not 0 ? _time.GetElapsedTime(oldest) : TimeSpan.Zero;

    private IntakeLine LineOf(IntakeItem item)
    {
        var key = item.Identity.Keys is { Count: > 0 } keys ? keys[0].Key : item.SignalId.ToString();
        return _lines[(int)((uint)HashCode.Combine(item.WorkspaceId, string.GetHashCode(key, StringComparison.Ordinal)) % _lines.Length)];
    }
}
