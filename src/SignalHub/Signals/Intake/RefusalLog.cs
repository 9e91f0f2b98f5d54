namespace SignalHub.Signals.Intake;

/// <summary>One line a second for all that is refused before the request log: ten thousand a second would say no more, and cost more than the refusals.</summary>
public sealed class RefusalLog(TimeProvider time, ILogger<RefusalLog> log)
{
    private static readonly TimeSpan _between = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _count;
    private long? _written;

    /// <summary>A request was refused.</summary>
    public void Count()
    {
        long count;
        lock (_gate)
        {
            _count++;
            var now = time.GetTimestamp();
            if (_written is { } written && time.GetElapsedTime(written, now) < _between)
            {
                return;
            }
            (count, _count, _written) = (_count, 0, now);
        }
        log.LogWarning("{Count} requests with signals were refused since the last such line: more are waiting than can be stored in time", count);
    }
}
