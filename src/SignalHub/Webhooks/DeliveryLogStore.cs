using System.Text.Json;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>Which deliveries to list; null: any.</summary>
/// <param name="State">A word of <see cref="DeliveryFilter.States"/>.</param>
public sealed record DeliveryFilter(Guid? EndpointId, string? State, Guid? SignalId, string? EventType)
{
    public const string Pending = "pending";

    public static IReadOnlyList<string> States { get; } = [Pending, "delivered", "failed", "cancelled", "skipped"];
}

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

    private const string BodySql = "select body from webhook_events where workspace_id = @workspace and created_at = @created_at and id = @event";

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<DeliveryView>> ListAsync(Guid workspaceId, DeliveryFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand();
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        var conditions = "";
        void Where(string condition, string name, object? value)
        {
            if (value is not null)
            {
                conditions += $" and {condition}";
                command.Parameters.AddWithValue(name, value);
            }
        }
        Where("endpoint_id = @endpoint", "endpoint", filter.EndpointId);
        Where("signal_id = @signal", "signal", filter.SignalId);
        Where("event_type = @event", "event", filter.EventType);
        var (queue, history) = (conditions, conditions);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            queue += " and id < @before_id";
            history += " and (created_at, id) < (@before_time, @before_id)";
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        var halves = new List<string>();
        if (filter.State is null or DeliveryFilter.Pending)
        {
            halves.Add(Half(Pending, queue));
        }
        if (filter.State != DeliveryFilter.Pending)
        {
            halves.Add(Half(Ended, filter.State is null ? history : history + " and state = @state"));
            if (filter.State is not null)
            {
                command.Parameters.AddWithValue("state", filter.State);
            }
        }
        command.CommandText = $"select * from ({string.Join(" union all ", halves)}) d order by created_at desc, id desc limit @rows";
        return await ReadAsync(command, cancellationToken);
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
                reader.Text(6), JsonElement.Parse(reader.GetString(7)), reader.Text(8) is { } headers ? JsonElement.Parse(headers) : null,
                reader.Text(9), reader.GetBoolean(10), Milliseconds(reader, 11), Milliseconds(reader, 12), reader.GetDouble(13), reader.Instant(14)));
        }
        return attempts;
    }

    /// <summary>The body of an event; null when it was erased.</summary>
    public async Task<JsonElement?> BodyAsync(Guid workspaceId, Guid eventId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(BodySql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("created_at", Ids.InstantOf(eventId));
        command.Parameters.AddWithValue("event", eventId);
        return await command.ExecuteScalarAsync(cancellationToken) is byte[] body ? JsonElement.Parse(body) : null;
    }

    private static string Half(string sql, string conditions) => sql.Replace("{0}", conditions, StringComparison.Ordinal);

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
