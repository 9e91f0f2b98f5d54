using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What a key is made for.</summary>
public sealed record KeyGrant(string Name, Scopes Scopes, bool IsTest, DateTimeOffset? ExpiresAt);

/// <summary>A key as stored: everything but its secret.</summary>
/// <param name="RotatedTo">The key that replaced it.</param>
public sealed record StoredKey(
    Guid WorkspaceId, Guid Id, string Prefix, KeyGrant Grant, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt, Guid? RotatedTo,
    DateTimeOffset? LastUsedAt)
{
    /// <summary>Who a request with this key is.</summary>
    public Caller Caller { get; } = new(WorkspaceId, Id, Grant.IsTest, Grant.Scopes);

    /// <summary>The workspace's public id, for the request log.</summary>
    public string WorkspaceText { get; } = Ids.Text(Ids.Workspace, WorkspaceId);

    public bool IsExpired(DateTimeOffset now) => Grant.ExpiresAt <= now;
}

/// <summary>A key just made; the secret cannot be had again.</summary>
public sealed record CreatedKey(StoredKey Key, string Secret);

/// <summary>API keys in PostgreSQL.</summary>
public sealed class ApiKeyStore(Database database, WorkspaceChanges changes)
{
    private const string Columns =
        "workspace_id, id, prefix, name, scopes, mode, expires_at, created_at, revoked_at, rotated_to, last_used_at, hash";

    public async Task<CreatedKey> CreateAsync(Guid workspaceId, KeyGrant grant, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await InsertAsync(connection, null, workspaceId, grant, Timestamps.Truncate(now), cancellationToken);
    }

    public async Task<StoredKey?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from api_keys where workspace_id = @workspace_id and id = @id");
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return (await ReadAsync(command, cancellationToken)).Select(row => row.Key).SingleOrDefault();
    }

    /// <summary>The key with that hash, whatever became of it. The only question that is asked without a workspace: its answer is one.</summary>
    public async Task<StoredKey?> FindAsync(KeyHash hash, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from api_keys where hash = @hash");
        command.Parameters.AddWithValue("hash", hash.ToArray());
        // The index compares byte by byte; the hash that it found is compared once more in constant time.
        return (await ReadAsync(command, cancellationToken)).Where(row => row.Hash == hash).Select(row => row.Key).FirstOrDefault();
    }

    /// <summary>A page and one row more, newest first, revoked and expired keys included.</summary>
    public async Task<IReadOnlyList<StoredKey>> ListAsync(Guid workspaceId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"""
            select {Columns} from api_keys
             where workspace_id = @workspace_id and (@before_time::timestamptz is null or (created_at, id) < (@before_time, @before_id))
             order by created_at desc, id desc limit @rows
            """);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        WorkspaceStore.AddPage(command, page);
        return [.. (await ReadAsync(command, cancellationToken)).Select(row => row.Key)];
    }

    /// <summary>False: no such key in the workspace.</summary>
    public Task<bool> RenameAsync(Guid workspaceId, Guid id, string name, CancellationToken cancellationToken) =>
        ChangeAsync(workspaceId, "update api_keys set name = @name where workspace_id = @workspace_id and id = @id",
            [new("id", id), new("name", name)], cancellationToken);

    /// <summary>From now on no node takes the key (others within a second). False: no such key in the workspace.</summary>
    public Task<bool> RevokeAsync(Guid workspaceId, Guid id, DateTimeOffset now, CancellationToken cancellationToken) =>
        ChangeAsync(workspaceId, "update api_keys set revoked_at = coalesce(revoked_at, @now) where workspace_id = @workspace_id and id = @id",
            [new("id", id), new("now", Timestamps.Truncate(now))], cancellationToken);

    /// <summary>
    /// Makes a key with the same grant and lets the old one live for the grace period. Null: the old key is not there any more,
    /// not usable any more, or another request rotated it.
    /// </summary>
    public async Task<CreatedKey?> RotateAsync(StoredKey old, TimeSpan grace, DateTimeOffset now, CancellationToken cancellationToken)
    {
        now = Timestamps.Truncate(now);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var created = await InsertAsync(connection, transaction, old.WorkspaceId, old.Grant, now, cancellationToken);
        await using var retire = new NpgsqlCommand("""
            update api_keys set rotated_to = @rotated_to, expires_at = least(expires_at, @expires_at)
             where workspace_id = @workspace_id and id = @id and rotated_to is null and revoked_at is null and (expires_at is null or expires_at > @now)
            """, connection, transaction);
        retire.Parameters.AddWithValue("rotated_to", created.Key.Id);
        retire.Parameters.AddWithValue("expires_at", now + grace);
        retire.Parameters.AddWithValue("workspace_id", old.WorkspaceId);
        retire.Parameters.AddWithValue("id", old.Id);
        retire.Parameters.AddWithValue("now", now);
        if (await retire.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return null;
        }
        await WorkspaceChanges.BumpAsync(connection, old.WorkspaceId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        changes.Announce(old.WorkspaceId);
        return created;
    }

    /// <summary>Writes when keys were last used; a later time that is stored already stays.</summary>
    public async Task TouchAsync(IReadOnlyDictionary<(Guid WorkspaceId, Guid Id), DateTimeOffset> uses, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("""
            with uses as (select * from unnest(@workspaces, @ids, @times) as u (workspace_id, id, used_at)),
                 locked as (select k.workspace_id, k.id, u.used_at from api_keys k join uses u using (workspace_id, id)
                             where k.last_used_at is null or k.last_used_at < u.used_at
                             order by k.workspace_id, k.id for update of k)
            update api_keys k set last_used_at = l.used_at from locked l where k.workspace_id = l.workspace_id and k.id = l.id
            """);
        command.Parameters.AddWithValue("workspaces", uses.Keys.Select(k => k.WorkspaceId).ToArray());
        command.Parameters.AddWithValue("ids", uses.Keys.Select(k => k.Id).ToArray());
        command.Parameters.AddWithValue("times", uses.Values.Select(Timestamps.Truncate).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    internal static async Task<CreatedKey> InsertAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid workspaceId, KeyGrant grant, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var secret = ApiKey.New(grant.IsTest);
        grant = grant with { ExpiresAt = grant.ExpiresAt is { } expires ? Timestamps.Truncate(expires) : null };
        var key = new StoredKey(workspaceId, Ids.New(now), ApiKey.ShownPart(secret), grant, now, null, null, null);
        await using var insert = new NpgsqlCommand("""
            insert into api_keys (workspace_id, id, name, prefix, hash, scopes, mode, created_at, expires_at)
            values (@workspace_id, @id, @name, @prefix, @hash, @scopes, @mode, @created_at, @expires_at)
            """, connection, transaction);
        insert.Parameters.AddWithValue("workspace_id", workspaceId);
        insert.Parameters.AddWithValue("id", key.Id);
        insert.Parameters.AddWithValue("name", grant.Name);
        insert.Parameters.AddWithValue("prefix", key.Prefix);
        insert.Parameters.AddWithValue("hash", KeyHash.Of(secret).ToArray());
        insert.Parameters.AddWithValue("scopes", ScopeNames.List(grant.Scopes));
        insert.Parameters.AddWithValue("mode", key.Caller.Mode);
        insert.Parameters.AddWithValue("created_at", now);
        insert.Parameters.Add(new NpgsqlParameter("expires_at", NpgsqlDbType.TimestampTz) { Value = (object?)grant.ExpiresAt ?? DBNull.Value });
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return new CreatedKey(key, secret);
    }

    private async Task<bool> ChangeAsync(Guid workspaceId, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var update = new NpgsqlCommand(sql, connection, transaction);
        update.Parameters.AddRange(parameters);
        update.Parameters.AddWithValue("workspace_id", workspaceId);
        if (await update.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return false;
        }
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        changes.Announce(workspaceId);
        return true;
    }

    private static async Task<List<(StoredKey Key, KeyHash Hash)>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<(StoredKey, KeyHash)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var grant = new KeyGrant(reader.GetString(3), ScopeNames.Parse(reader.GetFieldValue<string[]>(4)), reader.GetString(5) == Caller.Test, Time(reader, 6));
            var key = new StoredKey(reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), grant, reader.GetFieldValue<DateTimeOffset>(7),
                Time(reader, 8), reader.IsDBNull(9) ? null : reader.GetGuid(9), Time(reader, 10));
            rows.Add((key, new KeyHash(reader.GetFieldValue<byte[]>(11))));
        }
        return rows;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
