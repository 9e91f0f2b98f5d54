using System.Collections.Concurrent;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// Tells this node's caches that something of a workspace changed. A change on this node is told at once; changes of other
/// nodes are seen by the loop that polls <c>workspaces.changed_at</c>.
/// </summary>
public sealed class WorkspaceChanges
{
    private readonly List<Action<Guid>> _listeners = [];
    private readonly Lock _lock = new();

    /// <summary>Bumps the workspace's version: to be run inside the transaction that makes the change.</summary>
    public const string BumpSql = "update workspaces set version = version + 1, changed_at = clock_timestamp() where id = @workspace_id";

    /// <summary>The same, as a command of the transaction that is open on the connection.</summary>
    public static async Task BumpAsync(NpgsqlConnection connection, Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(BumpSql, connection);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public void Subscribe(Action<Guid> onChanged)
    {
        lock (_lock)
        {
            _listeners.Add(onChanged);
        }
    }

    /// <summary>To be called after the commit.</summary>
    public void Announce(Guid workspaceId)
    {
        Action<Guid>[] listeners;
        lock (_lock)
        {
            listeners = [.. _listeners];
        }
        foreach (var listener in listeners)
        {
            listener(workspaceId);
        }
    }
}

/// <summary>
/// One immutable snapshot per workspace, loaded when first asked for and dropped when the workspace changes. Loads that overlap
/// share one query; a load that began before a change is never kept.
/// </summary>
public sealed class WorkspaceSnapshots<T> where T : class
{
    // More workspaces than this at once on one node: start over rather than grow without bound.
    private const int MaxWorkspaces = 20_000;

    private readonly ConcurrentDictionary<Guid, Lazy<Task<T>>> _snapshots = new();
    private readonly Func<Guid, CancellationToken, Task<T>> _load;

    public WorkspaceSnapshots(WorkspaceChanges changes, Func<Guid, CancellationToken, Task<T>> load)
    {
        _load = load;
        changes.Subscribe(workspaceId => _snapshots.TryRemove(workspaceId, out _));
    }

    public ValueTask<T> GetAsync(Guid workspaceId)
    {
        if (_snapshots.TryGetValue(workspaceId, out var known) && known.IsValueCreated && known.Value.IsCompletedSuccessfully)
        {
            return new ValueTask<T>(known.Value.Result);
        }
        return LoadAsync(workspaceId);
    }

    /// <summary>Asks the database again: what a node does before it gives a negative answer (unknown type, unknown endpoint).</summary>
    public ValueTask<T> ReloadAsync(Guid workspaceId)
    {
        _snapshots.TryRemove(workspaceId, out _);
        return LoadAsync(workspaceId);
    }

    private async ValueTask<T> LoadAsync(Guid workspaceId)
    {
        if (_snapshots.Count > MaxWorkspaces)
        {
            _snapshots.Clear();
        }
        // Not the caller's token: the others who wait for the same load did not go away.
        var entry = _snapshots.GetOrAdd(workspaceId, id => new Lazy<Task<T>>(() => _load(id, CancellationToken.None)));
        try
        {
            return await entry.Value;
        }
        catch
        {
            _snapshots.TryRemove(new KeyValuePair<Guid, Lazy<Task<T>>>(workspaceId, entry));
            throw;
        }
    }
}
