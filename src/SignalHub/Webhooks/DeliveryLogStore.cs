using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>Reads deliveries, pending and ended, and what their tries gave.</summary>
public sealed class DeliveryLogStore(Database database)
{
    // Each half takes its rows from its own key, newest first: of a queue with a million rows as of a history with
    // hundreds of millions only a page is read. An id begins with its created_at, so the queue's key is in order of both.
    private const string Pending = """
        (select id, event_id, event_type, endpoint_id, signal_id, lead_id, 'pending' as state, null as reason, attempt,
                next_at as next_attempt_at, last_status, last_error, created_at, null::timestamptz as ended_at
           from delivery_queue where workspace_id = @workspace {0} order by id desc limit @rows)
        """;

    private const string Ended = """
        (select id, event_id, event_type, endpoint_id, signal_id, lead_id, state, reason, attempt,
                null::timestamptz as next_attempt_at, last_status, last_error, created_at, ended_at
           from delivery_history where workspace_id = @workspace {0} order by created_at desc, id desc limit @rows)
        """;

    private const string OneSql = """
        select id, event_id, event_type, endpoint_id, signal_id, lead_id, state, reason, attempt, next_attempt_at, last_status, last_error,
               created_at, ended_at
          from deliveries where workspace_id = @workspace and created_at = @created_at and id = @id
        """;

    private const string AttemptsSql = """
        select at, trigger, attempt, status_code, error_class, error_detail, resolved_ip, request_headers, response_headers, response_body,
               response_truncated, connect_ms, first_byte_ms, duration_ms, next_attempt_at
          from delivery_attempts where workspace_id = @workspace and delivery_id = @id order by attempt, at
        """;

    private const string BodySql = """
        select coalesce(e.format, 'json'), v.type, v.body, v.slack_body
          from webhook_events v left join webhook_endpoints e on e.workspace_id = v.workspace_id and e.id = @endpoint
         where v.workspace_id = @workspace and v.created_at = @created_at and v.id = @event
        """;

    private const string SignalTimeSql = """
        select received_at from signals
         where workspace_id = @workspace and id = @signal and occurred_at >= @from and occurred_at < @to
        """;

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<DeliveryView>> ListAsync(Guid workspaceId, DeliveryFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        var signalAt = filter.SignalId is { } signal ? await SignalTimeAsync(workspaceId, signal, cancellationToken) : null;
        await using var command = ListCommand(workspaceId, filter, page, signalAt);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>
    /// One statement of halves, each a walk down an index from where the page begins: the queue, and the history, once for each
    /// state asked for. Words of closed lists stand in the text: an index on part of the rows is used only where the planner sees
    /// the value.
    /// </summary>
    /// <param name="signalAt">When the signal of the filter was received: its events carry that millisecond.</param>
    internal NpgsqlCommand ListCommand(Guid workspaceId, DeliveryFilter filter, PageRequest page, DateTimeOffset? signalAt)
    {
        var command = database.Source.CreateCommand();
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        var (queue, history) = (new StringBuilder(), new StringBuilder());
        void Where(string condition) => _ = (queue.Append(" and ").Append(condition), history.Append(" and ").Append(condition));
        void WhereValue(string condition, string name, object? value)
        {
            if (value is not null)
            {
                Where(condition);
                command.Parameters.AddWithValue(name, value);
            }
        }
        WhereValue("endpoint_id = @endpoint", "endpoint", filter.EndpointId);
        WhereValue("signal_id = @signal", "signal", filter.SignalId);
        WhereValue("event_id = @event", "event", filter.EventId);
        AddWords(filter, Where);
        AddTimes(filter, signalAt ?? (filter.EventId is { } e ? Ids.InstantOf(e) : null), WhereValue, queue, command);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            queue.Append(" and id < @before_id");
            history.Append(" and (created_at, id) < (@before_time, @before_id)");
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        var halves = new List<string>();
        if (filter.States.Count == 0 || filter.States.Contains(DeliveryFilter.Pending))
        {
            halves.Add(Half(Pending, queue.ToString()));
        }
        halves.AddRange(filter.States.Count == 0
            ? [Half(Ended, history.ToString())]
            : DeliveryFilter.EndStates.Where(filter.States.Contains).Select(state => Half(Ended, $"{history} and state = '{state}'")));
        command.CommandText = $"select * from ({string.Join(" union all ", halves)}) d order by created_at desc, id desc limit @rows";
        return command;
    }

    private static void AddWords(DeliveryFilter filter, Action<string> where)
    {
        // Only words of our own lists: whatever else came as far as here would be a bug.
        if (filter.EventType is { } type && WebhookEventTypes.All.Contains(type))
        {
            where($"event_type = '{type}'");
        }
        if (filter.ErrorClass is { } error && ErrorClass.All.Contains(error))
        {
            where($"last_error = '{error}'");
        }
        if (filter.CodeClass is { } digit)
        {
            where(string.Create(CultureInfo.InvariantCulture, $"last_status / 100 = {digit}"));
        }
        if (filter.MinAttempts is { } attempts)
        {
            where(string.Create(CultureInfo.InvariantCulture, $"attempt >= {attempts}"));
        }
    }

    /// <summary>The queue's key has no time but in its ids.</summary>
    private static void AddTimes(
        DeliveryFilter filter, DateTimeOffset? at, Action<string, string, object?> where, StringBuilder queue, NpgsqlCommand command)
    {
        var millisecond = TimeSpan.FromMilliseconds(1);
        if (at is { } instant)
        {
            var exact = DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());
            where("created_at = @at", "at", exact);
            queue.Append(" and id >= @at_id and id < @after_id");
            command.Parameters.AddWithValue("at_id", Ids.Lowest(exact));
            command.Parameters.AddWithValue("after_id", Ids.Lowest(exact + millisecond));
        }
        where("created_at >= @since", "since", filter.Since);
        where("created_at < @until", "until", filter.Until);
        if (filter.Since is { } since)
        {
            queue.Append(" and id >= @since_id");
            command.Parameters.AddWithValue("since_id", Ids.Lowest(since));
        }
        if (filter.Until is { } until && until < DateTimeOffset.MaxValue - millisecond)
        {
            queue.Append(" and id < @until_id");
            command.Parameters.AddWithValue("until_id", Ids.Lowest(until + millisecond));
        }
    }

    /// <summary>Null when the signal is not there any more: then its deliveries are looked for without.</summary>
    private async Task<DateTimeOffset?> SignalTimeAsync(Guid workspaceId, Guid signalId, CancellationToken cancellationToken)
    {
        var from = Ids.InstantOf(signalId);
        if (from >= DateTimeOffset.MaxValue.AddDays(-1))
        {
            return null;
        }
        await using var command = database.Source.CreateCommand(SignalTimeSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("signal", signalId);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", from.AddMilliseconds(1));
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
    }

    public async Task<DeliveryView?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(OneSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("created_at", Ids.InstantOf(id));
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, cancellationToken) is [var found, ..] ? found : null;
    }

    /// <summary>The tries of a delivery, oldest first.</summary>
    public async Task<IReadOnlyList<AttemptView>> AttemptsAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(AttemptsSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        var attempts = new List<AttemptView>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            attempts.Add(new AttemptView(
                reader.GetFieldValue<DateTimeOffset>(0), reader.GetString(1), reader.GetInt32(2), reader.Int(3), reader.Text(4), reader.Text(5),
                reader.Text(6), HeadersAsJson(reader.GetString(7)), reader.Text(8) is { } headers ? HeadersAsJson(headers) : null,
                reader.Text(9), reader.GetBoolean(10), Milliseconds(reader, 11), Milliseconds(reader, 12), reader.GetDouble(13), reader.Instant(14)));
        }
        return attempts;
    }

    /// <summary>The body of an event as an endpoint gets it; null when it was erased.</summary>
    public async Task<JsonElement?> BodyAsync(Guid workspaceId, Guid eventId, Guid endpointId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(BodySql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("created_at", Ids.InstantOf(eventId));
        command.Parameters.AddWithValue("event", eventId);
        command.Parameters.AddWithValue("endpoint", endpointId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? JsonElement.Parse(EndpointFormats.Body(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<byte[]>(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3)))
            : null;
    }

    private static string Half(string sql, string conditions) => sql.Replace("{0}", conditions, StringComparison.Ordinal);

    private static JsonElement HeadersAsJson(string text) => JsonSerializer.SerializeToElement(HeaderText.Read(text));

    private static double? Milliseconds(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetDouble(column);

    private static async Task<List<DeliveryView>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var deliveries = new List<DeliveryView>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            deliveries.Add(new DeliveryView(
                Ids.Text(Ids.Delivery, reader.GetGuid(0)), Ids.Text(Ids.Event, reader.GetGuid(1)), reader.GetString(2),
                Ids.Text(Ids.Endpoint, reader.GetGuid(3)), Ids.Text(Ids.Signal, reader.Id(4)), Ids.Text(Ids.Lead, reader.Id(5)),
                reader.GetString(6), reader.Text(7), reader.GetInt32(8), reader.Instant(9), reader.Int(10), reader.Text(11),
                reader.GetFieldValue<DateTimeOffset>(12), reader.Instant(13)));
        }
        return deliveries;
    }
}
