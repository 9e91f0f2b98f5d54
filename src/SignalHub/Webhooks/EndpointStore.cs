using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>An endpoint's row. Secrets are as stored: encrypted.</summary>
public sealed record StoredEndpoint
{
    public required Guid Id { get; init; }
    public required string Url { get; init; }
    public string? Description { get; init; }
    public required IReadOnlyList<string> Events { get; init; }
    public required EndpointFilter Filter { get; init; }
    public required byte[] Secret { get; init; }
    public byte[]? PreviousSecret { get; init; }
    public DateTimeOffset? PreviousSecretUntil { get; init; }
    public required string SignatureHeader { get; init; }

    /// <summary>A word of <see cref="EndpointFormats"/>.</summary>
    public string Format { get; init; } = EndpointFormats.Json;

    public required int TimeoutSeconds { get; init; }
    public required string RetryPolicy { get; init; }
    public IReadOnlyList<int>? Schedule { get; init; }
    public int? MaxPerSecond { get; init; }
    public required bool Ordered { get; init; }
    public required bool Enabled { get; init; }
    public string? DisabledReason { get; init; }
    public DateTimeOffset? DisabledAt { get; init; }
    public int ConsecutiveFailures { get; init; }
    public DateTimeOffset? FailingSince { get; init; }
    public DateTimeOffset? LastSuccessAt { get; init; }
    public DateTimeOffset? LastFailureAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>A word of <see cref="EndpointOrigins"/>; set when it is made and never changed.</summary>
    public string Origin { get; init; } = EndpointOrigins.Api;
}

/// <summary>Who made an endpoint.</summary>
public static class EndpointOrigins
{
    public const string Api = "api";

    /// <summary>A REST hook, which a 410 deletes.</summary>
    public const string Hook = "hook";

    /// <summary>Of an automation with a URL of its own: not listed, listens to nothing, and goes with its automation.</summary>
    public const string Automation = "automation";
}

/// <summary>The endpoints of a workspace. Whoever changes one announces the workspace's change after it.</summary>
public sealed class EndpointStore(Database database, TimeProvider clock)
{
    /// <summary>How far back missed events are offered, and how many at most.</summary>
    private static readonly TimeSpan _offered = TimeSpan.FromDays(30);

    private const int MaxOffered = 1_000_000;

    private const string Columns = """
        id, url, description, events, filter, secret, previous_secret, previous_secret_until, signature_header, timeout_seconds, retry_policy,
        schedule, max_per_second, ordered, enabled, disabled_reason, disabled_at, consecutive_failures, failing_since, last_success_at,
        last_failure_at, created_at, updated_at, origin, format
        """;

    private const string Insert = """
        insert into webhook_endpoints (workspace_id, id, url, description, events, filter, secret, signature_header, timeout_seconds,
            retry_policy, schedule, max_per_second, ordered, enabled, disabled_reason, disabled_at, created_at, updated_at, origin, format)
        values (@workspace, @id, @url, @description, @events, @filter, @secret, @signature_header, @timeout_seconds,
            @retry_policy, @schedule, @max_per_second, @ordered, @enabled, @disabled_reason, @disabled_at, @updated_at, @updated_at, @origin, @format)
        """;

    // An endpoint that is enabled again starts with a clean record: its old failures were the reason to look after it.
    private const string Update = """
        update webhook_endpoints
           set url = @url, description = @description, events = @events, filter = @filter, secret = @secret, previous_secret = @previous_secret,
               previous_secret_until = @previous_secret_until, signature_header = @signature_header, timeout_seconds = @timeout_seconds,
               retry_policy = @retry_policy, schedule = @schedule, max_per_second = @max_per_second, ordered = @ordered,
               enabled = @enabled, disabled_reason = @disabled_reason, disabled_at = @disabled_at, updated_at = @updated_at, format = @format,
               consecutive_failures = case when @enabled and not enabled then 0 else consecutive_failures end,
               failed_deliveries = case when @enabled and not enabled then 0 else failed_deliveries end,
               failing_since = case when @enabled and not enabled then null else failing_since end,
               warned_at = case when @enabled and not enabled then null else warned_at end,
               probe_at = case when @enabled and not enabled then null else probe_at end
         where workspace_id = @workspace and id = @id
        returning
        """;

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<StoredEndpoint>> ListAsync(Guid workspaceId, PageRequest page, CancellationToken cancellationToken)
    {
        var after = page.BeforeId is null ? "" : "and (created_at, id) < (@before_time, @before_id)";
        await using var command = database.Source.CreateCommand(
            $"select {Columns} from webhook_endpoints where workspace_id = @workspace and origin <> 'automation' {after} order by created_at desc, id desc limit @rows");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<StoredEndpoint?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from webhook_endpoints where workspace_id = @workspace and id = @id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>All endpoints as routing sees them, oldest first.</summary>
    public async Task<EndpointSet> LoadSetAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await LoadSetAsync(connection, workspaceId, cancellationToken);
    }

    /// <summary>The same as the connection's transaction sees them.</summary>
    internal static async Task<EndpointSet> LoadSetAsync(NpgsqlConnection connection, Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select id, enabled, ordered, events, filter, format from webhook_endpoints where workspace_id = @workspace and origin <> 'automation' order by created_at, id",
            connection);
        command.Parameters.AddWithValue("workspace", workspaceId);
        var endpoints = new List<Endpoint>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            endpoints.Add(Endpoint.Of(
                reader.GetGuid(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.GetFieldValue<string[]>(3), FilterOf(reader.GetString(4)), reader.GetString(5)));
        }
        return new EndpointSet(endpoints);
    }

    /// <summary>The problem of an endpoint that could not be added; null: it was.</summary>
    public async Task<Problem?> CreateAsync(Guid workspaceId, StoredEndpoint endpoint, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Locks the workspace's row, so that two creations count one after the other.
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var count = new NpgsqlCommand("select count(*) from webhook_endpoints where workspace_id = @workspace and origin <> 'automation'", connection);
        count.Parameters.AddWithValue("workspace", workspaceId);
        if ((long)(await count.ExecuteScalarAsync(cancellationToken))! >= EndpointLimits.PerWorkspace)
        {
            return new Problem(ProblemCodes.Conflict,
                $"The workspace has {EndpointLimits.PerWorkspace} webhook endpoints, which is the limit: delete one first.");
        }
        if (await UnknownProjectsAsync(connection, workspaceId, endpoint.Filter, EndpointFilter.Any, cancellationToken) is { } unknown)
        {
            return unknown;
        }
        await InsertAsync(connection, workspaceId, endpoint, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    /// <summary>
    /// Replaces an endpoint's fields by what <paramref name="change"/> makes of them, nobody else changing it meanwhile. Its
    /// health is the dispatcher's and stays. Null: there is no such endpoint; with a problem nothing was written.
    /// </summary>
    public async Task<(StoredEndpoint? Endpoint, Problem? Problem)> ChangeAsync(
        Guid workspaceId, Guid id, Func<StoredEndpoint, (StoredEndpoint?, Problem?)> change, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        if (await LockAsync(connection, workspaceId, id, cancellationToken) is not { } current)
        {
            return (null, null);
        }
        var (changed, problem) = change(current);
        if (changed is null)
        {
            return (null, problem);
        }
        if (await UnknownProjectsAsync(connection, workspaceId, changed.Filter, current.Filter, cancellationToken) is { } unknown)
        {
            return (null, unknown);
        }
        var written = await UpdateAsync(connection, workspaceId, changed, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (written, null);
    }

    /// <summary>Removes an endpoint. Its waiting deliveries are ended by the dispatcher, in batches, as those of a disabled one are.</summary>
    /// <param name="origin">Only an endpoint of that origin; null: any that does not belong to an automation.</param>
    public async Task<bool> DeleteAsync(Guid workspaceId, Guid id, string? origin, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        if (!await DeleteAsync(connection, workspaceId, id, origin, cancellationToken))
        {
            return false;
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Inserts it as part of the connection's transaction, which has to hold the workspace's row.</summary>
    internal static async Task InsertAsync(NpgsqlConnection connection, Guid workspaceId, StoredEndpoint endpoint, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlCommand(Insert, connection);
        AddFields(insert, workspaceId, endpoint);
        insert.Parameters.AddWithValue("origin", endpoint.Origin);
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes its fields as part of the connection's transaction.</summary>
    internal static async Task<StoredEndpoint> UpdateAsync(NpgsqlConnection connection, Guid workspaceId, StoredEndpoint endpoint, CancellationToken cancellationToken)
    {
        await using var update = new NpgsqlCommand($"{Update} {Columns}", connection);
        AddFields(update, workspaceId, endpoint);
        return (await ReadAsync(update, cancellationToken))[0];
    }

    /// <summary>The endpoint as the connection's transaction sees it, locked until its end.</summary>
    internal static async Task<StoredEndpoint?> LockAsync(NpgsqlConnection connection, Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand(
            $"select {Columns} from webhook_endpoints where workspace_id = @workspace and id = @id for update", connection);
        find.Parameters.AddWithValue("workspace", workspaceId);
        find.Parameters.AddWithValue("id", id);
        return await ReadAsync(find, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>Removes it as part of the connection's transaction.</summary>
    /// <param name="origin">Only an endpoint of that origin; null: any that does not belong to an automation.</param>
    internal static async Task<bool> DeleteAsync(NpgsqlConnection connection, Guid workspaceId, Guid id, string? origin, CancellationToken cancellationToken)
    {
        await using var delete = new NpgsqlCommand(
            """
            delete from webhook_endpoints
             where workspace_id = @workspace and id = @id and (origin = @origin or (@origin is null and origin <> 'automation'))
            """, connection);
        delete.Parameters.AddWithValue("workspace", workspaceId);
        delete.Parameters.AddWithValue("id", id);
        delete.Parameters.Add(new NpgsqlParameter("origin", NpgsqlDbType.Text) { Value = (object?)origin ?? DBNull.Value });
        return await delete.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>How many events the endpoint missed while it was disabled and can still be offered.</summary>
    public async Task<long> CountSkippedAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("""
            select count(*) from (
                select from delivery_history
                 where workspace_id = @workspace and endpoint_id = @id and created_at > @since and state = 'skipped' and reason = @reason
                 limit @most) offered
            """);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("since", clock.GetUtcNow() - _offered);
        command.Parameters.AddWithValue("reason", Ending.EndpointDisabled.Reason!);
        command.Parameters.AddWithValue("most", MaxOffered);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Refuses ids of projects that the workspace does not have. In the transaction that writes the endpoint and locks the
    /// workspace, as those do that delete a project: no filter names what is not there.
    /// </summary>
    /// <param name="before">What it names already is not asked again.</param>
    private static async Task<Problem?> UnknownProjectsAsync(
        NpgsqlConnection connection, Guid workspaceId, EndpointFilter filter, EndpointFilter before, CancellationToken cancellationToken)
    {
        var added = filter.Projects.Except(before.Projects).ToList();
        if (added.Count == 0)
        {
            return null;
        }
        await using var command = new NpgsqlCommand("select id from projects where workspace_id = @workspace and id = any (@ids)", connection);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("ids", added.ConvertAll(id => Ids.TryParse(Ids.Project, id, out var project) ? project : Guid.Empty).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            added.Remove(Ids.Text(Ids.Project, reader.GetGuid(0)));
        }
        return added.Count == 0
            ? null
            : Problem.Fields([.. added.Select(id => (Id: id, Pointer: $"/filter/projects/{filter.Projects.ToList().IndexOf(id)}")).Select(p =>
                new FieldError(p.Pointer, ProblemCodes.InvalidValue.Code, $"{p.Pointer}: {p.Id} is not a project of this workspace."))]);
    }

    private static void AddFields(NpgsqlCommand command, Guid workspaceId, StoredEndpoint endpoint)
    {
        void Add(string name, NpgsqlDbType type, object? value) =>
            command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
        Add("workspace", NpgsqlDbType.Uuid, workspaceId);
        Add("id", NpgsqlDbType.Uuid, endpoint.Id);
        Add("url", NpgsqlDbType.Text, endpoint.Url);
        Add("description", NpgsqlDbType.Text, endpoint.Description);
        Add("events", NpgsqlDbType.Array | NpgsqlDbType.Text, endpoint.Events.ToArray());
        Add("filter", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(endpoint.Filter, Json.Options));
        Add("secret", NpgsqlDbType.Bytea, endpoint.Secret);
        Add("previous_secret", NpgsqlDbType.Bytea, endpoint.PreviousSecret);
        Add("previous_secret_until", NpgsqlDbType.TimestampTz, endpoint.PreviousSecretUntil);
        Add("signature_header", NpgsqlDbType.Text, endpoint.SignatureHeader);
        Add("format", NpgsqlDbType.Text, endpoint.Format);
        Add("timeout_seconds", NpgsqlDbType.Smallint, (short)endpoint.TimeoutSeconds);
        Add("retry_policy", NpgsqlDbType.Text, endpoint.RetryPolicy);
        Add("schedule", NpgsqlDbType.Array | NpgsqlDbType.Integer, endpoint.Schedule?.ToArray());
        Add("max_per_second", NpgsqlDbType.Integer, endpoint.MaxPerSecond);
        Add("ordered", NpgsqlDbType.Boolean, endpoint.Ordered);
        Add("enabled", NpgsqlDbType.Boolean, endpoint.Enabled);
        Add("disabled_reason", NpgsqlDbType.Text, endpoint.DisabledReason);
        Add("disabled_at", NpgsqlDbType.TimestampTz, endpoint.DisabledAt);
        Add("updated_at", NpgsqlDbType.TimestampTz, endpoint.UpdatedAt);
    }

    private static async Task<List<StoredEndpoint>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var endpoints = new List<StoredEndpoint>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            endpoints.Add(Read(reader));
        }
        return endpoints;
    }

    private static StoredEndpoint Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Url = reader.GetString(1),
        Description = reader.Text(2),
        Events = reader.GetFieldValue<string[]>(3),
        Filter = FilterOf(reader.GetString(4)),
        Secret = reader.GetFieldValue<byte[]>(5),
        PreviousSecret = reader.IsDBNull(6) ? null : reader.GetFieldValue<byte[]>(6),
        PreviousSecretUntil = reader.Instant(7),
        SignatureHeader = reader.GetString(8),
        TimeoutSeconds = reader.GetInt16(9),
        RetryPolicy = reader.GetString(10),
        Schedule = reader.IsDBNull(11) ? null : reader.GetFieldValue<int[]>(11),
        MaxPerSecond = reader.IsDBNull(12) ? null : reader.GetInt32(12),
        Ordered = reader.GetBoolean(13),
        Enabled = reader.GetBoolean(14),
        DisabledReason = reader.Text(15),
        DisabledAt = reader.Instant(16),
        ConsecutiveFailures = reader.GetInt32(17),
        FailingSince = reader.Instant(18),
        LastSuccessAt = reader.Instant(19),
        LastFailureAt = reader.Instant(20),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(21),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(22),
        Origin = reader.GetString(23),
        Format = reader.GetString(24),
    };

    /// <summary>A row written by something else (a seed, a later version) may lack members.</summary>
    private static EndpointFilter FilterOf(string json)
    {
        var stored = JsonSerializer.Deserialize<EndpointFilterBody>(json, Json.Options)!;
        return new EndpointFilter(stored.SignalTypes ?? [], stored.Sources ?? [], stored.Projects ?? [], stored.Priorities ?? [], stored.When);
    }
}
