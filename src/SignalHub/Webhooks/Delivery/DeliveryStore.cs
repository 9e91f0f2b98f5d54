using Npgsql;
using SignalHub.Storage;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// The queue of pending deliveries: claim, hand back, end, retry. Statements are planned for each execution on purpose: a
/// plan made when the queue was empty would walk it whole when it is full.
/// </summary>
public sealed class DeliveryStore(Database database, TimeProvider clock)
{
    // An endpoint of which nothing is held gets its turn even when this process is full; so many of them in one claim.
    private const int MinEndpoints = 200;

    /// <summary>
    /// For the rest of the transaction. A deep queue makes these plans look dear although they touch few rows, and compiling
    /// them took 3 s where running them takes one millisecond.
    /// </summary>
    internal const string NoJitSql = "select set_config('jit', 'off', true)";

    /// <summary>The same for a prepared statement that is planned for its values each time.</summary>
    private const string PlanEachTimeSql = "select set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)";

    /// <summary>
    /// For the rest of the transaction: rows that are named by their keys are found by their keys, also in a queue so short that
    /// reading all of it looks cheaper. It is long by the time the plan runs, or full of what vacuum has not taken away.
    /// </summary>
    internal const string ByKeySql = """
        select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true)
        """;

    private const string Target = """
        e.url, e.secret, e.previous_secret, e.previous_secret_until, e.signature_header, e.timeout_seconds, e.retry_policy, e.schedule,
        e.max_per_second, e.ordered, e.consecutive_failures, e.format
        """;

    /// <summary>
    /// Endpoints whose oldest due row waits longest come first, and each takes its share of the room by a sub-select of its
    /// own: a backlog of one costs the others nothing. The rows are taken by ctid, so that no plan can decide to read the
    /// whole queue for them; a row that another claimer changed in between is not visible there and waits for its next turn.
    /// </summary>
    /// <remarks>
    /// Endpoints with an open breaker or a pace pass a gate: their row is locked, so that of all nodes one gets the minute's
    /// probe, and each second is given out once. A row whose gate another claimer holds waits for the next claim. Of an
    /// ordered endpoint only the first row of each lead is looked at: what comes behind it has a smaller one before it.
    /// </remarks>
    private const string ClaimSql = """
        with slots as (
            select * from unnest(@workspaces, @endpoints, @slots) as s (workspace_id, endpoint_id, slots)
        ), heads as (
            select e.workspace_id, e.id, coalesce(s.slots, @others) as slots, e.ordered,
                   e.max_per_second is not null or e.consecutive_failures >= @opens_at as is_gated
              from webhook_endpoints e
              left join slots s on s.workspace_id = e.workspace_id and s.endpoint_id = e.id
             cross join lateral (
                select q.next_at from delivery_queue q
                 where q.workspace_id = e.workspace_id and q.endpoint_id = e.id and q.next_at <= coalesce(@now, now())
                 order by q.next_at, q.id limit 1) head
             where e.enabled and coalesce(s.slots, @others) > 0
               and (e.consecutive_failures < @opens_at or e.probe_at is null or e.probe_at <= coalesce(@now, now()))
             order by head.next_at, e.id
             limit @max_endpoints
        ), turns as (
            select *, least(slots, greatest(1, @room / count(*) over ())) as take from heads
        ), gates as (
            select e.workspace_id, e.id, e.consecutive_failures >= @opens_at as is_open, e.max_per_second,
                   greatest(e.paced_until, coalesce(@now, now())) as paced_from
              from webhook_endpoints e
             where (e.workspace_id, e.id) in (select workspace_id, id from turns where is_gated)
               and (e.consecutive_failures < @opens_at or e.probe_at is null or e.probe_at <= coalesce(@now, now()))
               for update of e skip locked
        ), shares as (
            select t.workspace_id, t.id, t.ordered, least(
                       case when g.is_open then 1 else t.take end,
                       floor(extract(epoch from coalesce(@now, now()) + @ahead - g.paced_from) * g.max_per_second)::integer) as take
              from turns t
              left join gates g on g.workspace_id = t.workspace_id and g.id = t.id
             where g.id is not null or not t.is_gated
        ), due as (
            select s.workspace_id, s.id, q.row from shares s cross join lateral (
                select q.ctid as row from delivery_queue q
                 where q.workspace_id = s.workspace_id and q.endpoint_id = s.id and q.next_at <= coalesce(@now, now())
                   and (not s.ordered or q.ordinal is null or not exists (
                        select from delivery_queue before
                         where before.workspace_id = q.workspace_id and before.endpoint_id = q.endpoint_id
                           and before.lead_id = q.lead_id and before.ordinal < q.ordinal))
                 order by q.next_at, q.id limit greatest(s.take, 0)
                   for update of q skip locked) q
        ), passed as (
            update webhook_endpoints e
               set probe_at = case when g.is_open then coalesce(@now, now()) + @probe_interval else e.probe_at end,
                   paced_until = case when g.max_per_second is null then e.paced_until
                                      else g.paced_from + d.taken * interval '1 second' / g.max_per_second end
              from gates g
              join (select workspace_id, id, count(*) as taken from due group by 1, 2) d on d.workspace_id = g.workspace_id and d.id = g.id
             where e.workspace_id = g.workspace_id and e.id = g.id
        ), claimed as (
            update delivery_queue q
               set next_at = coalesce(@now, now()) + @lease, attempt = q.attempt + 1, claims = q.claims + 1
             where q.ctid = any (array(select row from due))
            returning q.*
        )
        select c.workspace_id, c.endpoint_id, c.id, c.event_id, c.event_type, c.created_at, c.attempt, c.step, c.claims, c.trigger,
               c.signal_id, c.lead_id, c.queued_at, g.paced_from - coalesce(@now, now())
          from claimed c
          left join gates g on g.workspace_id = c.workspace_id and g.id = c.endpoint_id and g.max_per_second is not null
         order by c.queued_at, c.id
        """;

    private const string HandBackSql = """
        update delivery_queue q
           set next_at = coalesce(@now, now()), claims = greatest(q.claims - 1, 0)
          from unnest(@workspaces, @ids, @attempts) as d (workspace_id, id, attempt)
         where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt
        """;

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

    private const string TargetsSql = $"""
        select e.workspace_id, e.id, {Target}
          from unnest(@workspaces, @endpoints) as k (workspace_id, id)
          join webhook_endpoints e on e.workspace_id = k.workspace_id and e.id = k.id
        """;

    // Each event once, for however many endpoints it is.
    private const string BodiesSql = """
        select v.workspace_id, v.id, v.body, v.slack_body, v.traceparent
          from unnest(@workspaces, @created, @events) as k (workspace_id, created_at, id)
          join webhook_events v on v.workspace_id = k.workspace_id and v.created_at = k.created_at and v.id = k.id
        """;

    private const string TargetSql = $"""
        select e.workspace_id, e.id, {Target} from webhook_endpoints e where e.workspace_id = @workspace and e.id = @id
        """;

    /// <summary>Takes due rows for the length of the lease and counts an attempt on each; they are ours when this returns.</summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var rows = await TakeAsync(connection, request, cancellationToken);
        var claimed = rows.Count > 0 ? await LoadAsync(connection, rows, cancellationToken) : [];
        await transaction.CommitAsync(cancellationToken);
        return claimed;
    }

    private async Task<List<ClaimedRow>> TakeAsync(NpgsqlConnection connection, ClaimRequest request, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PlanEachTimeSql);
        var parameters = batch.Add(ClaimSql).Parameters;
        parameters.AddWithValue("workspaces", request.Slots.Keys.Select(k => k.WorkspaceId).ToArray());
        parameters.AddWithValue("endpoints", request.Slots.Keys.Select(k => k.EndpointId).ToArray());
        parameters.AddWithValue("slots", request.Slots.Values.ToArray());
        parameters.AddWithValue("others", request.SlotsOfOthers);
        parameters.AddWithValue("room", Math.Max(0, request.Room));
        parameters.AddWithValue("max_endpoints", Math.Max(MinEndpoints, request.Room));
        parameters.AddWithValue("lease", request.Lease);
        parameters.AddWithValue("ahead", request.Ahead);
        parameters.AddWithValue("opens_at", Breaker.OpensAt);
        parameters.AddWithValue("probe_interval", Breaker.ProbeInterval);
        parameters.Add(SqlArrays.Now(clock));
        if (database.Prepares)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var rows = new List<ClaimedRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new ClaimedRow(
                new EndpointKey(reader.GetGuid(0), reader.GetGuid(1)), Id: reader.GetGuid(2), EventId: reader.GetGuid(3),
                EventType: reader.GetString(4), CreatedAt: reader.GetFieldValue<DateTimeOffset>(5), Attempt: reader.GetInt32(6),
                Step: reader.GetInt32(7), Claims: reader.GetInt16(8), Trigger: reader.GetString(9), SignalId: reader.Id(10),
                LeadId: reader.Id(11), QueuedAt: reader.GetFieldValue<DateTimeOffset>(12),
                PacedFrom: reader.IsDBNull(13) ? null : reader.GetFieldValue<TimeSpan>(13)));
        }
        return rows;
    }

    /// <summary>
    /// With what is sent where: apart from the claim, so that a secret travels once and not with each row, and an event's body
    /// once for all its endpoints. An endpoint that was deleted in between has no target; its rows end with the next sweep.
    /// </summary>
    private async Task<List<ClaimedDelivery>> LoadAsync(NpgsqlConnection connection, List<ClaimedRow> rows, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(ByKeySql);
        var endpoints = rows.Select(r => r.Endpoint).Distinct().ToList();
        var targetKeys = batch.Add(TargetsSql).Parameters;
        targetKeys.AddWithValue("workspaces", endpoints.Of(e => e.WorkspaceId));
        targetKeys.AddWithValue("endpoints", endpoints.Of(e => e.EndpointId));
        var events = rows.DistinctBy(r => (r.Endpoint.WorkspaceId, r.EventId)).ToList();
        var eventKeys = batch.Add(BodiesSql).Parameters;
        eventKeys.AddWithValue("workspaces", events.Of(r => r.Endpoint.WorkspaceId));
        eventKeys.AddWithValue("created", events.Of(r => r.CreatedAt.UtcDateTime));
        eventKeys.AddWithValue("events", events.Of(r => r.EventId));
        if (database.Prepares)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        var targets = new Dictionary<EndpointKey, EndpointTarget>();
        var bodies = new Dictionary<(Guid, Guid), (byte[] Json, byte[]? Slack, string? Traceparent)>(events.Count);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var target = ReadTarget(reader);
            targets.Add(target.Key, target);
        }
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            bodies[(reader.GetGuid(0), reader.GetGuid(1))] =
                (reader.GetFieldValue<byte[]>(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3), reader.Text(4));
        }
        var places = new Dictionary<EndpointKey, int>();
        var claimed = new List<ClaimedDelivery>(rows.Count);
        foreach (var row in rows)
        {
            if (targets.TryGetValue(row.Endpoint, out var target))
            {
                var body = bodies.TryGetValue((row.Endpoint.WorkspaceId, row.EventId), out var stored)
                    ? EndpointFormats.Body(target.Format, row.EventType, stored.Json, stored.Slack)
                    : null;
                claimed.Add(row.For(target, body, StartDelay(row, target, places)) with { Traceparent = stored.Traceparent });
            }
        }
        return claimed;
    }

    /// <summary>The place in the pace of <c>max_per_second</c>; nothing where there is none.</summary>
    private static TimeSpan StartDelay(ClaimedRow row, EndpointTarget target, Dictionary<EndpointKey, int> places)
    {
        if (row.PacedFrom is not { } from || target.MaxPerSecond is not { } rate)
        {
            return TimeSpan.Zero;
        }
        var place = places[row.Endpoint] = places.GetValueOrDefault(row.Endpoint, -1) + 1;
        return from + place * (TimeSpan.FromSeconds(1) / rate);
    }

    /// <summary>
    /// Gives rows back at once, fenced: they are due again, and their place in the schedule is what it was. The attempt
    /// number stays counted, since numbers that a fence has seen are never used again.
    /// </summary>
    /// <returns>How many were still ours.</returns>
    public async Task<int> HandBackAsync(IReadOnlyCollection<ClaimedDelivery> deliveries, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(HandBackSql);
        command.Parameters.AddWithValue("workspaces", deliveries.Select(d => d.Target.Key.WorkspaceId).ToArray());
        command.Parameters.AddWithValue("ids", deliveries.Select(d => d.Id).ToArray());
        command.Parameters.AddWithValue("attempts", deliveries.Select(d => d.Attempt).ToArray());
        AddNow(command);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Ends waiting rows of endpoints that are disabled or no longer there as <c>skipped/endpoint_disabled</c>, at most
    /// <paramref name="batchSize"/> for each such endpoint. Their months exist: they are those of the events.
    /// </summary>
    /// <returns>How many ended; 0 means that nothing is left to end now.</returns>
    public async Task<int> EndStoppedAsync(int batchSize, CancellationToken cancellationToken)
    {
        await using var batch = database.Source.CreateBatch();
        batch.Add(NoJitSql);
        var end = batch.Add(EndStoppedSql);
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

    /// <summary>The queue as a whole, for those who watch it. Reads all of it.</summary>
    public async Task<QueueState> LookAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(LookSql);
        command.Parameters.AddWithValue("opens_at", Breaker.OpensAt);
        AddNow(command);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new QueueState(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), TimeSpan.FromSeconds(reader.GetDouble(3)),
            reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6));
    }

    /// <summary>The endpoint, enabled or not; null when the workspace has none of that id.</summary>
    public async Task<EndpointTarget?> FindTargetAsync(Guid workspaceId, Guid endpointId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(TargetSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", endpointId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? ReadTarget(reader) : null;
    }

    /// <summary>Null in production, so that the database's clock counts for all nodes; a test's own clock otherwise.</summary>
    private void AddNow(NpgsqlCommand command) => command.Parameters.Add(SqlArrays.Now(clock));

    /// <summary>Columns 0 to 13: the two ids and <see cref="Target"/>.</summary>
    private static EndpointTarget ReadTarget(NpgsqlDataReader reader) => new(
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
    };

    /// <summary>A claimed row of the queue.</summary>
    private sealed record ClaimedRow(
        EndpointKey Endpoint, Guid Id, Guid EventId, string EventType, DateTimeOffset CreatedAt, int Attempt, int Step, int Claims,
        string Trigger, Guid? SignalId, Guid? LeadId, DateTimeOffset QueuedAt, TimeSpan? PacedFrom)
    {
        public ClaimedDelivery For(EndpointTarget target, byte[]? body, TimeSpan startDelay) =>
            new(target, Id, EventId, EventType, CreatedAt, Attempt, Step, Claims, Trigger, body)
            {
                SignalId = SignalId,
                LeadId = LeadId,
                QueuedAt = QueuedAt,
                StartDelay = startDelay,
            };
    }
}
