using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Automations;

/// <summary>An automation's row.</summary>
public sealed record StoredAutomation
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public required IReadOnlyList<string> SignalTypes { get; init; }
    public string? When { get; init; }
    public required Guid EndpointId { get; init; }

    /// <summary>The endpoint was made for it and goes with it.</summary>
    public required bool OwnsEndpoint { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }
    public string? BodyTemplate { get; init; }
    public int? LimitHours { get; init; }
    public required bool Enabled { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Where an automation's deliveries go, as it is now.</summary>
public sealed record AutomationTarget(string Url, string SignatureHeader, bool Enabled, string? DisabledReason);

/// <summary>A change that was decided on: the row, and what becomes of the endpoint that belongs to it.</summary>
/// <param name="NewEndpoint">To be made for it.</param>
/// <param name="EditedEndpoint">Its own, changed.</param>
/// <param name="DropsEndpoint">Its own, which it no longer needs.</param>
public sealed record AutomationChange(StoredAutomation Automation, StoredEndpoint? NewEndpoint = null, StoredEndpoint? EditedEndpoint = null, Guid? DropsEndpoint = null);

/// <summary>What came of a write.</summary>
public enum AutomationWrite
{
    Written,
    NotFound,

    /// <summary>The workspace has as many as it may have.</summary>
    TooMany,

    /// <summary>There is no endpoint of that id in the workspace.</summary>
    NoEndpoint,

    /// <summary>The change was not wanted after all; nothing was written.</summary>
    Refused,
}

/// <summary>The automations of a workspace. Whoever changes one announces the workspace's change after it.</summary>
public sealed class AutomationStore(Database database)
{
    private const string Columns = """
        a.id, a.name, a.description, a.signal_types, a."when", a.endpoint_id, a.owns_endpoint, a.headers, a.body_template, a.limit_hours,
        a.enabled, a.created_at, a.updated_at
        """;

    private const string WithTarget = $"""
        select {Columns}, e.url, e.signature_header, e.enabled, e.disabled_reason, e.ordered, e.format
          from automations a
          left join webhook_endpoints e on e.workspace_id = a.workspace_id and e.id = a.endpoint_id
         where a.workspace_id = @workspace
        """;

    private const string Save = """
        insert into automations (workspace_id, id, name, description, signal_types, "when", endpoint_id, owns_endpoint, headers,
            body_template, limit_hours, enabled, created_at, updated_at)
        values (@workspace, @id, @name, @description, @signal_types, @when, @endpoint, @owns_endpoint, @headers,
            @body_template, @limit_hours, @enabled, @created_at, @updated_at)
        on conflict (workspace_id, id) do update set
            name = excluded.name, description = excluded.description, signal_types = excluded.signal_types, "when" = excluded."when",
            endpoint_id = excluded.endpoint_id, owns_endpoint = excluded.owns_endpoint, headers = excluded.headers,
            body_template = excluded.body_template, limit_hours = excluded.limit_hours, enabled = excluded.enabled, updated_at = excluded.updated_at
        """;

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<(StoredAutomation Automation, AutomationTarget? Target)>> ListAsync(
        Guid workspaceId, PageRequest page, CancellationToken cancellationToken)
    {
        var after = page.BeforeId is null ? "" : "and (a.created_at, a.id) < (@before_time, @before_id)";
        await using var command = database.Source.CreateCommand($"{WithTarget} {after} order by a.created_at desc, a.id desc limit @rows");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        return await ReadAsync(command, reader => (Read(reader), ReadTarget(reader)), cancellationToken);
    }

    public async Task<(StoredAutomation Automation, AutomationTarget? Target)?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"{WithTarget} and a.id = @id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, reader => (Read(reader), ReadTarget(reader)), cancellationToken) is [var found] ? found : null;
    }

    /// <summary>The automation ready to be asked, as it is now.</summary>
    public async Task<Automation?> LoadAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"{WithTarget} and a.id = @id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, reader => new Automation(Read(reader), ReadEndpoint(reader)), cancellationToken) is [var found] ? found : null;
    }

    /// <summary>All automations with their endpoints, oldest first: one read, so that the two fit together.</summary>
    public async Task<AutomationSet> LoadSetAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"{WithTarget} order by a.created_at, a.id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        return new AutomationSet(await ReadAsync(command, reader => new Automation(Read(reader), ReadEndpoint(reader)), cancellationToken));
    }

    public async Task<AutomationWrite> CreateAsync(Guid workspaceId, AutomationChange change, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Locks the workspace's row, so that two creations count one after the other.
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var count = new NpgsqlCommand("select count(*) from automations where workspace_id = @workspace", connection);
        count.Parameters.AddWithValue("workspace", workspaceId);
        if ((long)(await count.ExecuteScalarAsync(cancellationToken))! >= AutomationLimits.PerWorkspace)
        {
            return AutomationWrite.TooMany;
        }
        if (!await WriteAsync(connection, workspaceId, change, cancellationToken))
        {
            return AutomationWrite.NoEndpoint;
        }
        await transaction.CommitAsync(cancellationToken);
        return AutomationWrite.Written;
    }

    /// <summary>Replaces an automation by what <paramref name="change"/> makes of it, nobody else changing it or its endpoint meanwhile.</summary>
    /// <param name="change">Gets the row and its endpoint (null: deleted); answers null for a change that is not wanted.</param>
    public async Task<AutomationWrite> ChangeAsync(
        Guid workspaceId, Guid id, Func<StoredAutomation, StoredEndpoint?, AutomationChange?> change, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        if (await LockAsync(connection, workspaceId, id, cancellationToken) is not { } current)
        {
            return AutomationWrite.NotFound;
        }
        var endpoint = await EndpointStore.LockAsync(connection, workspaceId, current.EndpointId, cancellationToken);
        if (change(current, endpoint) is not { } wanted)
        {
            return AutomationWrite.Refused;
        }
        if (!await WriteAsync(connection, workspaceId, wanted, cancellationToken))
        {
            return AutomationWrite.NoEndpoint;
        }
        await transaction.CommitAsync(cancellationToken);
        return AutomationWrite.Written;
    }

    /// <summary>Removes an automation and the endpoint that belongs to it, whose waiting deliveries the dispatcher then ends.</summary>
    /// <remarks>Its runs are left to the retention of their months: there may be millions.</remarks>
    public async Task<bool> DeleteAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        if (await LockAsync(connection, workspaceId, id, cancellationToken) is not { } current)
        {
            return false;
        }
        await using var forget = new NpgsqlCommand("delete from automation_lead_fires where workspace_id = @workspace and automation_id = @id", connection);
        forget.Parameters.AddWithValue("workspace", workspaceId);
        forget.Parameters.AddWithValue("id", id);
        await forget.ExecuteNonQueryAsync(cancellationToken);
        await using var delete = new NpgsqlCommand("delete from automations where workspace_id = @workspace and id = @id", connection);
        delete.Parameters.AddWithValue("workspace", workspaceId);
        delete.Parameters.AddWithValue("id", id);
        await delete.ExecuteNonQueryAsync(cancellationToken);
        if (current.OwnsEndpoint)
        {
            await EndpointStore.DeleteAsync(connection, workspaceId, current.EndpointId, EndpointOrigins.Automation, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>False: it wants an endpoint that is not there, and nothing was written.</summary>
    private static async Task<bool> WriteAsync(NpgsqlConnection connection, Guid workspaceId, AutomationChange change, CancellationToken cancellationToken)
    {
        var automation = change.Automation;
        if (change.NewEndpoint is { } made)
        {
            await EndpointStore.InsertAsync(connection, workspaceId, made, cancellationToken);
        }
        else if (change.EditedEndpoint is { } edited)
        {
            await EndpointStore.UpdateAsync(connection, workspaceId, edited, cancellationToken);
        }
        else if (await EndpointStore.LockAsync(connection, workspaceId, automation.EndpointId, cancellationToken) is not { Origin: not EndpointOrigins.Automation })
        {
            return false;
        }
        if (change.DropsEndpoint is { } dropped)
        {
            await EndpointStore.DeleteAsync(connection, workspaceId, dropped, EndpointOrigins.Automation, cancellationToken);
        }
        await using var save = new NpgsqlCommand(Save, connection);
        AddFields(save, workspaceId, automation);
        await save.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    private static async Task<StoredAutomation?> LockAsync(NpgsqlConnection connection, Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand($"select {Columns} from automations a where a.workspace_id = @workspace and a.id = @id for update", connection);
        find.Parameters.AddWithValue("workspace", workspaceId);
        find.Parameters.AddWithValue("id", id);
        return await ReadAsync(find, Read, cancellationToken) is [var found] ? found : null;
    }

    private static void AddFields(NpgsqlCommand command, Guid workspaceId, StoredAutomation automation)
    {
        void Add(string name, NpgsqlDbType type, object? value) =>
            command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
        Add("workspace", NpgsqlDbType.Uuid, workspaceId);
        Add("id", NpgsqlDbType.Uuid, automation.Id);
        Add("name", NpgsqlDbType.Text, automation.Name);
        Add("description", NpgsqlDbType.Text, automation.Description);
        Add("signal_types", NpgsqlDbType.Array | NpgsqlDbType.Text, automation.SignalTypes.ToArray());
        Add("when", NpgsqlDbType.Text, automation.When);
        Add("endpoint", NpgsqlDbType.Uuid, automation.EndpointId);
        Add("owns_endpoint", NpgsqlDbType.Boolean, automation.OwnsEndpoint);
        Add("headers", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(automation.Headers, Json.Options));
        Add("body_template", NpgsqlDbType.Text, automation.BodyTemplate);
        Add("limit_hours", NpgsqlDbType.Integer, automation.LimitHours);
        Add("enabled", NpgsqlDbType.Boolean, automation.Enabled);
        Add("created_at", NpgsqlDbType.TimestampTz, automation.CreatedAt);
        Add("updated_at", NpgsqlDbType.TimestampTz, automation.UpdatedAt);
    }

    private static async Task<List<T>> ReadAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }
        return rows;
    }

    private static StoredAutomation Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Name = reader.GetString(1),
        Description = reader.Text(2),
        SignalTypes = reader.GetFieldValue<string[]>(3),
        When = reader.Text(4),
        EndpointId = reader.GetGuid(5),
        OwnsEndpoint = reader.GetBoolean(6),
        Headers = JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(7), Json.Options)!,
        BodyTemplate = reader.Text(8),
        LimitHours = reader.IsDBNull(9) ? null : reader.GetInt32(9),
        Enabled = reader.GetBoolean(10),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(11),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(12),
    };

    private static AutomationTarget? ReadTarget(NpgsqlDataReader reader) =>
        reader.IsDBNull(13) ? null : new AutomationTarget(reader.GetString(13), reader.GetString(14), reader.GetBoolean(15), reader.Text(16));

    private static Endpoint? ReadEndpoint(NpgsqlDataReader reader) => reader.IsDBNull(13) ? null
        : Endpoint.Of(reader.GetGuid(5), reader.GetBoolean(15), reader.GetBoolean(17), [], EndpointFilter.Any, reader.GetString(18));
}
