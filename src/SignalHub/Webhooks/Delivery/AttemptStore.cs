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
    private const string EndSql = """
        delete from delivery_queue q using unnest(@workspaces, @ids, @attempts) as d (workspace_id, id, attempt)
         where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt
        returning q.id, coalesce(@now, now())
        """;

    private const string PostponeSql = """
        update delivery_queue q
           set next_at = coalesce(@now, now()) + d.delay, step = q.step + 1, claims = 0, trigger = 'schedule',
               last_status = d.status, last_error = d.error
          from unnest(@workspaces, @ids, @attempts, @delays, @statuses, @errors) as d (workspace_id, id, attempt, delay, status, error)
         where q.workspace_id = d.workspace_id and q.id = d.id and q.attempt = d.attempt
        returning q.id, q.next_at
        """;

    private const string HistorySql = """
        copy delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            ended_at, state, reason, attempt, step, last_status, last_error) from stdin (format binary)
        """;

    private const string LogSql = """
        copy delivery_attempts (workspace_id, at, delivery_id, attempt, endpoint_id, trigger, status_code, error_class, error_detail,
            resolved_ip, request_headers, response_headers, response_body, response_truncated, connect_ms, first_byte_ms, duration_ms,
            next_attempt_at) from stdin (format binary)
        """;

    // Only the address that answered: its owner may have changed it while the answer was on its way.
    private const string GoneSql = """
        update webhook_endpoints e
           set enabled = false, disabled_reason = 'gone_410', disabled_at = coalesce(@now, now()), updated_at = coalesce(@now, now())
          from unnest(@workspaces, @endpoints, @urls) as g (workspace_id, endpoint_id, url)
         where e.workspace_id = g.workspace_id and e.id = g.endpoint_id and e.url = g.url and e.enabled
        returning e.workspace_id, e.id
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
            @detail, @ip, @request_headers, @response_headers, @response_body, @truncated, @connect,
            @first_byte, @duration)
        """;

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

    private async Task<IReadOnlyCollection<Guid>> WriteAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        Dictionary<Guid, DateTimeOffset> moved;
        List<EndpointKey> gone;
        try
        {
            moved = await MoveAsync(connection, completions, cancellationToken);
            var ours = completions.Where(c => moved.ContainsKey(c.Delivery.Id)).ToList();
            foreach (var (sql, rows) in new[] { (HistorySql, History(ours, moved)), (LogSql, Log(ours, moved)) })
            {
                if (!rows.IsEmpty)
                {
                    await rows.SendAsync(connection, sql, cancellationToken);
                }
            }
            gone = await StopGoneAsync(connection, ours, cancellationToken);
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
        return moved.Keys;
    }

    /// <summary>
    /// Takes what ended out of the queue and gives the rest its next date; answers which rows were still ours, and when each
    /// ended or falls due again. What comes after it in the transaction needs no fence.
    /// </summary>
    private async Task<Dictionary<Guid, DateTimeOffset>> MoveAsync(
        NpgsqlConnection connection, IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(PlanSettings.ByKey);
        List<Completion> ended = [.. completions.Where(c => c.Next.Ending is not null)];
        if (ended.Count > 0)
        {
            AddFenced(batch, EndSql, ended);
        }
        if (ended.Count < completions.Count)
        {
            List<Completion> later = [.. completions.Where(c => c.Next.Ending is null)];
            var parameters = AddFenced(batch, PostponeSql, later).Parameters;
            parameters.Add(new("delays", NpgsqlDbType.Array | NpgsqlDbType.Interval) { Value = later.Of(c => c.Next.Delay) });
            parameters.Add(new("statuses", NpgsqlDbType.Array | NpgsqlDbType.Smallint) { Value = later.Of(c => (short?)c.Attempt?.Status) });
            parameters.Add(new("errors", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = later.Of(c => c.Error) });
        }
        var moved = new Dictionary<Guid, DateTimeOffset>(completions.Count);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.NextResultAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                moved.Add(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1));
            }
        }
        return moved;
    }

    private NpgsqlBatchCommand AddFenced(NpgsqlBatch batch, string sql, List<Completion> rows)
    {
        var command = batch.Add(sql).Command;
        command.Parameters.AddWithValue("workspaces", rows.Of(c => c.Delivery.Target.Key.WorkspaceId));
        command.Parameters.AddWithValue("ids", rows.Of(c => c.Delivery.Id));
        command.Parameters.AddWithValue("attempts", rows.Of(c => c.Delivery.Attempt));
        command.Parameters.Add(SqlArrays.Now(clock));
        return command;
    }

    // What is in the history is what was claimed: nobody changes these columns of a row that waits.
    private static CopyRows History(List<Completion> completions, Dictionary<Guid, DateTimeOffset> endedAt)
    {
        var rows = new CopyRows(columns: 16);
        foreach (var (delivery, attempt, next, error, _) in completions)
        {
            if (next.Ending is not { } ending)
            {
                continue;
            }
            rows.Start();
            rows.Add(delivery.Target.Key.WorkspaceId);
            rows.Add(delivery.CreatedAt);
            rows.Add(delivery.Id);
            rows.Add(delivery.Target.Key.EndpointId);
            rows.Add(delivery.EventId);
            rows.Add(delivery.EventType);
            rows.Add(delivery.SignalId);
            rows.Add(delivery.LeadId);
            rows.Add(delivery.QueuedAt);
            rows.Add(endedAt[delivery.Id]);
            rows.Add(ending.State);
            rows.Add(ending.Reason);
            rows.Add(delivery.Attempt);
            rows.Add(delivery.Step);
            rows.Add((short?)attempt?.Status);
            rows.Add(error);
        }
        return rows;
    }

    private static CopyRows Log(List<Completion> completions, Dictionary<Guid, DateTimeOffset> moved)
    {
        var rows = new CopyRows(columns: 18);
        foreach (var (delivery, made, next, error, detail) in completions)
        {
            if (made is not { } attempt)
            {
                continue;
            }
            rows.Start();
            rows.Add(delivery.Target.Key.WorkspaceId);
            rows.Add(attempt.StartedAt);
            rows.Add(delivery.Id);
            rows.Add(delivery.Attempt);
            rows.Add(delivery.Target.Key.EndpointId);
            rows.Add(delivery.Trigger);
            rows.Add((short?)attempt.Status);
            rows.Add(error);
            rows.Add(detail);
            rows.Add(attempt.ResolvedIp);
            rows.Add(HeaderText.Write(attempt.RequestHeaders));
            rows.Add(attempt.ResponseHeaders is { } headers ? HeaderText.Write(headers) : null);
            rows.Add(attempt.Body);
            rows.Add(attempt.Truncated);
            rows.Add(attempt.ConnectMs);
            rows.Add(attempt.FirstByteMs);
            rows.Add(attempt.DurationMs);
            rows.Add(next.Ending is null ? moved[delivery.Id] : (DateTimeOffset?)null);
        }
        return rows;
    }

    private async Task<List<EndpointKey>> StopGoneAsync(
        NpgsqlConnection connection, List<Completion> completions, CancellationToken cancellationToken)
    {
        var gone = new List<EndpointKey>();
        var targets = completions.Where(c => c.Next.Ending == Ending.Gone).Select(c => c.Delivery.Target).DistinctBy(t => (t.Key, t.Url)).ToList();
        if (targets.Count == 0)
        {
            return gone;
        }
        await using var command = new NpgsqlCommand(GoneSql, connection);
        command.Parameters.AddWithValue("workspaces", targets.Of(t => t.Key.WorkspaceId));
        command.Parameters.AddWithValue("endpoints", targets.Of(t => t.Key.EndpointId));
        command.Parameters.AddWithValue("urls", targets.Of(t => t.Url));
        command.Parameters.Add(SqlArrays.Now(clock));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            gone.Add(new EndpointKey(reader.GetGuid(0), reader.GetGuid(1)));
        }
        return gone;
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
            Text("request_headers", HeaderText.Write(attempt.RequestHeaders)),
            Text("response_headers", attempt.ResponseHeaders is { } headers ? HeaderText.Write(headers) : null),
            Text("response_body", attempt.Body), new("truncated", attempt.Truncated), Milliseconds("connect", attempt.ConnectMs),
            Milliseconds("first_byte", attempt.FirstByteMs), Milliseconds("duration", attempt.DurationMs), SqlArrays.Now(clock),
        ];
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Classes 22 (data), 23 (constraint), 54 (limits): repeating the same write gives the same answer.</summary>
    private static bool IsAboutData(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";

    private static NpgsqlParameter Text(string name, string? value) =>
        new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    private static NpgsqlParameter Milliseconds(string name, double? value) =>
        new(name, NpgsqlDbType.Double) { Value = (object?)value ?? DBNull.Value };
}
