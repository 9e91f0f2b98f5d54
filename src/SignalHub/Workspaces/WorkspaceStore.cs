using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>
/// Something a slice puts into every fresh workspace, in the transaction that makes it. Slices register theirs as a service.
/// </summary>
public delegate Task NewWorkspaceStep(
    NpgsqlConnection connection, NpgsqlTransaction transaction, Guid workspaceId, DateTimeOffset now, CancellationToken cancellationToken);

/// <summary>A workspace just made, with its first key: live, all scopes. The secret is nowhere else.</summary>
public sealed record CreatedWorkspace(Workspace Workspace, CreatedKey Key);

/// <summary>Workspaces in PostgreSQL.</summary>
public sealed class WorkspaceStore(Database database, IEnumerable<NewWorkspaceStep> steps, WorkspaceChanges changes)
{
    public const string DemoName = "Demo";

    private const string FirstKeyName = "default";
    private const string Columns = "id, name, per_minute, per_day, settings, created_at";

    // Always the same, so that the primary key lets only one start make it, and no later one makes another.
    private static readonly Guid _demoId = new("00000000-0000-7000-8000-64656d6f0001");

    public async Task<CreatedWorkspace> CreateAsync(
        string name, LimitSettings limits, WorkspaceSettings settings, DateTimeOffset now, CancellationToken cancellationToken)
    {
        now = Timestamps.Truncate(now);
        return (await CreateAsync(new Workspace(Ids.New(now), name, limits, settings, now), cancellationToken))!;
    }

    /// <summary>
    /// Makes the demo workspace unless this installation has had it, and answers its key; null: it was there. Nodes that start at
    /// once wait for each other, and one of them gets the key.
    /// </summary>
    public async Task<string?> EnsureFirstStartAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var demo = new Workspace(_demoId, DemoName, new LimitSettings(), new WorkspaceSettings(), Timestamps.Truncate(now));
        return (await CreateAsync(demo, cancellationToken))?.Key.Secret;
    }

    public async Task<Workspace?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from workspaces where id = @id");
        command.Parameters.AddWithValue("id", id);
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<Workspace>> ListAsync(PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"""
            select {Columns} from workspaces
             where @before_time::timestamptz is null or (created_at, id) < (@before_time, @before_id)
             order by created_at desc, id desc limit @rows
            """);
        AddPage(command, page);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>
    /// Changes a workspace under a lock on its row, so that merge patches sent at once both count. Both null: there is no such
    /// workspace.
    /// </summary>
    public async Task<(Workspace? Workspace, Problem? Problem)> UpdateAsync(
        Guid id, Func<Workspace, (Workspace? Changed, Problem? Problem)> change, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var select = new NpgsqlCommand($"select {Columns} from workspaces where id = @id for update", connection, transaction);
        select.Parameters.AddWithValue("id", id);
        if ((await ReadAsync(select, cancellationToken)).SingleOrDefault() is not { } current)
        {
            return (null, null);
        }
        var (changed, problem) = change(current);
        if (changed is null)
        {
            return (null, problem);
        }
        await using var update = new NpgsqlCommand("""
            update workspaces set name = @name, per_minute = @per_minute, per_day = @per_day, settings = @settings,
                                  version = version + 1, changed_at = clock_timestamp()
             where id = @id
            """, connection, transaction);
        AddValues(update, changed);
        await update.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        changes.Announce(id);
        return (changed, null);
    }

    /// <summary>Where the page begins, and one row more than it has: the extra one tells that there is a next page.</summary>
    internal static void AddPage(NpgsqlCommand command, PageRequest page)
    {
        command.Parameters.AddWithValue("before_time", NpgsqlDbType.TimestampTz, (object?)page.BeforeTime ?? DBNull.Value);
        command.Parameters.AddWithValue("before_id", NpgsqlDbType.Uuid, (object?)page.BeforeId ?? DBNull.Value);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
    }

    /// <summary>Null: a workspace with that id is there.</summary>
    private async Task<CreatedWorkspace?> CreateAsync(Workspace workspace, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var insert = new NpgsqlCommand("""
            insert into workspaces (id, name, per_minute, per_day, settings, created_at)
            values (@id, @name, @per_minute, @per_day, @settings, @created_at)
            on conflict (id) do nothing
            """, connection, transaction);
        AddValues(insert, workspace);
        insert.Parameters.AddWithValue("created_at", workspace.CreatedAt);
        if (await insert.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return null;
        }
        var grant = new KeyGrant(FirstKeyName, Scopes.All, IsTest: false, ExpiresAt: null);
        var key = await ApiKeyStore.InsertAsync(connection, transaction, workspace.Id, grant, workspace.CreatedAt, cancellationToken);
        foreach (var step in steps)
        {
            await step(connection, transaction, workspace.Id, workspace.CreatedAt, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return new CreatedWorkspace(workspace, key);
    }

    private static void AddValues(NpgsqlCommand command, Workspace workspace)
    {
        command.Parameters.AddWithValue("id", workspace.Id);
        command.Parameters.AddWithValue("name", workspace.Name);
        command.Parameters.Add(new NpgsqlParameter("per_minute", NpgsqlDbType.Integer) { Value = (object?)workspace.Limits.PerMinute ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("per_day", NpgsqlDbType.Integer) { Value = (object?)workspace.Limits.PerDay ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("settings", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(workspace.Settings, Json.Options) });
    }

    private static async Task<List<Workspace>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<Workspace>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new Workspace(reader.GetGuid(0), reader.GetString(1),
                new LimitSettings { PerMinute = reader.IsDBNull(2) ? null : reader.GetInt32(2), PerDay = reader.IsDBNull(3) ? null : reader.GetInt32(3) },
                JsonSerializer.Deserialize<WorkspaceSettings>(reader.GetString(4), Json.Options)!, reader.GetFieldValue<DateTimeOffset>(5)));
        }
        return rows;
    }
}
