using System.Data;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// A writer's connection, open from batch to batch with what was sent over it. After a failure it goes back to the pool, and everything kept with it is
/// dropped: a kept command does not notice that its prepared statement has become invalid (a table was altered), a new one does.
/// </summary>
public sealed class KeptConnection(Database database, TimeProvider time) : IAsyncDisposable
{
    // The pool looks at a connection's age (the setting Connection Lifetime) when it lends it.
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(1);

    private long _openedAt;
    private NpgsqlConnection? _connection;
    private KeptBatch? _batch;

    /// <summary>A batch, empty if the one before was left.</summary>
    public async ValueTask<KeptBatch> OpenAsync(CancellationToken cancellationToken)
    {
        if (_connection is not { State: ConnectionState.Open } || time.GetElapsedTime(_openedAt) > _longest)
        {
            await DisposeAsync();
            _connection = await database.OpenWriterAsync(cancellationToken);
            _batch = new KeptBatch(_connection);
            _openedAt = time.GetTimestamp();
        }
        return _batch!;
    }

    /// <summary>The batch is done; one that failed is disposed with all the rest. Its connection stays, unless a pooler is asked for one by whoever prepares nothing on it.</summary>
    public ValueTask LeaveAsync()
    {
        _batch?.Clear();
        return database.Prepares ? ValueTask.CompletedTask : DisposeAsync();
    }

    /// <summary>Leaves the connection to the pool, which knows whether it is still of use.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            (_connection, _batch) = (null, null);
            await connection.DisposeAsync();
        }
    }
}
