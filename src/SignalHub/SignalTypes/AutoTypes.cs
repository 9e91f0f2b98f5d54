using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.SignalTypes;

/// <summary>
/// Types that need no declaration: the first signal of one declares it. A workspace has so many and no more, because a sender that
/// puts an id into the type would make as many types as signals.
/// </summary>
public sealed class AutoTypes(
    SignalTypeStore store, AutoTypeStore declarations, WorkspaceSnapshots<SignalTypeSet> types, WorkspaceChanges changes, SignalHubOptions options,
    TimeProvider time)
{
    /// <summary>The type of that key, made if it is not there. Null: there are too many of its kind.</summary>
    /// <param name="sent">What its first signal calls it: its name for people.</param>
    public async Task<SignalType?> DeclareAsync(Guid workspaceId, string key, string sent, bool autoqualify, CancellationToken cancellationToken)
    {
        // Another node may have declared it a moment ago.
        var found = await store.FindAsync(workspaceId, key, cancellationToken);
        if (found is null)
        {
            var most = options.SignalTypes.MaxAuto is var max and > 0 ? max : int.MaxValue;
            if (await declarations.CountAsync(workspaceId, cancellationToken) >= most)
            {
                return null;    // at the cap every further signal comes here: no lock, and nothing written
            }
            var now = Timestamps.Truncate(time.GetUtcNow());
            if (await declarations.DeclareAsync(workspaceId, key, NameOf(key, sent), autoqualify, most, now, cancellationToken))
            {
                changes.Announce(workspaceId);
            }
            found = await store.FindAsync(workspaceId, key, cancellationToken);
            if (found is null)
            {
                return null;
            }
        }
        else
        {
            await types.ReloadAsync(workspaceId);
        }
        return SignalTypeSet.Build([found]).Find(key);
    }

    /// <summary>The type of that key as its first signal would declare it, which nothing is written of.</summary>
    public async Task<SignalType> PretendAsync(Guid workspaceId, string key, string sent, bool autoqualify, CancellationToken cancellationToken)
    {
        var now = Timestamps.Truncate(time.GetUtcNow());
        var type = await store.FindAsync(workspaceId, key, cancellationToken)
            ?? new StoredSignalType(key, NameOf(key, sent), null, SignalTypeOrigin.Auto, autoqualify, Enabled: true, [], now, now);
        return SignalTypeSet.Build([type]).Find(key)!;
    }

    private static string NameOf(string key, string sent) => sent.Length <= SignalTypeBody.MaxNameLength ? sent : key;
}
