using System.Data;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>A writer's connection, open from batch to batch with what was sent over it; after a failure there is another one.</summary>
public sealed class KeptConnection(Database database) : IAsyncDisposable
{
    private NpgsqlConnection? _connection;
    private KeptBatch? _batch;

    /// <summary>An empty batch.</summary>
    public async ValueTask<KeptBatch> OpenAsync(CancellationToken cancellationToken)
    {
        if (_connection is not { State: ConnectionState.Open })
        {
            await DisposeAsync();
            _connection = await database.OpenWriterAsync(cancellationToken);
            _batch = new KeptBatch(_connection);
        }
        _batch!.Clear();
        return _batch;
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
