using System.Collections.Concurrent;

namespace SignalHub.Workspaces;

/// <summary>
/// Admits events under the workspace's limits: never more than so many in any 60 s, nor in a UTC day. Counted in memory at
/// admission; the first use of a workspace in this process reads what is stored of it, and whoever stores events stores their
/// cost with them (<see cref="UsageStore.AddTo"/>), so a restart forgets only what was never stored. Each process counts for
/// itself.
/// </summary>
public sealed class RateLimiter(UsageStore usage, TimeProvider time)
{
    // Far longer than a request lives: what the counter knew is stored by then.
    private static readonly TimeSpan _idle = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<Guid, Lazy<Task<WorkspaceCounter>>> _counters = new();

    /// <summary>Takes room for as many of the events as fit; none of them fit: <see cref="Admission.Problem"/>.</summary>
    public async ValueTask<Admission> ReserveAsync(Guid workspaceId, WorkspaceLimits limits, int events, bool isTest)
    {
        while (true)
        {
            var counter = await CounterAsync(workspaceId);
            if (counter.TryReserve(limits, events, isTest, time.GetUtcNow(), out var admission))
            {
                return admission;
            }
        }
    }

    /// <summary>How the quotas stand; costs nothing.</summary>
    public ValueTask<Admission> LookAsync(Guid workspaceId, WorkspaceLimits limits) => ReserveAsync(workspaceId, limits, events: 0, isTest: false);

    /// <summary>
    /// Gives back what was allowed but not used (duplicates, refusals, failures), to the slot and the day it was taken from.
    /// Answers the quotas as they stand then.
    /// </summary>
    public Admission GiveBack(in Admission admission, int events) =>
        admission.Counter is { } counter ? counter.GiveBack(admission, events, time.GetUtcNow()) : admission;

    /// <summary>Forgets workspaces that have been quiet; answers how many.</summary>
    internal int RetireIdle()
    {
        var unusedSince = time.GetUtcNow() - _idle;
        var retired = 0;
        foreach (var entry in _counters)
        {
            if (entry.Value.IsValueCreated && entry.Value.Value.IsCompletedSuccessfully && entry.Value.Value.Result.TryRetire(unusedSince)
                && _counters.TryRemove(entry))
            {
                retired++;
            }
        }
        return retired;
    }

    private ValueTask<WorkspaceCounter> CounterAsync(Guid workspaceId) =>
        _counters.TryGetValue(workspaceId, out var known) && known.IsValueCreated && known.Value.IsCompletedSuccessfully
            ? new ValueTask<WorkspaceCounter>(known.Value.Result)
            : LoadAsync(workspaceId);

    private async ValueTask<WorkspaceCounter> LoadAsync(Guid workspaceId)
    {
        // Nothing is admitted before the load, so what it finds was not counted here.
        var entry = _counters.GetOrAdd(workspaceId, id => new Lazy<Task<WorkspaceCounter>>(async () =>
        {
            var now = time.GetUtcNow();
            return WorkspaceCounter.Restore(await usage.LoadAsync(id, now, CancellationToken.None), now);
        }));
        try
        {
            return await entry.Value;
        }
        catch
        {
            _counters.TryRemove(KeyValuePair.Create(workspaceId, entry));
            throw;
        }
    }
}
