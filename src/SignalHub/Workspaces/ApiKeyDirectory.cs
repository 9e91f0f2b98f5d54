using System.Collections.Concurrent;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>
/// Keys by their hash, in memory. A hash that is not known here is asked of the database every time: the key may have been made
/// on another node a moment ago. A change of a workspace drops its keys.
/// </summary>
public sealed class ApiKeyDirectory
{
    // More keys than this in use at once on one node: start over rather than grow without bound.
    private const int MaxKeys = 20_000;

    private readonly ConcurrentDictionary<KeyHash, StoredKey> _keys = new();
    private readonly ApiKeyStore _store;
    private int _changes;

    public ApiKeyDirectory(ApiKeyStore store, WorkspaceChanges changes)
    {
        _store = store;
        changes.Subscribe(Forget);
    }

    /// <summary>The key, also if it was revoked or has expired; null: there is none with that hash.</summary>
    public ValueTask<StoredKey?> FindAsync(KeyHash hash) => _keys.TryGetValue(hash, out var key) ? new ValueTask<StoredKey?>(key) : LoadAsync(hash);

    private async ValueTask<StoredKey?> LoadAsync(KeyHash hash)
    {
        var before = Volatile.Read(ref _changes);
        if (await _store.FindAsync(hash, CancellationToken.None) is not { } key)
        {
            return null;
        }
        if (_keys.Count >= MaxKeys)
        {
            _keys.Clear();
        }
        _keys[hash] = key;
        // Something changed while the answer was on its way: it may be older than the change, and nobody would drop it later.
        if (Volatile.Read(ref _changes) != before)
        {
            _keys.TryRemove(hash, out _);
        }
        return key;
    }

    private void Forget(Guid workspaceId)
    {
        Interlocked.Increment(ref _changes);
        foreach (var (hash, key) in _keys)
        {
            if (key.WorkspaceId == workspaceId)
            {
                _keys.TryRemove(hash, out _);
            }
        }
    }
}
