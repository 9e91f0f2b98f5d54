using SignalHub.Http;

namespace SignalHub.Signals.Intake;

/// <summary>
/// Refuses what would wait too long, before anything is spent on it. A full queue alone is no measure: what takes a tenth of a second on one
/// machine takes seconds on another. So the gate counts the signals in work, learns from the writers how long one takes, and lets nothing more in
/// when both together make a wait longer than <see cref="MaxExpectedWait"/>.
/// </summary>
public sealed class IntakeGate(IntakeQueue queue, TimeProvider time)
{
    /// <summary>With what the estimate may be wrong by, and the signal's own batch, below a second. Eight senders of batches of 100 fit from 2,800 signals/s on.</summary>
    public static readonly TimeSpan MaxExpectedWait = TimeSpan.FromSeconds(0.25);

    /// <summary>
    /// Smaller batches count as if they had so many: a batch of one costs nearly as much as one of ten, so it says little about what a signal
    /// costs in a full one. Taken at its word, a burst after a quiet hour would be refused.
    /// </summary>
    public const int TellingBatch = 64;

    /// <summary>Of the newest batch in the estimate: the last dozen batches make it, some tenths of a second.</summary>
    private const double Newest = 0.25;

    private const int LongestRetryAfterSeconds = 30;

    private readonly Lock _learning = new();
    private double _secondsPerSignal;
    private long _inWork;

    /// <summary>How long a signal that comes now is expected to wait for the ones before it.</summary>
    public TimeSpan ExpectedWait => TimeSpan.FromSeconds(Interlocked.Read(ref _inWork) * Volatile.Read(ref _secondsPerSignal) / queue.Writers);

    /// <summary>Whether a request may come in at all: asked before its body is read, when it is known neither how many signals it has nor when they will be here.</summary>
    public bool IsOpen => ExpectedWait <= MaxExpectedWait && !queue.IsStuck;

    /// <summary>
    /// Lets signals in that are here in full, all of them or none; <see cref="Leave"/> ends it. Those before them count, they themselves do not: a
    /// batch that finds nothing before it goes in on the slowest machine.
    /// </summary>
    public bool TryEnter(int signals)
    {
        if (!IsOpen)
        {
            return false;
        }
        Interlocked.Add(ref _inWork, signals);
        return true;
    }

    /// <summary>They have their answer.</summary>
    public void Leave(int signals) => Interlocked.Add(ref _inWork, -signals);

    /// <summary>When a writer began with what it took: for <see cref="Wrote"/>.</summary>
    public long Begin() => time.GetTimestamp();

    /// <summary>A writer is done with a batch.</summary>
    public void Wrote(int signals, long begun)
    {
        var seconds = time.GetElapsedTime(begun).TotalSeconds / Math.Max(signals, TellingBatch);
        lock (_learning)
        {
            _secondsPerSignal += Newest * (seconds - _secondsPerSignal);
        }
    }

    /// <summary>What is answered then. The longer the wait has become, the later the sender should be back.</summary>
    public Problem Refuse() => new(ProblemCodes.Overloaded, "More signals are waiting than can be stored in time: send this again.")
    {
        RetryAfterSeconds = (int)Math.Clamp(Math.Ceiling(Math.Max(ExpectedWait.TotalSeconds, queue.LongestWait.TotalSeconds)), 1, LongestRetryAfterSeconds),
    };
}
