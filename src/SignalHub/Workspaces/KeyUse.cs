using System.Collections.Concurrent;

namespace SignalHub.Workspaces;

/// <summary>When keys were used last, gathered here and written together: a request waits for none of it.</summary>
public sealed class KeyUse(ApiKeyStore store)
{
    private ConcurrentDictionary<(Guid WorkspaceId, Guid Id), DateTimeOffset> _uses = new();

    public void Note(StoredKey key, DateTimeOffset now) => _uses[(key.WorkspaceId, key.Id)] = now;

    /// <summary>Writes what was gathered; answers how many keys.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (_uses.IsEmpty)
        {
            return 0;
        }
        // A request that took the old dictionary a moment ago may come too late for the copy: its key's next use counts.
        var uses = Interlocked.Exchange(ref _uses, new()).ToDictionary();
        try
        {
            await store.TouchAsync(uses, cancellationToken);
        }
        catch
        {
            foreach (var (key, usedAt) in uses)
            {
                _uses.TryAdd(key, usedAt);
            }
            throw;
        }
        return uses.Count;
    }
}
