using System.Collections.Concurrent;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What one turn told the other nodes.</summary>
/// <param name="Workspaces">How many there was something to tell of.</param>
/// <param name="Failure">Why it could not; null: it could.</param>
public sealed record LedgerTurn(int Workspaces, Exception? Failure);

/// <summary>
/// Admits events under the workspace's limits: all nodes together never more than so many in any 60 s, nor in a UTC day. A node
/// admits in memory what it holds of a limit and asks the ledger in the database for more (<see cref="LedgerExchange"/>); whoever
/// stores events stores their cost with them (<see cref="UsageStore.AddTo"/>), so a restart forgets only what was never stored.
/// </summary>
public sealed class RateLimiter(LedgerExchange exchange, TimeProvider time)
{
    // Far longer than a request lives: what the share knew is stored by then.
    private static readonly TimeSpan _idle = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<Guid, WorkspaceShare> _shares = new();
    private readonly Guid _node = Ids.New(time.GetUtcNow());

    /// <summary>Takes room for as many of the events as fit; none of them fit: <see cref="Admission.Problem"/>.</summary>
    public ValueTask<Admission> ReserveAsync(Guid workspaceId, WorkspaceLimits limits, int events, bool isTest)
    {
        if (limits is { PerMinute: 0, PerDay: 0 })
        {
            return new ValueTask<Admission>(Unlimited(workspaceId, events, isTest));
        }
        return ShareOf(workspaceId).TryReserve(limits, events, isTest, exchange.Uptime, out var admission)
            ? new ValueTask<Admission>(admission)
            : WaitAsync(workspaceId, limits, events, isTest);
    }

    /// <summary>How the quotas stand; costs nothing.</summary>
    public ValueTask<Admission> LookAsync(Guid workspaceId, WorkspaceLimits limits) => ReserveAsync(workspaceId, limits, events: 0, isTest: false);

    /// <summary>
    /// Gives back what was allowed but not used (duplicates, refusals, failures), to the slot and the day it was taken from.
    /// Answers the quotas as they stand then.
    /// </summary>
    public Admission GiveBack(in Admission admission, int events) =>
        admission.Share is { } share ? share.GiveBack(admission, events, exchange.Uptime) : admission;

    /// <summary>Tells the other nodes what this one did, and hands back what it does not need.</summary>
    /// <param name="isLeaving">Hands back everything.</param>
    internal async Task<LedgerTurn> TellAsync(bool isLeaving)
    {
        var at = exchange.Uptime;
        var due = _shares.Where(s => s.Value.TryBegin(at, isLeaving)).Select(s => (s.Key, s.Value)).ToList();
        return new LedgerTurn(due.Count, await exchange.RunAsync(due, isLeaving));
    }

    /// <summary>Forgets workspaces that have been quiet; answers how many.</summary>
    internal int RetireIdle()
    {
        var unusedSince = exchange.Uptime - _idle;
        return _shares.Count(entry => entry.Value.TryRetire(unusedSince) && _shares.TryRemove(entry));
    }

    private WorkspaceShare ShareOf(Guid workspaceId) => _shares.GetOrAdd(workspaceId, static (_, node) => new WorkspaceShare(node), _node);

    private Admission Unlimited(Guid workspaceId, int events, bool isTest)
    {
        if (_shares.TryGetValue(workspaceId, out var share))
        {
            share.Suspend();
        }
        var quota = new Quota(Limit: 0, int.MaxValue, ResetSeconds: 0);
        return new Admission { Requested = events, Allowed = events, IsTest = isTest, Minute = quota, Day = quota };
    }

    private async ValueTask<Admission> WaitAsync(Guid workspaceId, WorkspaceLimits limits, int events, bool isTest)
    {
        while (true)
        {
            var share = ShareOf(workspaceId);
            if (share.Wait(limits, events, isTest, exchange.Uptime, out var mustExchange) is not { } admission)
            {
                _shares.TryRemove(KeyValuePair.Create(workspaceId, share));
                continue;
            }
            if (mustExchange)
            {
                // Goes on for those who come meanwhile; whoever waits hears of a failure.
                _ = exchange.RunAsync([(workspaceId, share)], isLeaving: false);
            }
            return await admission;
        }
    }
}
