using Npgsql;
using SignalHub.Storage;

namespace SignalHub.SignalTypes;

/// <summary>Types that are declared by their first signal.</summary>
public sealed class AutoTypeStore(Database database)
{
    // Declarations of one workspace go one by one: each counts what the one before it has committed.
    private const string Lock = "select 1 from workspaces where id = @workspace_id for no key update";

    private const string Insert = $"""
        with added as (
            insert into signal_types (workspace_id, key, name, origin, autoqualify, enabled, created_at, updated_at)
            select @workspace_id, @key, @name, 'auto', @autoqualify, true, @now, @now
             where (select count(*) from signal_types where workspace_id = @workspace_id and origin = 'auto') < @most
            on conflict do nothing
            returning key)
        {WorkspaceChanges.BumpSql} and exists (select from added)
        """;

    public async Task<long> CountAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("select count(*) from signal_types where workspace_id = @workspace_id and origin = 'auto'");
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Makes the type unless it is there, or there are <paramref name="most"/> of its kind. Of many that declare it at once, on whatever
    /// node, one creates it.
    /// </summary>
    /// <returns>Whether this call made it.</returns>
    public async Task<bool> DeclareAsync(
        Guid workspaceId, string key, string name, bool autoqualify, int most, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var locking = new NpgsqlCommand(Lock, connection, transaction))
        {
            locking.Parameters.AddWithValue("workspace_id", workspaceId);
            await locking.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var command = new NpgsqlCommand(Insert, connection, transaction);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("key", key);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("autoqualify", autoqualify);
        command.Parameters.AddWithValue("most", most);
        command.Parameters.AddWithValue("now", now);
        var made = await command.ExecuteNonQueryAsync(cancellationToken) == 1;
        await transaction.CommitAsync(cancellationToken);
        return made;
    }
}
