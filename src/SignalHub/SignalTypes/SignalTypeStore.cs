using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.SignalTypes;

/// <summary>What came of deleting a declared type.</summary>
public enum SignalTypeDelete
{
    Deleted,
    NotFound,

    /// <summary>There are signals of it.</summary>
    InUse,
}

/// <summary>Declared types, and changes to built-in ones, in PostgreSQL.</summary>
public sealed class SignalTypeStore(Database database)
{
    private const string Select =
        "select key, name, description, origin, autoqualify, enabled, sub_rules, created_at, updated_at from signal_types where workspace_id = @workspace_id";

    /// <summary>Everything the workspace declared or changed, by key.</summary>
    public async Task<IReadOnlyList<StoredSignalType>> AllAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"{Select} order by key");
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<StoredSignalType?> FindAsync(Guid workspaceId, string key, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"{Select} and key = @key");
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("key", key);
        return (await ReadAsync(command, cancellationToken)) is [var found, ..] ? found : null;
    }

    /// <summary>Writes a type; answers it as stored, or null if it exists already and <paramref name="mayReplace"/> is false.</summary>
    public async Task<(StoredSignalType? Stored, bool Created)> WriteAsync(
        Guid workspaceId, StoredSignalType type, bool mayReplace, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        // xmax is 0 in a row version that an insert made.
        await using var command = new NpgsqlCommand(
            $"""
            insert into signal_types as t (workspace_id, key, name, description, origin, autoqualify, enabled, sub_rules, created_at, updated_at)
            values (@workspace_id, @key, @name, @description, @origin, @autoqualify, @enabled, @sub_rules, @now, @now)
            on conflict on constraint signal_types_pkey {(mayReplace
                ? """
                  do update set name = excluded.name, description = excluded.description, autoqualify = excluded.autoqualify,
                      enabled = excluded.enabled, sub_rules = excluded.sub_rules, updated_at = excluded.updated_at
                  """
                : "do nothing")}
            returning t.origin, t.created_at, t.xmax = 0
            """, connection, transaction);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("key", type.Key);
        command.Parameters.AddWithValue("name", type.Name);
        command.Parameters.AddWithValue("description", NpgsqlDbType.Text, (object?)type.Description ?? DBNull.Value);
        command.Parameters.AddWithValue("origin", type.Origin);
        command.Parameters.AddWithValue("autoqualify", type.Autoqualify);
        command.Parameters.AddWithValue("enabled", type.Enabled);
        command.Parameters.AddWithValue("sub_rules", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(type.SubRules, Json.Options));
        command.Parameters.AddWithValue("now", type.UpdatedAt);
        StoredSignalType stored;
        bool created;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
            {
                return (null, false);
            }
            stored = type with { Origin = reader.GetString(0), CreatedAt = reader.GetFieldValue<DateTimeOffset>(1) };
            created = reader.GetBoolean(2);
        }
        await transaction.CommitAsync(cancellationToken);
        return (stored, created);
    }

    /// <summary>Removes the row: a declared type without signals, or the changes made to a built-in one.</summary>
    public async Task<SignalTypeDelete> DeleteAsync(Guid workspaceId, string key, bool evenInUse, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!evenInUse)
        {
            // Not under the lock of the workspace's row: this may have to look through all signals of the workspace.
            await using var used = new NpgsqlCommand(
                "select exists (select 1 from signals where workspace_id = @workspace_id and type_key = @key)", connection, transaction);
            used.Parameters.AddWithValue("workspace_id", workspaceId);
            used.Parameters.AddWithValue("key", key);
            if ((bool)(await used.ExecuteScalarAsync(cancellationToken))!)
            {
                return SignalTypeDelete.InUse;
            }
        }
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var delete = new NpgsqlCommand("delete from signal_types where workspace_id = @workspace_id and key = @key", connection, transaction);
        delete.Parameters.AddWithValue("workspace_id", workspaceId);
        delete.Parameters.AddWithValue("key", key);
        if (await delete.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return SignalTypeDelete.NotFound;
        }
        await transaction.CommitAsync(cancellationToken);
        return SignalTypeDelete.Deleted;
    }

    private static async Task<List<StoredSignalType>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var types = new List<StoredSignalType>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            types.Add(new StoredSignalType(reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2),
                reader.GetString(3), reader.GetBoolean(4), reader.GetBoolean(5),
                JsonSerializer.Deserialize<IReadOnlyList<SubRuleBody>>(reader.GetString(6), Json.Options)!,
                reader.GetFieldValue<DateTimeOffset>(7), reader.GetFieldValue<DateTimeOffset>(8)));
        }
        return types;
    }
}
