using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using SignalHub.Storage;

namespace SignalHub.Signals.Intake;

/// <summary>
/// What waits for a writer. Bounded three ways, whatever the <see cref="IntakeGate"/> expects: rows, bytes, and the age of the oldest
/// one. Signals about one person go to one writer, so that writers do not wait for each other.
/// </summary>
public sealed class IntakeQueue
{
    /// <summary>Signals that may wait: more than a second of work on a small machine; the gate closes long before.</summary>
    public const int MaxItems = 8_192;

    /// <summary>Bytes that may wait.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    /// <summary>When the oldest one has waited this long, the writers are not keeping up (or the database is away).</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(0.5);

    /// <summary>So long after its first signal a process still compiles what it runs: slow writers say nothing about the database yet.</summary>
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>What the oldest one may wait meanwhile.</summary>
    public static readonly TimeSpan MaxWaitInWarmUp = TimeSpan.FromSeconds(5);

    private readonly Line[] _lines;
    private readonly TimeProvider _time;
    private long _firstAt;
    private long _items;
    private long _bytes;

    public IntakeQueue(TimeProvider time)
    {
        _time = time;
        IntakeMetrics.Watch(this);
        // While one writer's batch is in the database the other one's is being planned: with two, neither side waits for the other.
        _lines = new Line[Database.Writers];
        for (var i = 0; i < _lines.Length; i++)
        {
            _lines[i] = new Line();
        }
    }

    /// <summary>Signals that wait for a writer.</summary>
    public long Depth => Interlocked.Read(ref _items);

    public int Writers => _lines.Length;

    /// <summary>Whether every writer's oldest one waits for too long already: then none takes anything.</summary>
    public bool IsStuck => _lines.Min(WaitOf) > Longest;

    /// <summary>How long the oldest one of all waits already.</summary>
    public TimeSpan LongestWait => _lines.Max(WaitOf);

    /// <summary>Waits until there is something for that writer; false at the end, when nothing more comes.</summary>
    public ValueTask<bool> WaitAsync(int writer) => _lines[writer].Waiting.Reader.WaitToReadAsync();

    /// <summary>False when there is no room for it: answer 503.</summary>
    public bool TryEnqueue(IntakeItem item)
    {
        var line = _lines[WriterOf(item)];
        if (Interlocked.Read(ref _items) >= MaxItems || Interlocked.Read(ref _bytes) + item.Size > MaxBytes
            || WaitOf(line) > Longest)
        {
            return false;
        }
        item.EnqueuedAt = _time.GetTimestamp();
        Interlocked.CompareExchange(ref _firstAt, item.EnqueuedAt, 0);
        Interlocked.Increment(ref _items);
        Interlocked.Add(ref _bytes, item.Size);
        return line.TryAdd(item);
    }

    /// <summary>The oldest one of those that wait for the writer; what it holds itself is bounded by the size of a batch.</summary>
    public bool TryTake(int writer, [NotNullWhen(true)] out IntakeItem? item)
    {
        if (!_lines[writer].TryTake(out item))
        {
            return false;
        }
        Interlocked.Decrement(ref _items);
        Interlocked.Add(ref _bytes, -item.Size);
        return true;
    }

    /// <summary>Nothing more comes in; the writers finish what waits.</summary>
    public void Complete()
    {
        foreach (var line in _lines)
        {
            line.Waiting.Writer.TryComplete();
        }
    }

    private TimeSpan Longest =>
        Interlocked.Read(ref _firstAt) is var first && first != 0 && _time.GetElapsedTime(first) >= WarmUp ? MaxWait : MaxWaitInWarmUp;

    private TimeSpan WaitOf(Line line) => line.OldestAt is var oldest and not 0 ? _time.GetElapsedTime(oldest) : TimeSpan.Zero;

    private int WriterOf(IntakeItem item)
    {
        var key = item.Identity.Keys is { Count: > 0 } keys ? keys[0].Key : item.SignalId.ToString();
        return (int)((uint)HashCode.Combine(item.WorkspaceId, string.GetHashCode(key, StringComparison.Ordinal)) % _lines.Length);
    }

    /// <summary>What waits for one writer.</summary>
    private sealed class Line
    {
        private int _count;
        private long _oldestAt;

        // A writer that waits goes on in the thread of the caller that has something for it: waking another thread takes longer than
        // planning a signal.
        public Channel<IntakeItem> Waiting { get; } = Channel.CreateUnbounded<IntakeItem>(
            new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = true });

        /// <summary>
        /// Since when the oldest one waits, within the gap to its neighbour; 0: none does. Not asked of the channel: once it has been looked into, it keeps every
        /// item that passes through, in a chain that only a collection of older generations cuts (pauses of 30 ms instead of 3).
        /// </summary>
        public long OldestAt => Volatile.Read(ref _oldestAt);

        public bool TryAdd(IntakeItem item)
        {
            Interlocked.Increment(ref _count);
            Interlocked.CompareExchange(ref _oldestAt, item.EnqueuedAt, 0);
            return Waiting.Writer.TryWrite(item);
        }

        public bool TryTake([NotNullWhen(true)] out IntakeItem? item)
        {
            if (!Waiting.Reader.TryRead(out item))
            {
                return false;
            }
            // The next one came later than this one.
            Interlocked.Exchange(ref _oldestAt, Interlocked.Decrement(ref _count) == 0 ? 0 : item.EnqueuedAt);
            if (Volatile.Read(ref _count) > 0)
            {
                Interlocked.CompareExchange(ref _oldestAt, item.EnqueuedAt, 0);     // it came in between
            }
            return true;
        }
    }
}
