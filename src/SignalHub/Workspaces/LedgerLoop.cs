namespace SignalHub.Workspaces;

/// <summary>Tells the other nodes each second what this one did, in one exchange for all workspaces; at the end hands back what it holds.</summary>
public sealed class LedgerLoop(RateLimiter limiter, TimeProvider time, ILogger<LedgerLoop> log) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private bool _isCut;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await TellAsync(isLeaving: stoppingToken.IsCancellationRequested);
        }
    }

    private async Task TellAsync(bool isLeaving)
    {
        var turn = await limiter.TellAsync(isLeaving);
        if (turn.Failure is { } failure && !_isCut)
        {
            log.LogWarning(failure, "Usage could not be told to other nodes; until it can be, nothing is admitted to workspaces with limits");
        }
        // A turn without anything to tell does not know.
        _isCut = turn.Workspaces == 0 ? _isCut : turn.Failure is not null;
    }
}
