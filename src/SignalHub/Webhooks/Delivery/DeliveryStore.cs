using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>The queue of pending deliveries beside claims and outcomes: what is sent again, what ends without a try, how deep it is.</summary>
public sealed class DeliveryStore(Database database, TimeProvider clock)
{
    /// <summary>
    /// The endpoints that have rows are found by hopping from one to the next in the index, so this costs by their number
    /// and not by that of the rows. What is in flight is left to its outcome.
    /// </summary>
    private const string EndStoppedSql = """
        with recursive queued as (
            (select workspace_id, endpoint_id from delivery_queue order by workspace_id, endpoint_id limit 1)
            union all
            select n.workspace_id, n.endpoint_id from queued p cross join lateral (
                select q.workspace_id, q.endpoint_id from delivery_queue q
                 where (q.workspace_id, q.endpoint_id) > (p.workspace_id, p.endpoint_id)
                 order by q.workspace_id, q.endpoint_id limit 1) n
        ), stopped as (
            select p.workspace_id, p.endpoint_id from queued p
              left join webhook_endpoints e on e.workspace_id = p.workspace_id and e.id = p.endpoint_id
             where e.enabled is not true
        ), chosen as (
            select q.row from stopped s cross join lateral (
                select q.ctid as row from delivery_queue q
                 where q.workspace_id = s.workspace_id and q.endpoint_id = s.endpoint_id
                   and (q.claims = 0 or q.next_at <= coalesce(@now, now()))
                 order by q.next_at, q.id limit @batch
                   for update skip locked) q
        ), ended as (
            delete from delivery_queue q where q.ctid = any (array(select row from chosen)) returning q.*
        )
        insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            ended_at, state, reason, attempt, step, last_status, last_error)
        select workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            coalesce(@now, now()), @state, @reason, attempt, step, last_status, last_error
          from ended
        """;

    private const string RetrySql = """
        with endpoint as (
            select e.id, e.ordered from deliveries d
              join webhook_endpoints e on e.workspace_id = d.workspace_id and e.id = d.endpoint_id and e.enabled
             where d.workspace_id = @workspace and d.created_at = @created_at and d.id = @id
        ), pending as (
            update delivery_queue q set next_at = coalesce(@now, now()), step = 0, claims = 0, trigger = 'manual'
             where q.workspace_id = @workspace and q.id = @id and (q.claims = 0 or q.next_at <= coalesce(@now, now()))
               and q.endpoint_id = (select id from endpoint)
            returning q.id
        ), ended as (
            delete from delivery_history h
             where h.workspace_id = @workspace and h.created_at = @created_at and h.id = @id and h.endpoint_id = (select id from endpoint)
            returning h.*
        ), moved as (
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
                next_at, attempt, step, trigger, last_status, last_error, ordinal)
            select workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
                coalesce(@now, now()), attempt, 0, 'manual', last_status, last_error,
                case when lead_id is not null and (select ordered from endpoint) then nextval('delivery_ordinals') end
              from ended
            returning id
        )
        select exists (select from pending union all select from moved),
               exists (select from endpoint),
               exists (select from deliveries d where d.workspace_id = @workspace and d.created_at = @created_at and d.id = @id)
        """;

    private const string LookSql = """
        select q.due, q.waiting, q.in_flight, q.oldest, e.enabled, e.failing, e.disabled
          from (select count(*) filter (where next_at <= coalesce(@now, now())) as due,
                       count(*) filter (where next_at > coalesce(@now, now()) and claims = 0) as waiting,
                       count(*) filter (where next_at > coalesce(@now, now()) and claims > 0) as in_flight,
                       greatest(coalesce(extract(epoch from coalesce(@now, now()) - min(next_at)), 0), 0)::float8 as oldest
                  from delivery_queue) q,
               (select count(*) filter (where enabled and consecutive_failures < @opens_at) as enabled,
                       count(*) filter (where enabled and consecutive_failures >= @opens_at) as failing,
                       count(*) filter (where not enabled) as disabled
                  from webhook_endpoints) e
        """;

    /// <summary>
    /// Ends waiting rows of endpoints that are disabled or no longer there as <c>skipped/endpoint_disabled</c>, at most
    /// <paramref name="batchSize"/> for each such endpoint. Their months exist: they are those of the events.
    /// </summary>
    /// <returns>How many ended; 0 means that nothing is left to end now.</returns>
    public async Task<int> EndStoppedAsync(int batchSize, CancellationToken cancellationToken)
    {
        await using var batch = database.Source.CreateBatch();
        batch.Add(PlanSettings.NoJit);
        var end = batch.Add(EndStoppedSql).Command;
        end.Parameters.AddWithValue("batch", batchSize);
        end.Parameters.AddWithValue("state", Ending.EndpointDisabled.State);
        end.Parameters.AddWithValue("reason", Ending.EndpointDisabled.Reason!);
        end.Parameters.Add(SqlArrays.Now(clock));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return (int)end.RecordsAffected;
    }

    /// <summary>
    /// Sends a delivery again under the same ids, from the start of its schedule: an ended one moves back into the queue, a
    /// waiting one stops waiting. Wake the dispatcher afterwards.
    /// </summary>
    public async Task<RetryAnswer> RetryAsync(Guid workspaceId, Guid deliveryId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(RetrySql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", deliveryId);
        command.Parameters.AddWithValue("created_at", Ids.InstantOf(deliveryId));
        AddNow(command);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (moved, enabled, exists) = (reader.GetBoolean(0), reader.GetBoolean(1), reader.GetBoolean(2));
        return !exists ? RetryAnswer.NotFound : !enabled ? RetryAnswer.EndpointDisabled : moved ? RetryAnswer.Queued : RetryAnswer.InFlight;
    }

    /// <summary>The queue as a whole, for those who watch it. Reads all of it, on one core: on all of them, everything else stood still meanwhile.</summary>
    public async Task<QueueState> LookAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.Source.CreateBatch();
        batch.Add(PlanSettings.OneCore);
        var look = batch.Add(LookSql).Command.Parameters;
        look.AddWithValue("opens_at", Breaker.OpensAt);
        look.Add(SqlArrays.Now(clock));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new QueueState(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), TimeSpan.FromSeconds(reader.GetDouble(3)),
            reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6));
    }

    /// <summary>Null in production, so that the database's clock counts for all nodes; a test's own clock otherwise.</summary>
    private void AddNow(NpgsqlCommand command) => command.Parameters.Add(SqlArrays.Now(clock));
}
