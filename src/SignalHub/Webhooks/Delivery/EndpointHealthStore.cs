using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Writes what outcomes say about endpoints into their rows, and what follows when they keep failing: the breaker's date, the
/// warning, the end. Event and state change are one transaction, that of the outcomes, so each is told once or not at all.
/// </summary>
public sealed class EndpointHealthStore(TimeProvider clock)
{
    /// <summary>
    /// Success after success changes nothing worth a write; <c>last_success_at</c> may be ten seconds behind. Locked in
    /// order, as two nodes do this at the same time. When the breaker opens, the first probe is an interval away.
    /// </summary>
    private const string HealthSql = """
        update webhook_endpoints e
           set consecutive_failures = h.now_failures,
               failed_deliveries = case when h.succeeded then h.failed_deliveries else e.failed_deliveries + h.failed_deliveries end,
               failing_since = case when h.failures = 0 then null
                                    when h.succeeded or e.failing_since is null then h.first_failure_at
                                    else e.failing_since end,
               warned_at = case when h.succeeded then null else e.warned_at end,
               probe_at = case when h.now_failures < @opens_at then null
                               when h.succeeded or e.consecutive_failures < @opens_at then coalesce(@now, now()) + @probe_interval
                               else e.probe_at end,
               last_failure_at = coalesce(h.last_failure_at, e.last_failure_at),
               last_success_at = coalesce(h.last_success_at, e.last_success_at)
          from (select h.*, case when h.succeeded then h.failures else l.consecutive_failures + h.failures end as now_failures
                  from unnest(@workspaces, @endpoints, @succeeded, @failures, @failed, @first_failure, @last_failure, @last_success)
                    as h (workspace_id, id, succeeded, failures, failed_deliveries, first_failure_at, last_failure_at, last_success_at)
                  join webhook_endpoints l on l.workspace_id = h.workspace_id and l.id = h.id
                 where h.failures > 0 or l.consecutive_failures > 0 or l.last_success_at is null
                    or l.last_success_at < h.last_success_at - interval '10 seconds'
                 order by l.workspace_id, l.id
                   for update of l) h
         where e.workspace_id = h.workspace_id and e.id = h.id
        returning e.workspace_id, e.id, e.enabled, coalesce(@now, now()) - e.failing_since, e.failed_deliveries, e.warned_at is not null
        """;

    private const string MarkSql = """
        update webhook_endpoints
           set enabled = enabled and not @disable,
               disabled_reason = case when enabled and @disable then @reason else disabled_reason end,
               disabled_at = case when enabled and @disable then coalesce(@now, now()) else disabled_at end,
               warned_at = coalesce(warned_at, @now, now()), updated_at = case when @disable then coalesce(@now, now()) else updated_at end
         where workspace_id = @workspace and id = @id
        returning url, description, disabled_reason, disabled_at, failing_since, last_success_at, last_failure_at, consecutive_failures,
            failed_deliveries
        """;

    /// <summary>
    /// Tells the nodes' caches. A management transaction locks the workspace before the endpoint, we the other way round: what
    /// is locked is left alone, as its holder tells them too. Should a cache miss it, what it queues ends as skipped anyway.
    /// </summary>
    internal const string AnnounceSql = """
        update workspaces set version = version + 1, changed_at = clock_timestamp()
         where id in (select id from workspaces where id = any (@workspaces) for update skip locked)
        """;

    /// <param name="connection">With the transaction that writes the outcomes.</param>
    /// <param name="health">One row for each endpoint.</param>
    /// <param name="gone">Endpoints that this transaction disabled because they answered 410.</param>
    /// <returns>Whether there are deliveries now that tell of it.</returns>
    public async Task<bool> WriteAsync(
        NpgsqlConnection connection, IReadOnlyList<EndpointHealth> health, IReadOnlyList<EndpointKey> gone, CancellationToken cancellationToken)
    {
        var notices = gone.Select(key => (Key: key, Notice: HealthNotice.Disable, Reason: DisabledReasons.Gone)).ToList();
        if (health.Count > 0)
        {
            notices.AddRange((await UpdateAsync(connection, health, cancellationToken)).Where(n => !gone.Contains(n.Key)));
        }
        var hasNews = false;
        foreach (var (key, notice, reason) in notices)
        {
            hasNews |= await TellAsync(connection, key, notice, reason, cancellationToken);
        }
        if (gone.Count > 0)
        {
            await UnhookAsync(connection, gone, cancellationToken);
        }
        return hasNews;
    }

    /// <summary>A 410 is how a REST hook is given up: it is deleted, and what waits for it ends as that of every deleted endpoint.</summary>
    private static async Task UnhookAsync(NpgsqlConnection connection, IReadOnlyList<EndpointKey> gone, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            delete from webhook_endpoints e using unnest(@workspaces, @ids) as g (workspace_id, id)
             where e.workspace_id = g.workspace_id and e.id = g.id and e.origin = @origin
            """, connection);
        command.Parameters.AddWithValue("workspaces", gone.Select(g => g.WorkspaceId).ToArray());
        command.Parameters.AddWithValue("ids", gone.Select(g => g.EndpointId).ToArray());
        command.Parameters.AddWithValue("origin", EndpointOrigins.Hook);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<List<(EndpointKey Key, HealthNotice Notice, string Reason)>> UpdateAsync(
        NpgsqlConnection connection, IReadOnlyList<EndpointHealth> rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(HealthSql, connection);
        void Add<T>(string name, NpgsqlDbType type, Func<EndpointHealth, T> value) =>
            command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = rows.Select(value).ToArray() });
        Add("workspaces", NpgsqlDbType.Uuid, h => h.Endpoint.WorkspaceId);
        Add("endpoints", NpgsqlDbType.Uuid, h => h.Endpoint.EndpointId);
        Add("succeeded", NpgsqlDbType.Boolean, h => h.Succeeded);
        Add("failures", NpgsqlDbType.Integer, h => h.Failures);
        Add("failed", NpgsqlDbType.Integer, h => h.FailedDeliveries);
        Add("first_failure", NpgsqlDbType.TimestampTz, h => h.FirstFailureAt);
        Add("last_failure", NpgsqlDbType.TimestampTz, h => h.LastFailureAt);
        Add("last_success", NpgsqlDbType.TimestampTz, h => h.LastSuccessAt);
        command.Parameters.AddWithValue("opens_at", Breaker.OpensAt);
        command.Parameters.AddWithValue("probe_interval", Breaker.ProbeInterval);
        command.Parameters.Add(SqlArrays.Now(clock));
        var notices = new List<(EndpointKey, HealthNotice, string)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var failingFor = reader.IsDBNull(3) ? TimeSpan.Zero : reader.GetFieldValue<TimeSpan>(3);
            var notice = Breaker.Judge(failingFor, reader.GetInt32(4), isWarned: reader.GetBoolean(5));
            if (reader.GetBoolean(2) && notice != HealthNotice.None)
            {
                notices.Add((new EndpointKey(reader.GetGuid(0), reader.GetGuid(1)), notice, DisabledReasons.Failing));
            }
        }
        return notices;
    }

    private async Task<bool> TellAsync(
        NpgsqlConnection connection, EndpointKey key, HealthNotice notice, string reason, CancellationToken cancellationToken)
    {
        if (await MarkAsync(connection, key, notice, reason, cancellationToken) is not { } data)
        {
            return false;
        }
        var disables = notice == HealthNotice.Disable;
        if (disables)
        {
            await using var announce = new NpgsqlCommand(AnnounceSql, connection);
            announce.Parameters.AddWithValue("workspaces", new[] { key.WorkspaceId });
            await announce.ExecuteNonQueryAsync(cancellationToken);
        }
        var type = disables ? WebhookEventTypes.EndpointDisabled : WebhookEventTypes.EndpointFailing;
        var made = WebhookEvents.Endpoint(type, key.WorkspaceId, key.EndpointId, clock.GetUtcNow(), data);
        var routes = new List<RoutedEndpoint>();
        EventRouter.Route(await EndpointStore.LoadSetAsync(connection, key.WorkspaceId, cancellationToken), new RoutingInput(type, null, null, null), routes);
        var deliveries = routes.Where(r => r.Endpoint.Id != key.EndpointId).Select(r => NewDelivery.Of(made, r)).ToList();
        if (deliveries.Count > 0)
        {
            await using var batch = new NpgsqlBatch(connection);
            OutboxStore.AddTo(batch, [made], deliveries);
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        return deliveries.Count > 0;
    }

    private async Task<EndpointNotice?> MarkAsync(
        NpgsqlConnection connection, EndpointKey key, HealthNotice notice, string reason, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(MarkSql, connection);
        command.Parameters.AddWithValue("workspace", key.WorkspaceId);
        command.Parameters.AddWithValue("id", key.EndpointId);
        command.Parameters.AddWithValue("disable", notice == HealthNotice.Disable);
        command.Parameters.AddWithValue("reason", reason);
        command.Parameters.Add(SqlArrays.Now(clock));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }
        var failingSince = reader.Instant(4);
        return new EndpointNotice(
            Ids.Text(Ids.Endpoint, key.EndpointId), reader.GetString(0), reader.Text(1),
            reader.Text(2), reader.Instant(3), failingSince, reader.Instant(5), reader.Instant(6), reader.GetInt32(7), reader.GetInt32(8),
            DisablesAt: notice == HealthNotice.Failing ? failingSince + Breaker.DisableAfter : null);
    }
}
