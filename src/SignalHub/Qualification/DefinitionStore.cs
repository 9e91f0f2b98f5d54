using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Qualification;

/// <summary>One published version of a definition.</summary>
public sealed record StoredVersion(Guid Id, int Version, DefinitionBody Body, DateTimeOffset PublishedAt);

/// <summary>What came of writing a definition.</summary>
public enum DefinitionWrite
{
    Created,

    /// <summary>Published as a new version.</summary>
    Changed,

    /// <summary>Says what the live version says already.</summary>
    Unchanged,
    AlreadyExists,

    /// <summary>A persona of an ICP that is not there.</summary>
    UnknownIcp,

    /// <summary>The workspace has as many as it may have.</summary>
    TooMany,
}

/// <summary>What came of deleting a definition.</summary>
public enum DefinitionDelete
{
    Deleted,
    NotFound,

    /// <summary>An ICP that has personas.</summary>
    InUse,
}

/// <summary>Definitions and their versions in PostgreSQL. Writes of a workspace happen one after the other (its row is locked first).</summary>
public sealed class DefinitionStore(Database database)
{
    /// <summary>Per kind and workspace: every signal is scored against all ICPs.</summary>
    public const int MaxDefinitions = 100;

    private const string Columns = "d.kind, d.id, d.code, d.version_id, d.version, v.body, d.created_at, d.updated_at";

    private const string Live =
        $"""
        select {Columns}
          from definitions d join definition_versions v on v.workspace_id = d.workspace_id and v.id = d.version_id
         where d.workspace_id = @workspace_id
        """;

    /// <summary>Everything that scores, for the snapshot.</summary>
    public async Task<IReadOnlyList<StoredDefinition>> AllAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Live);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<StoredDefinition>> ListAsync(
        Guid workspaceId, DefinitionKind kind, PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            $"""
            {Live}
               and d.kind = @kind and (@before_time::timestamptz is null or (d.created_at, d.id) < (@before_time, @before_id))
             order by d.created_at desc, d.id desc limit @rows
            """);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("kind", kind.Text());
        AddPage(command, page);
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<StoredDefinition?> FindAsync(Guid workspaceId, DefinitionKind kind, string code, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await FindAsync(connection, null, workspaceId, kind, code, cancellationToken);
    }

    /// <summary>A page of a definition's versions and one row more, newest first.</summary>
    public async Task<IReadOnlyList<StoredVersion>> VersionsAsync(Guid workspaceId, Guid definitionId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            """
            select id, version, body, published_at from definition_versions
             where workspace_id = @workspace_id and definition_id = @definition_id
               and (@before_time::timestamptz is null or (published_at, id) < (@before_time, @before_id))
             order by published_at desc, id desc limit @rows
            """);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("definition_id", definitionId);
        AddPage(command, page);
        var versions = new List<StoredVersion>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            versions.Add(new StoredVersion(reader.GetGuid(0), reader.GetInt32(1), Parse(reader.GetString(2)), reader.GetFieldValue<DateTimeOffset>(3)));
        }
        return versions;
    }

    /// <summary>
    /// Publishes a validated body under its code: as a new definition, as a new version, or not at all where it says what the
    /// live version says. <paramref name="mayReplace"/> false refuses a code in use.
    /// </summary>
    public async Task<(DefinitionWrite Result, StoredDefinition? Definition)> WriteAsync(
        Guid workspaceId, DefinitionKind kind, DefinitionBody body, bool mayReplace, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        var existing = await FindAsync(connection, transaction, workspaceId, kind, body.Code!, cancellationToken);
        if (existing is not null && !mayReplace)
        {
            return (DefinitionWrite.AlreadyExists, existing);
        }
        if (existing is not null && Serialize(existing.Body) == Serialize(body))
        {
            return (DefinitionWrite.Unchanged, existing);
        }
        if (kind == DefinitionKind.Persona
            && await FindAsync(connection, transaction, workspaceId, DefinitionKind.Icp, body.Icp!, cancellationToken) is null)
        {
            return (DefinitionWrite.UnknownIcp, null);
        }
        if (existing is null && await CountAsync(connection, transaction, workspaceId, kind, cancellationToken) >= MaxDefinitions)
        {
            return (DefinitionWrite.TooMany, null);
        }
        var written = await PublishAsync(connection, transaction, workspaceId, kind, existing, body, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (existing is null ? DefinitionWrite.Created : DefinitionWrite.Changed, written);
    }

    /// <summary>Removes a definition; its versions stay, because signals refer to what scored them.</summary>
    public async Task<DefinitionDelete> DeleteAsync(Guid workspaceId, DefinitionKind kind, string code, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        if (kind == DefinitionKind.Icp)
        {
            await using var users = new NpgsqlCommand(
                "select exists (select 1 from definitions where workspace_id = @workspace_id and kind = 'persona' and icp_code = @code)",
                connection, transaction);
            users.Parameters.AddWithValue("workspace_id", workspaceId);
            users.Parameters.AddWithValue("code", code);
            if ((bool)(await users.ExecuteScalarAsync(cancellationToken))!)
            {
                return DefinitionDelete.InUse;
            }
        }
        await using var delete = new NpgsqlCommand(
            "delete from definitions where workspace_id = @workspace_id and kind = @kind and code = @code", connection, transaction);
        delete.Parameters.AddWithValue("workspace_id", workspaceId);
        delete.Parameters.AddWithValue("kind", kind.Text());
        delete.Parameters.AddWithValue("code", code);
        if (await delete.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return DefinitionDelete.NotFound;
        }
        await transaction.CommitAsync(cancellationToken);
        return DefinitionDelete.Deleted;
    }

    /// <summary>Gives a workspace that is being made its sample ICP and persona (see <see cref="SampleDefinitions"/>).</summary>
    public static async Task AddSamplesAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid workspaceId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await PublishAsync(connection, transaction, workspaceId, DefinitionKind.Icp, null, SampleDefinitions.Icp, now, cancellationToken);
        await PublishAsync(connection, transaction, workspaceId, DefinitionKind.Persona, null, SampleDefinitions.Persona, now, cancellationToken);
    }

    private static async Task<StoredDefinition> PublishAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid workspaceId, DefinitionKind kind, StoredDefinition? existing,
        DefinitionBody body, DateTimeOffset now, CancellationToken cancellationToken)
    {
        now = Timestamps.Truncate(now);
        // Versions are listed by time: a clock that stands or goes back must not change their order.
        if (existing is not null && now <= existing.UpdatedAt)
        {
            now = existing.UpdatedAt.AddMicroseconds(1);
        }
        var written = new StoredDefinition(kind, existing?.Id ?? Ids.New(now), body.Code!, Ids.New(now), (existing?.Version ?? 0) + 1, body,
            existing?.CreatedAt ?? now, now);
        await using var command = new NpgsqlCommand(
            """
            with version as (
                insert into definition_versions (workspace_id, id, definition_id, version, body, published_at)
                values (@workspace_id, @version_id, @id, @version, @body, @now))
            insert into definitions (workspace_id, kind, code, id, icp_code, version_id, version, created_at, updated_at)
            values (@workspace_id, @kind, @code, @id, @icp_code, @version_id, @version, @now, @now)
            on conflict on constraint definitions_pkey do update
               set icp_code = excluded.icp_code, version_id = excluded.version_id, version = excluded.version, updated_at = excluded.updated_at
            """, connection, transaction);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("version_id", written.VersionId);
        command.Parameters.AddWithValue("id", written.Id);
        command.Parameters.AddWithValue("version", written.Version);
        command.Parameters.AddWithValue("body", NpgsqlDbType.Jsonb, Serialize(body));
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("kind", kind.Text());
        command.Parameters.AddWithValue("code", written.Code);
        command.Parameters.AddWithValue("icp_code", NpgsqlDbType.Text, (object?)body.Icp ?? DBNull.Value);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return written;
    }

    private static async Task<StoredDefinition?> FindAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid workspaceId, DefinitionKind kind, string code, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"{Live} and d.kind = @kind and d.code = @code", connection, transaction);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("kind", kind.Text());
        command.Parameters.AddWithValue("code", code);
        return (await ReadAsync(command, cancellationToken)) is [var found, ..] ? found : null;
    }

    private static async Task<long> CountAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid workspaceId, DefinitionKind kind, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from definitions where workspace_id = @workspace_id and kind = @kind", connection, transaction);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("kind", kind.Text());
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static void AddPage(NpgsqlCommand command, PageRequest page)
    {
        command.Parameters.AddWithValue("before_time", NpgsqlDbType.TimestampTz, (object?)page.BeforeTime ?? DBNull.Value);
        command.Parameters.AddWithValue("before_id", NpgsqlDbType.Uuid, (object?)page.BeforeId ?? DBNull.Value);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
    }

    private static async Task<List<StoredDefinition>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var definitions = new List<StoredDefinition>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            definitions.Add(new StoredDefinition(
                reader.GetString(0) == DefinitionKind.Icp.Text() ? DefinitionKind.Icp : DefinitionKind.Persona,
                reader.GetGuid(1), reader.GetString(2), reader.GetGuid(3), reader.GetInt32(4), Parse(reader.GetString(5)),
                reader.GetFieldValue<DateTimeOffset>(6), reader.GetFieldValue<DateTimeOffset>(7)));
        }
        return definitions;
    }

    private static string Serialize(DefinitionBody body) => JsonSerializer.Serialize(body, Json.Options);

    private static DefinitionBody Parse(string body) => JsonSerializer.Deserialize<DefinitionBody>(body, Json.Options)!;
}
