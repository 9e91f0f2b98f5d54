using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Takes due rows of the queue for a while, and gives back what was not used. Statements are planned for each execution on
/// purpose: a plan made when the queue was empty would walk it whole when it is full.
/// </summary>
public sealed class ClaimStore(Database database, TimeProvider clock)
{
    // An endpoint of which nothing is held gets its turn even when this process is full; so many of them in one claim.
    private const int MinEndpoints = 200;

    /// <summary>
    /// Endpoints whose oldest due row waits longest come first, and each takes its share of the room by a sub-select of its
    /// own: a backlog of one costs the others nothing. The rows are taken by ctid, so that no plan can decide to read the
    /// whole queue for them; a row that another claimer changed in between is not visible there and waits for its next turn.
    /// </summary>
    /// <remarks>
    /// Endpoints with an open breaker or a pace pass a gate: their row is locked, so that of all nodes one gets the minute's
    /// probe, and each second is given out once. A row whose gate another claimer holds waits for the next claim. Of an
    /// ordered endpoint only the first row of each lead is looked at: what comes behind it has a smaller one before it.
    ///
    /// A claim begins where the claimer's last one ended (floor). What lies before is dead, and as long as any session's snapshot may see
    /// it, nobody clears it away: without a floor each claim walks through all that has been delivered since. What is ordered has
    /// none, as it leaves rows behind.
    /// </remarks>
    private const string ClaimSql = """
        with slots as (
            select * from unnest(@workspaces, @endpoints, @slots, @floors) as s (workspace_id, endpoint_id, slots, floor)
        ), heads as (
            select e.workspace_id, e.id, coalesce(s.slots, @others) as slots, e.ordered, f.floor,
                   e.max_per_second is not null or e.consecutive_failures >= @opens_at as is_gated
              from webhook_endpoints e
              left join slots s on s.workspace_id = e.workspace_id and s.endpoint_id = e.id
             cross join lateral (select coalesce(case when not e.ordered then s.floor end, '-infinity') as floor) f
             cross join lateral (
                select q.next_at from delivery_queue q
                 where q.workspace_id = e.workspace_id and q.endpoint_id = e.id and q.next_at <= coalesce(@now, now())
                   and q.next_at >= f.floor
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
            select t.workspace_id, t.id, t.ordered, t.floor, least(
                       case when g.is_open then 1 else t.take end,
                       floor(extract(epoch from coalesce(@now, now()) + @ahead - g.paced_from) * g.max_per_second)::integer) as take
              from turns t
              left join gates g on g.workspace_id = t.workspace_id and g.id = t.id
             where g.id is not null or not t.is_gated
        ), due as (
            select s.workspace_id, s.id, q.row, q.next_at from shares s cross join lateral (
                select q.ctid as row, q.next_at from delivery_queue q
                 where q.workspace_id = s.workspace_id and q.endpoint_id = s.id and q.next_at <= coalesce(@now, now())
                   and q.next_at >= s.floor
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
               c.signal_id, c.lead_id, c.queued_at, case when g.max_per_second is not null then g.paced_from - coalesce(@now, now()) end,
               coalesce(g.is_open, false), u.up_to
          from claimed c
          join (select workspace_id, id, max(next_at) as up_to from due group by 1, 2) u on u.workspace_id = c.workspace_id and u.id = c.endpoint_id
          left join gates g on g.workspace_id = c.workspace_id and g.id = c.endpoint_id
         order by c.queued_at, c.id
        """;

    private const string HandBackSql = """
        update delivery_queue q
           set next_at = coalesce(@now, now()), claims = greatest(q.claims - 1, 0)
          from unnest(@workspaces, @ids, @attempts) as d (workspace_id, id, attempt)
         where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt
        """;

    // Each event once, for however many endpoints it is.
    private const string BodiesSql = """
        select v.workspace_id, v.id, v.body, v.slack_body, v.traceparent
          from unnest(@workspaces, @created, @events) as k (workspace_id, created_at, id)
          join webhook_events v on v.workspace_id = k.workspace_id and v.created_at = k.created_at and v.id = k.id
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
        batch.Add(PlanSettings.EachTime);
        var parameters = batch.Add(ClaimSql).Command.Parameters;
        parameters.AddWithValue("workspaces", request.Slots.Keys.Select(k => k.WorkspaceId).ToArray());
        parameters.AddWithValue("endpoints", request.Slots.Keys.Select(k => k.EndpointId).ToArray());
        parameters.AddWithValue("slots", request.Slots.Values.ToArray());
        parameters.Add(new NpgsqlParameter("floors", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz)
        {
            Value = request.Slots.Keys.Select(k => request.Floors.TryGetValue(k, out var floor) ? floor.UtcDateTime : (DateTime?)null).ToArray(),
        });
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
                PacedFrom: reader.IsDBNull(13) ? null : reader.GetFieldValue<TimeSpan>(13),
                IsProbe: reader.GetBoolean(14), ClaimedUpTo: reader.GetFieldValue<DateTimeOffset>(15)));
        }
        return rows;
    }

    /// <summary>
    /// With what is sent where: apart from the claim, so that a secret travels once and not with each row, and an event's body
    /// once for all its endpoints. Rows of an endpoint that was deleted in between have no target: they are given back, and end with the
    /// next sweep.
    /// </summary>
    private async Task<List<ClaimedDelivery>> LoadAsync(NpgsqlConnection connection, List<ClaimedRow> rows, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PlanSettings.ByKey);
        TargetStore.AddTo(batch, [.. rows.Select(r => r.Endpoint).Distinct()]);
        var events = rows.DistinctBy(r => (r.Endpoint.WorkspaceId, r.EventId)).ToList();
        var eventKeys = batch.Add(BodiesSql).Command.Parameters;
        eventKeys.AddWithValue("workspaces", events.Of(r => r.Endpoint.WorkspaceId));
        eventKeys.AddWithValue("created", events.Of(r => r.CreatedAt.UtcDateTime));
        eventKeys.AddWithValue("events", events.Of(r => r.EventId));
        if (database.Prepares)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        Dictionary<EndpointKey, EndpointTarget> targets;
        var bodies = new Dictionary<(Guid, Guid), (byte[] Json, byte[]? Slack, string? Traceparent)>(events.Count);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            targets = await TargetStore.ReadAsync(reader, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                bodies[(reader.GetGuid(0), reader.GetGuid(1))] =
                    (reader.GetFieldValue<byte[]>(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3), reader.Text(4));
            }
        }
        List<HeldRow> orphans = [.. rows.Where(r => !targets.ContainsKey(r.Endpoint)).Select(r => new HeldRow(r.Endpoint, r.Id, r.Attempt, 0))];
        if (orphans.Count > 0)
        {
            await using var handBack = new NpgsqlCommand(HandBackSql, connection);
            await HandBackAsync(handBack, orphans, cancellationToken);
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
    public async Task<int> HandBackAsync(IReadOnlyList<HeldRow> rows, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(HandBackSql);
        return await HandBackAsync(command, rows, cancellationToken);
    }

    private Task<int> HandBackAsync(NpgsqlCommand command, IReadOnlyList<HeldRow> rows, CancellationToken cancellationToken)
    {
        command.Parameters.AddWithValue("workspaces", rows.Of(r => r.Endpoint.WorkspaceId));
        command.Parameters.AddWithValue("ids", rows.Of(r => r.Id));
        command.Parameters.AddWithValue("attempts", rows.Of(r => r.Attempt));
        command.Parameters.Add(SqlArrays.Now(clock));
        return command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A claimed row of the queue.</summary>
    private sealed record ClaimedRow(
        EndpointKey Endpoint, Guid Id, Guid EventId, string EventType, DateTimeOffset CreatedAt, int Attempt, int Step, int Claims,
        string Trigger, Guid? SignalId, Guid? LeadId, DateTimeOffset QueuedAt, TimeSpan? PacedFrom, bool IsProbe, DateTimeOffset ClaimedUpTo)
    {
        public ClaimedDelivery For(EndpointTarget target, byte[]? body, TimeSpan startDelay) =>
            new(target, Id, EventId, EventType, CreatedAt, Attempt, Step, Claims, Trigger, body)
            {
                SignalId = SignalId,
                LeadId = LeadId,
                QueuedAt = QueuedAt,
                StartDelay = startDelay,
                IsProbe = IsProbe,
                ClaimedUpTo = ClaimedUpTo,
            };
    }
}
