using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>One workspace's endpoints, events and deliveries, written as the product writes them.</summary>
internal sealed class DeliveryDatabase : IAsyncDisposable
{
    private readonly SecretProtection _secrets;
    private long _events;

    private DeliveryDatabase(Database database, IDataProtectionProvider keys)
    {
        Database = database;
        Keys = keys;
        _secrets = new SecretProtection(keys);
    }

    public Database Database { get; }

    public IDataProtectionProvider Keys { get; }

    public Guid Workspace { get; } = Ids.New(TimeProvider.System.GetUtcNow());

    /// <summary>1.9 KB of JSON: about what a qualified signal with lead, account and contact has.</summary>
    public static byte[] Body { get; } = Encoding.UTF8.GetBytes("""{"event":"signal.qualified","data":{"context":"~"}}""".Replace("~", new string('x', 1_850), StringComparison.Ordinal));

    public static async Task<DeliveryDatabase> OpenAsync(string connectionString, IDataProtectionProvider keys)
    {
        var opened = new DeliveryDatabase(new Database(connectionString), keys);
        await opened.ExecuteAsync("insert into workspaces (id, name, created_at) values ($1, 'Bench', now())", opened.Workspace);
        return opened;
    }

    public async Task<IReadOnlyList<Guid>> AddEndpointsAsync(int count, string url)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Ids.New(TimeProvider.System.GetUtcNow())).ToArray();
        await ExecuteAsync("""
            insert into webhook_endpoints (workspace_id, id, url, events, secret, signature_header, timeout_seconds, retry_policy, enabled,
                created_at, updated_at)
            select $1, id, $3, '{signal.qualified}', $4, 'X-SignalHub-Signature', 10, 'standard', true, now(), now() from unnest($2) as id
            """, Workspace, ids, url, _secrets.Protect(WebhookSecret.New()));
        return ids;
    }

    /// <summary>One transaction as the intake makes it: an event and its delivery for each of the endpoints. Answers the events' ids.</summary>
    /// <param name="node">The process that makes it, whose dispatcher is asked and woken; null: another one's.</param>
    public async Task<IReadOnlyList<Guid>> QueueAsync(IReadOnlyList<Guid> endpoints, Node? node = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var deliveries = new List<NewDelivery>(endpoints.Count);
        foreach (var endpoint in endpoints)
        {
            var id = Ids.Derive(now, SHA256.HashData(BitConverter.GetBytes(Interlocked.Increment(ref _events))));
            var made = new WebhookEvent(Workspace, id, Ids.InstantOf(id), WebhookEventTypes.SignalQualified, null, null, Body);
            deliveries.Add(new NewDelivery(made, endpoint, NewDelivery.IdOf(id, endpoint), Enabled: true, Ordered: false));
        }
        using var fresh = node?.Dispatcher.Reserve(deliveries);
        await using var connection = await Database.OpenAsync(CancellationToken.None);
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection, transaction);
        OutboxStore.AddTo(batch, [.. deliveries.Select(d => d.Event)], deliveries);
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        fresh?.Send();
        if (fresh?.Count < deliveries.Count)
        {
            node!.Signal.Wake();
        }
        return [.. deliveries.Select(d => d.Event.Id)];
    }

    /// <summary>A backlog that has been due for a day, all of one event.</summary>
    public async Task AddBacklogAsync(Guid endpoint, int count)
    {
        await QueueAsync([endpoint]);
        await ExecuteAsync("""
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at)
            select q.workspace_id, gen_random_uuid(), q.endpoint_id, q.event_id, q.event_type, q.created_at, q.queued_at, now() - interval '1 day'
              from (select * from delivery_queue where endpoint_id = $1 limit 1) q cross join generate_series(2, $2)
            """, endpoint, count);
        await ExecuteAsync("vacuum analyze delivery_queue");
    }

    public Task<long> CountQueuedAsync() => ScalarAsync("select count(*) from delivery_queue");

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    public async Task<long> ScalarAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = Database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        return command;
    }
}
