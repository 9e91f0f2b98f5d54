using System.Threading.Channels;

namespace SignalHub.Jobs;

/// <summary>Runs due jobs as long as the process lives. A turn that the end of the process cuts off is rolled back and done again.</summary>
internal sealed class JobLoop(JobRunner runner, JobSignal signal, TimeProvider time, ILogger<JobLoop> log) : BackgroundService
{
    // Half of a job's usual pause, so that its pace is kept.
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await runner.RunOnceAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The database being away: nothing is lost by looking again.
                log.LogWarning("Jobs could not be looked for ({Reason}); the next look is in {Period}", e.GetType().Name, _period);
            }
            await signal.WaitAsync(_period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

/// <summary>Wakes this process's loop after a job was made; other nodes find it by looking.</summary>
public sealed class JobSignal
{
    private readonly Channel<bool> _made =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Wake() => _made.Writer.TryWrite(true);

    internal async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _made.Reader.ReadAsync(either.Token);
    }
}
