using System.Data.Common;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>
/// Sees what other nodes changed and tells this node's caches: a revoked key dies here within a second. After the database was
/// away it looks back to the last time it could look.
/// </summary>
public sealed class WorkspaceChangesLoop(WorkspaceChangesStore store, WorkspaceChanges changes, TimeProvider time, ILogger<WorkspaceChangesLoop> log)
    : BackgroundService
{
    /// <summary>Half of the second that a change may take to reach every node.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    // A change is stamped inside its transaction and seen after the commit; management transactions take milliseconds.
    private static readonly TimeSpan _overlap = TimeSpan.FromSeconds(10);

    private Dictionary<Guid, long> _seen = [];
    private DateTimeOffset? _lookedAt;

    /// <summary>One look; answers how many workspaces had changed.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var recent = await store.SinceAsync(_lookedAt, _overlap, cancellationToken);
        var news = recent.Workspaces.Where(w => _seen.GetValueOrDefault(w.WorkspaceId) != w.Version).ToList();
        foreach (var (workspaceId, _) in news)
        {
            changes.Announce(workspaceId);
        }
        // Those that are not among the recent ones any more cannot come back without a new version.
        _seen = recent.Workspaces.ToDictionary(w => w.WorkspaceId, w => w.Version);
        _lookedAt = recent.AsOf;
        return news.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isBlind = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync(stoppingToken);
                isBlind = false;
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                if (!isBlind)
                {
                    log.LogWarning(e, "Changes made by other nodes cannot be read; this node goes on with what it knows");
                }
                isBlind = true;
            }
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
