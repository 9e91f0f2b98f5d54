using System.Threading.Channels;

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

    private readonly Channel<IntakeItem>[] _channels;
    private readonly TimeProvider _time;
    private long _firstAt;
    private long _items;
    private long _bytes;

    public IntakeQueue(TimeProvider time)
    {
        _time = time;
        IntakeMetrics.Watch(this);
        // While one writer's batch is in the database the other one's is being planned: with two, neither side waits for the other.
        _channels = new Channel<IntakeItem>[Math.Max(2, Environment.ProcessorCount / 2)];
        for (var i = 0; i < _channels.Length; i++)
        {
            // One reader takes, but every caller peeks at the oldest. A writer that waits goes on in the thread of the caller that has
            // something for it: waking another thread takes longer than planning a signal.
            _channels[i] = Channel.CreateUnbounded<IntakeItem>(
                new UnboundedChannelOptions { SingleReader = false, AllowSynchronousContinuations = true });
        }
    }

    /// <summary>Signals that wait for a writer.</summary>
    public long Depth => Interlocked.Read(ref _items);

    public int Writers => _channels.Length;

    /// <summary>Whether every writer's oldest one waits for too long already: then none takes anything.</summary>
    public bool IsStuck => _channels.Min(WaitOf) > Longest;

    /// <summary>How long the oldest one of all waits already.</summary>
    public TimeSpan LongestWait => _channels.Max(WaitOf);

    public ChannelReader<IntakeItem> ReaderOf(int writer) => _channels[writer].Reader;

    /// <summary>False when there is no room for it: answer 503.</summary>
    public bool TryEnqueue(IntakeItem item)
    {
        var channel = _channels[WriterOf(item)];
        if (Interlocked.Read(ref _items) >= MaxItems || Interlocked.Read(ref _bytes) + item.Size > MaxBytes
            || WaitOf(channel) > Longest)
        {
            return false;
        }
        item.EnqueuedAt = _time.GetTimestamp();
        Interlocked.CompareExchange(ref _firstAt, item.EnqueuedAt, 0);
        Interlocked.Increment(ref _items);
        Interlocked.Add(ref _bytes, item.Size);
        return channel.Writer.TryWrite(item);
    }

    /// <summary>A writer took it; what it holds itself is bounded by the size of a batch.</summary>
    public void Taken(IntakeItem item)
    {
        Interlocked.Decrement(ref _items);
        Interlocked.Add(ref _bytes, -item.Size);
    }

    /// <summary>Nothing more comes in; the writers finish what waits.</summary>
    public void Complete()
    {
        foreach (var channel in _channels)
        {
            channel.Writer.TryComplete();
        }
    }

    private TimeSpan Longest =>
        Interlocked.Read(ref _firstAt) is var first && first != 0 && _time.GetElapsedTime(first) >= WarmUp ? MaxWait : MaxWaitInWarmUp;

    private TimeSpan WaitOf(Channel<IntakeItem> channel) =>
        channel.Reader.TryPeek(out var oldest) ? _time.GetElapsedTime(oldest.EnqueuedAt) : TimeSpan.Zero;

    private int WriterOf(IntakeItem item)
    {
        var key = item.Identity.Keys is { Count: > 0 } keys ? keys[0].Key : item.SignalId.ToString();
        return (int)((uint)HashCode.Combine(item.WorkspaceId, string.GetHashCode(key, StringComparison.Ordinal)) % _channels.Length);
    }
}
