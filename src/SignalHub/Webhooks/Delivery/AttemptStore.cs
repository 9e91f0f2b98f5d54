using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Writes what tries gave: the log row, the delivery's end or next date, the endpoint's health, in one transaction for all
/// that is known by then. Each row is fenced by (delivery, attempt): what another claimer took over meanwhile stays his.
/// </summary>
public sealed class AttemptStore(
    Database database, MonthlyPartitions partitions, EndpointHealthStore health, DeliverySignal dispatcher, TimeProvider clock, ILogger<AttemptStore> log)
{
    private const string CompleteSql = """
        with d as (
            select * from unnest(@workspaces, @ids, @attempts, @states, @reasons, @delays, @urls, @triggers, @at, @statuses, @errors,
                @details, @ips, @request_headers, @response_headers, @bodies, @truncated, @connect, @first_byte, @duration)
                as d (workspace_id, id, attempt, state, reason, delay, url, trigger, at, status, error, detail, ip, request_headers,
                    response_headers, body, truncated, connect_ms, first_byte_ms, duration_ms)
        ), ended as (
            delete from delivery_queue q using d
             where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt and d.state is not null
            returning q.workspace_id, q.created_at, q.id, q.endpoint_id, q.event_id, q.event_type, q.signal_id, q.lead_id, q.queued_at,
                q.attempt, q.step, d.state, d.reason, d.status, d.error, d.url
        ), history as (
            insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
                ended_at, state, reason, attempt, step, last_status, last_error)
            select workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
                coalesce(@now, now()), state, reason, attempt, step, status, error
              from ended
        ), later as (
            update delivery_queue q
               set next_at = coalesce(@now, now()) + d.delay, step = q.step + 1, claims = 0, trigger = 'schedule',
                   last_status = d.status, last_error = d.error
              from d
             where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt and d.state is null
            returning q.workspace_id, q.id, q.endpoint_id, q.next_at
        ), fenced as (
            select workspace_id, id, endpoint_id, null::timestamptz as next_at from ended
            union all
            select workspace_id, id, endpoint_id, next_at from later
        ), log as (
            insert into delivery_attempts (workspace_id, at, delivery_id, attempt, endpoint_id, trigger, status_code, error_class,
                error_detail, resolved_ip, request_headers, response_headers, response_body, response_truncated, connect_ms,
                first_byte_ms, duration_ms, next_attempt_at)
            select d.workspace_id, d.at, d.id, d.attempt, f.endpoint_id, d.trigger, d.status, d.error, d.detail, d.ip,
                d.request_headers::jsonb, d.response_headers::jsonb, d.body, d.truncated, d.connect_ms, d.first_byte_ms, d.duration_ms,
                f.next_at
              from d join fenced f on f.workspace_id = d.workspace_id and f.id = d.id
             where d.at is not null
        ), gone as (
            -- Only the address that answered: its owner may have changed it while the answer was on its way.
            update webhook_endpoints e
               set enabled = false, disabled_reason = 'gone_410', disabled_at = coalesce(@now, now()), updated_at = coalesce(@now, now())
              from (select distinct workspace_id, endpoint_id, url from ended where reason = 'gone_410') g
             where e.workspace_id = g.workspace_id and e.id = g.endpoint_id and e.url = g.url and e.enabled
            returning e.workspace_id, e.id
        )
        select workspace_id, id, false from fenced
        union all
        select workspace_id, id, true from gone
        """;

    private const string TestSql = """
        with event as (
            insert into webhook_events (workspace_id, created_at, id, type, body, slack_body)
            values (@workspace, @created_at, @event, @type, @body, @slack_body)
        ), history as (
            insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, queued_at, ended_at, state,
                reason, attempt, step, last_status, last_error)
            values (@workspace, @created_at, @id, @endpoint, @event, @type, @created_at, coalesce(@now, now()), @state,
                @reason, 1, 0, @status, @error)
        )
        insert into delivery_attempts (workspace_id, at, delivery_id, attempt, endpoint_id, trigger, status_code, error_class,
            error_detail, resolved_ip, request_headers, response_headers, response_body, response_truncated, connect_ms,
            first_byte_ms, duration_ms)
        values (@workspace, @at, @id, 1, @endpoint, 'test', @status, @error,
            @detail, @ip, @request_headers::jsonb, @response_headers::jsonb, @response_body, @truncated, @connect,
            @first_byte, @duration)
        """;

    // Header texts are shown to people, who read + and & better than their escapes.
    private static readonly JsonSerializerOptions HeaderJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the outcomes; answers which of them were still ours to write.</summary>
    public async Task<IReadOnlySet<Guid>> CompleteAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        var attempted = completions.Where(c => c.Attempt is not null).Select(c => c.Attempt!.StartedAt);
        await partitions.EnsureAsync("delivery_attempts", attempted, cancellationToken);
        await partitions.EnsureAsync("webhook_events", [clock.GetUtcNow()], cancellationToken);
        var written = new HashSet<Guid>();
        // In key order, so that two claimers who dispute rows wait for each other instead of dying of it.
        var sorted = completions.OrderBy(c => c.Delivery.Target.Key.WorkspaceId).ThenBy(c => c.Delivery.Id);
        await CompleteAsync([.. sorted], written, cancellationToken);
        return written;
    }

    /// <summary>
    /// A row that PostgreSQL refuses for what is in it must not hold up the others, or all of them would be sent again and
    /// again: the batch is halved until the culprit is alone, and then goes without what the receiver said. What cannot be
    /// stored even so is left to its lease, and ends with the claims it may have.
    /// </summary>
    private async Task CompleteAsync(IReadOnlyList<Completion> completions, HashSet<Guid> written, CancellationToken cancellationToken)
    {
        try
        {
            written.UnionWith(await WriteAsync(completions, cancellationToken));
        }
        catch (PostgresException e) when (IsAboutData(e) && completions.Count > 1)
        {
            var half = completions.Count / 2;
            await CompleteAsync([.. completions.Take(half)], written, cancellationToken);
            await CompleteAsync([.. completions.Skip(half)], written, cancellationToken);
        }
        catch (PostgresException e) when (IsAboutData(e) && completions is [{ Attempt: { } attempt } single])
        {
            log.LogError(e, "The outcome of delivery {Delivery} cannot be stored", single.Delivery.Id);
            if (attempt is not { ResponseHeaders: null, Body: null })
            {
                var bare = single with
                {
                    Detail = "The answer could not be stored.",
                    Attempt = attempt with { ResponseHeaders = null, Body = null },
                };
                await CompleteAsync([bare], written, cancellationToken);
            }
        }
    }

    private async Task<IReadOnlyList<Guid>> WriteAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var written = new List<Guid>(completions.Count);
        var gone = new List<EndpointKey>();
        try
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            batch.Add(DeliveryStore.NoJitSql);
            AddComplete(batch, completions);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                if (reader.GetBoolean(2))
                {
                    gone.Add(new EndpointKey(reader.GetGuid(0), reader.GetGuid(1)));
                }
                else
                {
                    written.Add(reader.GetGuid(1));
                }
            }
        }
        catch (PostgresException e) when (IsAboutData(e))
        {
            // Npgsql 10.0.0 loses count of a statement whose values were refused while it was being prepared, and the next
            // use of it breaks the connection: it forgets what this one has prepared instead.
            await transaction.RollbackAsync(cancellationToken);
            connection.UnprepareAll();
            throw;
        }
        var hasNews = await health.WriteAsync(connection, EndpointHealth.Of(completions), gone, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (hasNews)
        {
            dispatcher.Wake();
        }
        return written;
    }

    /// <summary>A test send as it happened: event, ended delivery and attempt. It says nothing about the endpoint's health.</summary>
    public async Task RecordTestAsync(
        DeliveryRequest request, EndpointKey endpoint, WebhookEvent made, byte[]? slackBody, AttemptResult attempt, Outcome outcome,
        CancellationToken cancellationToken)
    {
        await partitions.EnsureAsync("webhook_events", [made.CreatedAt], cancellationToken);
        await partitions.EnsureAsync("delivery_attempts", [attempt.StartedAt], cancellationToken);
        var ending = NextStep.After(outcome, new RetrySchedule([]), step: 0, random: 0, retryAfter: null).Ending!;
        await using var command = database.Source.CreateCommand(TestSql);
        NpgsqlParameter[] parameters =
        [
            new("workspace", endpoint.WorkspaceId), new("endpoint", endpoint.EndpointId), new("id", request.DeliveryId),
            new("event", request.EventId), new("type", request.EventType), new("body", made.Body),
            new("slack_body", NpgsqlDbType.Bytea) { Value = (object?)slackBody ?? DBNull.Value }, new("created_at", made.CreatedAt),
            new("state", ending.State), Text("reason", ending.Reason), new("at", attempt.StartedAt),
            new("status", NpgsqlDbType.Smallint) { Value = (object?)(short?)attempt.Status ?? DBNull.Value },
            Text("error", outcome.Error), Text("detail", outcome.Detail), Text("ip", attempt.ResolvedIp),
            Text("request_headers", Json(attempt.RequestHeaders)), Text("response_headers", Json(attempt.ResponseHeaders)),
            Text("response_body", attempt.Body), new("truncated", attempt.Truncated), Milliseconds("connect", attempt.ConnectMs),
            Milliseconds("first_byte", attempt.FirstByteMs), Milliseconds("duration", attempt.DurationMs), SqlArrays.Now(clock),
        ];
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private void AddComplete(NpgsqlBatch batch, IReadOnlyList<Completion> rows)
    {
        var command = batch.Add(CompleteSql);
        T[] Column<T>(Func<Completion, T> value) => [.. rows.Select(value)];
        void Add(string name, NpgsqlDbType type, object values) =>
            command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = values });
        Add("workspaces", NpgsqlDbType.Uuid, Column(c => c.Delivery.Target.Key.WorkspaceId));
        Add("ids", NpgsqlDbType.Uuid, Column(c => c.Delivery.Id));
        Add("attempts", NpgsqlDbType.Integer, Column(c => c.Delivery.Attempt));
        Add("states", NpgsqlDbType.Text, Column(c => c.Next.Ending?.State));
        Add("reasons", NpgsqlDbType.Text, Column(c => c.Next.Ending?.Reason));
        Add("delays", NpgsqlDbType.Interval, Column(c => c.Next.Delay));
        Add("urls", NpgsqlDbType.Text, Column(c => c.Delivery.Target.Url));
        Add("triggers", NpgsqlDbType.Text, Column(c => c.Delivery.Trigger));
        Add("at", NpgsqlDbType.TimestampTz, Column(c => c.Attempt?.StartedAt));
        Add("statuses", NpgsqlDbType.Smallint, Column(c => (short?)c.Attempt?.Status));
        Add("errors", NpgsqlDbType.Text, Column(c => c.Error));
        Add("details", NpgsqlDbType.Text, Column(c => c.Detail));
        Add("ips", NpgsqlDbType.Text, Column(c => c.Attempt?.ResolvedIp));
        Add("request_headers", NpgsqlDbType.Text, Column(c => Json(c.Attempt?.RequestHeaders)));
        Add("response_headers", NpgsqlDbType.Text, Column(c => Json(c.Attempt?.ResponseHeaders)));
        Add("bodies", NpgsqlDbType.Text, Column(c => c.Attempt?.Body));
        Add("truncated", NpgsqlDbType.Boolean, Column(c => c.Attempt?.Truncated ?? false));
        Add("connect", NpgsqlDbType.Double, Column(c => c.Attempt?.ConnectMs));
        Add("first_byte", NpgsqlDbType.Double, Column(c => c.Attempt?.FirstByteMs));
        Add("duration", NpgsqlDbType.Double, Column(c => c.Attempt?.DurationMs));
        command.Parameters.Add(SqlArrays.Now(clock));
    }

    /// <summary>Classes 22 (data), 23 (constraint), 54 (limits): repeating the same write gives the same answer.</summary>
    private static bool IsAboutData(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";

    private static NpgsqlParameter Text(string name, string? value) =>
        new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    private static NpgsqlParameter Milliseconds(string name, double? value) =>
        new(name, NpgsqlDbType.Double) { Value = (object?)value ?? DBNull.Value };

    /// <summary>An object reads better than a list of pairs; a repeated name's values are joined as HTTP joins them.</summary>
    private static string? Json(IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        if (headers is null)
        {
            return null;
        }
        var byName = new Dictionary<string, string>(headers.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers)
        {
            byName[name] = byName.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
        }
        return JsonSerializer.Serialize(byName, HeaderJson);
    }
}
