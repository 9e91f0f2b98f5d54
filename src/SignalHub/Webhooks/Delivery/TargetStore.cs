using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Reads where and how endpoints want their deliveries.</summary>
public sealed class TargetStore(Database database)
{
    private const string Columns = """
        e.workspace_id, e.id, e.url, e.secret, e.previous_secret, e.previous_secret_until, e.signature_header, e.timeout_seconds,
        e.retry_policy, e.schedule, e.max_per_second, e.ordered, e.consecutive_failures, e.format, e.enabled
        """;

    private const string ManySql = $"""
        select {Columns}
          from unnest(@workspaces, @endpoints) as k (workspace_id, id)
          join webhook_endpoints e on e.workspace_id = k.workspace_id and e.id = k.id
        """;

    private const string OneSql = $"select {Columns} from webhook_endpoints e where e.workspace_id = @workspace and e.id = @id";

    /// <summary>The endpoint, enabled or not; null when the workspace has none of that id.</summary>
    public async Task<EndpointTarget?> FindAsync(Guid workspaceId, Guid endpointId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(OneSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", endpointId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    /// <summary>Those of the endpoints that there are, enabled or not.</summary>
    public async Task<IReadOnlyDictionary<EndpointKey, EndpointTarget>> LoadAsync(
        IReadOnlyList<EndpointKey> endpoints, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PlanSettings.ByKey);
        AddTo(batch, endpoints);
        if (database.Prepares)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await ReadAsync(reader, cancellationToken);
    }

    /// <summary>The statement whose result <see cref="ReadAsync"/> takes.</summary>
    internal static void AddTo(NpgsqlBatch batch, IReadOnlyList<EndpointKey> endpoints)
    {
        var parameters = batch.Add(ManySql).Command.Parameters;
        parameters.AddWithValue("workspaces", endpoints.Of(e => e.WorkspaceId));
        parameters.AddWithValue("endpoints", endpoints.Of(e => e.EndpointId));
    }

    internal static async Task<Dictionary<EndpointKey, EndpointTarget>> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var targets = new Dictionary<EndpointKey, EndpointTarget>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var target = Read(reader);
            targets.Add(target.Key, target);
        }
        return targets;
    }

    private static EndpointTarget Read(NpgsqlDataReader reader) => new(
        new EndpointKey(reader.GetGuid(0), reader.GetGuid(1)),
        Url: reader.GetString(2),
        Secret: reader.GetFieldValue<byte[]>(3),
        PreviousSecret: reader.IsDBNull(4) ? null : reader.GetFieldValue<byte[]>(4),
        PreviousSecretUntil: reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5),
        SignatureHeader: reader.GetString(6),
        Timeout: TimeSpan.FromSeconds(reader.GetInt16(7)),
        Schedule: RetrySchedule.Of(reader.GetString(8), reader.IsDBNull(9) ? null : reader.GetFieldValue<int[]>(9)),
        MaxPerSecond: reader.IsDBNull(10) ? null : reader.GetInt32(10),
        Ordered: reader.GetBoolean(11),
        ConsecutiveFailures: reader.GetInt32(12))
    {
        Format = reader.GetString(13),
        IsEnabled = reader.GetBoolean(14),
    };
}
