using Npgsql;
using NpgsqlTypes;
using SignalHub.Jobs;
using SignalHub.Storage;

namespace SignalHub.Operations.Replay;

/// <summary>An event that an endpoint would get and has no delivery of.</summary>
/// <param name="Body">To be stored first; null: the event is stored already.</param>
internal sealed record MissingDelivery(Guid EventId, Guid DeliveryId, string EventType, Guid SignalId, Guid? LeadId, byte[]? Body);

/// <summary>Moves ended deliveries back into the queue and adds missing ones, each turn in one transaction with the job's progress.</summary>
internal sealed class ReplayStore(Database database, TimeProvider clock)
{
    // What was erased has no body and cannot be sent; a test was for whoever asked for it.
    private const string Chosen = """
          from delivery_history h
          join webhook_events v on v.workspace_id = h.workspace_id and v.created_at = h.created_at and v.id = h.event_id
         where h.workspace_id = @workspace and h.endpoint_id = @endpoint and h.created_at >= @since and h.created_at < @until
           and h.state = any (@states) and h.event_type <> 'test'
           and (@type::text is null or exists (
                select from signals s
                 where s.workspace_id = h.workspace_id and s.id = h.signal_id and s.type_key = @type
                   and s.occurred_at >= id_instant(h.signal_id) and s.occurred_at < id_instant(h.signal_id) + interval '1 millisecond'))
        """;

    private const string CountSql = $"select h.state, count(*) {Chosen} group by h.state";

    // An ordered endpoint gets what is sent again in the order in which the events were written, after what waits already.
    private const string Endpoint = "endpoint as (select ordered from webhook_endpoints where workspace_id = @workspace and id = @endpoint)";

    private const string MoveSql = $"""
        with {Endpoint}, chosen as (
            select h.created_at, coalesce(v.ordinal, 0) as place, h.id
            {Chosen} and h.created_at >= @after_at
               and (h.created_at, coalesce(v.ordinal, 0), h.id) > (@after_at, @after_place, @after_id)
             order by h.created_at, coalesce(v.ordinal, 0), h.id limit @batch
               for update of h
        ), ended as (
            delete from delivery_history h using chosen c
             where h.workspace_id = @workspace and h.created_at = c.created_at and h.id = c.id
            returning h.*, c.place
        ), moved as (
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
                next_at, attempt, step, trigger, last_status, last_error, ordinal)
            select workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at,
                coalesce(@now, now()), attempt, 0, 'replay', last_status, last_error,
                case when lead_id is not null and (select ordered from endpoint) then nextval('delivery_ordinals') end
              from (select * from ended order by created_at, place, id) e
        )
        select created_at, place, id from ended order by created_at desc, place desc, id desc
        """;

    private const string KnownSql = """
        select k.id, v.id is not null, v.lead_id,
               exists (select from delivery_queue q where q.workspace_id = @workspace and q.id = k.delivery_id)
               or exists (select from delivery_history h where h.workspace_id = @workspace and h.created_at = k.created_at and h.id = k.delivery_id)
          from unnest(@created, @events, @deliveries) as k (created_at, id, delivery_id)
          left join webhook_events v on v.workspace_id = @workspace and v.created_at = k.created_at and v.id = k.id
        """;

    private const string AddEventsSql = """
        insert into webhook_events (workspace_id, created_at, id, type, signal_id, lead_id, body)
        select @workspace, * from unnest(@created, @events, @types, @signals, @leads, @bodies)
        on conflict do nothing
        """;

    private const string AddDeliveriesSql = $"""
        with {Endpoint}
        insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at, queued_at, next_at, trigger,
            ordinal)
        select @workspace, d.id, @endpoint, d.event_id, d.type, d.signal_id, d.lead_id, d.created_at, coalesce(@now, now()), coalesce(@now, now()), 'replay',
            case when d.lead_id is not null and (select ordered from endpoint) then nextval('delivery_ordinals') end
          from (select d.* from unnest(@deliveries, @events, @types, @signals, @leads, @created)
                    as d (id, event_id, type, signal_id, lead_id, created_at)
                  join webhook_events v on v.workspace_id = @workspace and v.created_at = d.created_at and v.id = d.event_id
                 order by d.created_at, v.ordinal nulls first, d.id) d
        on conflict do nothing
        returning id
        """;

    // Asked after the insert, which waited for whoever was just ending the same delivery: one place at any time.
    private const string DropEndedSql = """
        delete from delivery_queue q
         where q.workspace_id = @workspace and q.id = any (@deliveries)
           and exists (select from delivery_history h where h.workspace_id = q.workspace_id and h.created_at = q.created_at and h.id = q.id)
        """;

    /// <summary>Ended deliveries of the replay by state.</summary>
    public async Task<Dictionary<string, long>> CountEndedAsync(Guid workspaceId, Guid endpointId, ReplayRequest request, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(CountSql);
        AddRequest(command, workspaceId, endpointId, request);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            counts.Add(reader.GetString(0), reader.GetInt64(1));
        }
        return counts;
    }

    /// <summary>One turn over the ended deliveries. False: the turn is no longer ours, nothing was written.</summary>
    public async Task<bool> MoveEndedAsync(
        Job job, Guid endpointId, ReplayRequest request, ReplayPosition position, int batch, Func<int, ReplayPosition, JobTurn> turn,
        CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (moved, last) = (0, position);
        await using (var command = new NpgsqlCommand(MoveSql, connection))
        {
            AddRequest(command, job.WorkspaceId, endpointId, request);
            command.Parameters.AddWithValue("after_at", position.At);
            command.Parameters.AddWithValue("after_place", position.Place);
            command.Parameters.AddWithValue("after_id", position.Id);
            command.Parameters.AddWithValue("batch", batch);
            command.Parameters.Add(SqlArrays.Now(clock));
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            for (; await reader.ReadAsync(cancellationToken); moved++)
            {
                last = moved == 0 ? position with { At = reader.GetFieldValue<DateTimeOffset>(0), Place = reader.GetInt64(1), Id = reader.GetGuid(2) } : last;
            }
        }
        return await EndTurnAsync(connection, transaction, job, turn(moved, last), cancellationToken);
    }

    /// <summary>Of those events: which are stored, for which lead, and which of them have a delivery to the endpoint already.</summary>
    public async Task<IReadOnlyDictionary<Guid, (bool IsStored, Guid? LeadId, bool HasDelivery)>> KnownAsync(
        Guid workspaceId, IReadOnlyCollection<(Guid EventId, Guid DeliveryId)> wanted, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(KnownSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("created", wanted.Select(w => Ids.InstantOf(w.EventId).UtcDateTime).ToArray());
        command.Parameters.AddWithValue("events", wanted.Select(w => w.EventId).ToArray());
        command.Parameters.AddWithValue("deliveries", wanted.Select(w => w.DeliveryId).ToArray());
        var known = new Dictionary<Guid, (bool, Guid?, bool)>(wanted.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            known[reader.GetGuid(0)] = (reader.GetBoolean(1), reader.Id(2), reader.GetBoolean(3));
        }
        return known;
    }

    /// <summary>One turn over the missing deliveries. False: the turn is no longer ours, nothing was written.</summary>
    public async Task<bool> AddMissingAsync(
        Job job, Guid endpointId, IReadOnlyList<MissingDelivery> missing, Func<int, JobTurn> turn, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var added = 0;
        if (missing.Count > 0)
        {
            await using var events = Rows(AddEventsSql, connection, job.WorkspaceId, [.. missing.Where(m => m.Body is not null)]);
            await events.ExecuteNonQueryAsync(cancellationToken);
            await using var deliveries = Rows(AddDeliveriesSql, connection, job.WorkspaceId, missing);
            deliveries.Parameters.AddWithValue("endpoint", endpointId);
            deliveries.Parameters.Add(SqlArrays.Now(clock));
            var inserted = new List<Guid>();
            await using (var reader = await deliveries.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    inserted.Add(reader.GetGuid(0));
                }
            }
            await using var drop = new NpgsqlCommand(DropEndedSql, connection);
            drop.Parameters.AddWithValue("workspace", job.WorkspaceId);
            drop.Parameters.AddWithValue("deliveries", inserted.ToArray());
            added = inserted.Count - await drop.ExecuteNonQueryAsync(cancellationToken);
        }
        return await EndTurnAsync(connection, transaction, job, turn(added), cancellationToken);
    }

    /// <summary>Ends the job without doing anything more.</summary>
    public async Task EndAsync(Job job, JobTurn turn, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await JobStore.WriteTurnAsync(connection, job, turn, clock, cancellationToken);
    }

    private async Task<bool> EndTurnAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Job job, JobTurn turn, CancellationToken cancellationToken)
    {
        if (!await JobStore.WriteTurnAsync(connection, job, turn, clock, cancellationToken))
        {
            return false;
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static void AddRequest(NpgsqlCommand command, Guid workspaceId, Guid endpointId, ReplayRequest request)
    {
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("endpoint", endpointId);
        command.Parameters.AddWithValue("since", request.Since);
        command.Parameters.AddWithValue("until", request.Until);
        command.Parameters.AddWithValue("states", request.States.ToArray());
        command.Parameters.Add(new NpgsqlParameter("type", NpgsqlDbType.Text) { Value = (object?)request.SignalType ?? DBNull.Value });
    }

    private static NpgsqlCommand Rows(string sql, NpgsqlConnection connection, Guid workspaceId, IReadOnlyList<MissingDelivery> rows)
    {
        var command = new NpgsqlCommand(sql, connection);
        void Add(string name, NpgsqlDbType type, object values) =>
            command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = values });
        command.Parameters.AddWithValue("workspace", workspaceId);
        Add("created", NpgsqlDbType.TimestampTz, rows.Of(r => Ids.InstantOf(r.EventId).UtcDateTime));
        Add("events", NpgsqlDbType.Uuid, rows.Of(r => r.EventId));
        Add("deliveries", NpgsqlDbType.Uuid, rows.Of(r => r.DeliveryId));
        Add("types", NpgsqlDbType.Text, rows.Of(r => r.EventType));
        Add("signals", NpgsqlDbType.Uuid, rows.Of(r => r.SignalId));
        Add("leads", NpgsqlDbType.Uuid, rows.Of(r => r.LeadId));
        Add("bodies", NpgsqlDbType.Bytea, rows.Of(r => r.Body ?? []));
        return command;
    }
}
