using System.Data.Common;

namespace SignalHub.Workspaces;

/// <summary>What one turn removed.</summary>
/// <param name="Retired">Counters of workspaces that have been quiet, from memory.</param>
/// <param name="DeletedSlots">Rows of usage that no window reaches.</param>
/// <param name="DeletedLedgers">Of workspaces that have been quiet on every node.</param>
public sealed record UsageCleanup(int Retired, int DeletedSlots, int DeletedLedgers);

/// <summary>Adds up the records of usage and keeps them small.</summary>
public sealed class UsageLoop(RateLimiter limiter, UsageStore store, UsageLedgerStore ledgers, TimeProvider time, ILogger<UsageLoop> log)
    : BackgroundService
{
    // Adding up takes some 6 µs a row of one processor; ten seconds of an overload are 50,000 rows, and whatever comes then waits for them.
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(2);

    private const int TurnsForCleanup = 5;

    // Ten windows: clocks of nodes may differ, and a look at what happened minutes ago still finds something.
    private static readonly TimeSpan _kept = TimeSpan.FromMinutes(10);

    public async Task<UsageCleanup> RunOnceAsync(CancellationToken cancellationToken)
    {
        await store.AddUpAsync(cancellationToken);
        var oldest = time.GetUtcNow() - _kept;
        return new UsageCleanup(limiter.RetireIdle(), await store.DeleteSlotsBeforeAsync(oldest, cancellationToken),
            await ledgers.DeleteUnwrittenSinceAsync(oldest, cancellationToken));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var turn = 1; !stoppingToken.IsCancellationRequested; turn++)
        {
            await Task.Delay(_interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await (turn % TurnsForCleanup == 0 ? RunOnceAsync(CancellationToken.None) : store.AddUpAsync(CancellationToken.None));
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning(e, "Records of usage could not be added up and removed");
            }
        }
    }
}
