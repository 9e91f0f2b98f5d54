using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Projects;

/// <summary>What became of a deletion.</summary>
public enum ProjectDelete
{
    Deleted,
    NotFound,

    /// <summary>An endpoint's filter names it.</summary>
    InUse,
}

/// <summary>The projects of a workspace. Whoever changes one announces the workspace's change after it.</summary>
public sealed class ProjectStore(Database database)
{
    private const string Columns = "id, name, description, signal_types, sources, condition, priorities, recommended_action, created_at, updated_at";

    private const string InsertSql = $"""
        insert into projects (workspace_id, {Columns})
        values (@workspace, @id, @name, @description, @signal_types, @sources, @condition, @priorities, @recommended_action, @created_at, @updated_at)
        """;

    private const string UpdateSql = """
        update projects
           set name = @name, description = @description, signal_types = @signal_types, sources = @sources, condition = @condition,
               priorities = @priorities, recommended_action = @recommended_action, updated_at = @updated_at
         where workspace_id = @workspace and id = @id
        """;

    /// <summary>A page and one row more, newest first.</summary>
    public async Task<IReadOnlyList<StoredProject>> ListAsync(Guid workspaceId, PageRequest page, CancellationToken cancellationToken)
    {
        var after = page.BeforeId is null ? "" : "and (created_at, id) < (@before_time, @before_id)";
        await using var command = database.Source.CreateCommand(
            $"select {Columns} from projects where workspace_id = @workspace {after} order by created_at desc, id desc limit @rows");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>All of them, oldest first: what signals are held against.</summary>
    public async Task<IReadOnlyList<StoredProject>> AllAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from projects where workspace_id = @workspace order by created_at, id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<StoredProject?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from projects where workspace_id = @workspace and id = @id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>False: the workspace has as many projects as it may have.</summary>
    public async Task<bool> CreateAsync(Guid workspaceId, StoredProject project, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var count = new NpgsqlCommand("select count(*) from projects where workspace_id = @workspace", connection);
        count.Parameters.AddWithValue("workspace", workspaceId);
        if ((long)(await count.ExecuteScalarAsync(cancellationToken))! >= ProjectLimits.PerWorkspace)
        {
            return false;
        }
        await using var insert = new NpgsqlCommand(InsertSql, connection);
        AddFields(insert, workspaceId, project);
        await insert.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Replaces a project's fields by what <paramref name="change"/> makes of them, nobody else changing it meanwhile. Null: there
    /// is no such project; with a problem nothing was written.
    /// </summary>
    public async Task<(StoredProject? Project, Problem? Problem)> ChangeAsync(
        Guid workspaceId, Guid id, Func<StoredProject, (StoredProject?, Problem?)> change, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var find = new NpgsqlCommand($"select {Columns} from projects where workspace_id = @workspace and id = @id for update", connection);
        find.Parameters.AddWithValue("workspace", workspaceId);
        find.Parameters.AddWithValue("id", id);
        if (await ReadAsync(find, cancellationToken) is not [var current])
        {
            return (null, null);
        }
        var (changed, problem) = change(current);
        if (changed is null)
        {
            return (null, problem);
        }
        await using var update = new NpgsqlCommand(UpdateSql, connection);
        AddFields(update, workspaceId, changed);
        await update.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (changed, null);
    }

    /// <summary>
    /// Removes a project that no endpoint names. Emptying such a filter instead would make it "any": the endpoint would suddenly
    /// hear of everything. The workspace's row is locked, by those who write endpoints too.
    /// </summary>
    public async Task<(ProjectDelete Result, IReadOnlyList<Guid> Endpoints)> DeleteAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await WorkspaceChanges.BumpAsync(connection, workspaceId, cancellationToken);
        await using var users = new NpgsqlCommand(
            "select id from webhook_endpoints where workspace_id = @workspace and filter->'projects' ? @project order by created_at, id", connection);
        users.Parameters.AddWithValue("workspace", workspaceId);
        users.Parameters.AddWithValue("project", Ids.Text(Ids.Project, id));
        var endpoints = new List<Guid>();
        await using (var reader = await users.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                endpoints.Add(reader.GetGuid(0));
            }
        }
        if (endpoints.Count > 0)
        {
            return (ProjectDelete.InUse, endpoints);
        }
        await using var delete = new NpgsqlCommand("delete from projects where workspace_id = @workspace and id = @id", connection);
        delete.Parameters.AddWithValue("workspace", workspaceId);
        delete.Parameters.AddWithValue("id", id);
        if (await delete.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return (ProjectDelete.NotFound, []);
        }
        await transaction.CommitAsync(cancellationToken);
        return (ProjectDelete.Deleted, []);
    }

    private static void AddFields(NpgsqlCommand command, Guid workspaceId, StoredProject project)
    {
        void Add(string name, NpgsqlDbType type, object? value) =>
            command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
        Add("workspace", NpgsqlDbType.Uuid, workspaceId);
        Add("id", NpgsqlDbType.Uuid, project.Id);
        Add("name", NpgsqlDbType.Text, project.Name);
        Add("description", NpgsqlDbType.Text, project.Description);
        Add("signal_types", NpgsqlDbType.Array | NpgsqlDbType.Text, project.SignalTypes.ToArray());
        Add("sources", NpgsqlDbType.Array | NpgsqlDbType.Text, project.Sources.ToArray());
        Add("condition", NpgsqlDbType.Text, project.When);
        Add("priorities", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(project.Priorities, Json.Options));
        Add("recommended_action", NpgsqlDbType.Text, project.RecommendedAction);
        Add("created_at", NpgsqlDbType.TimestampTz, project.CreatedAt);
        Add("updated_at", NpgsqlDbType.TimestampTz, project.UpdatedAt);
    }

    private static async Task<List<StoredProject>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var projects = new List<StoredProject>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            projects.Add(new StoredProject(
                reader.GetGuid(0), reader.GetString(1), reader.Text(2), reader.GetFieldValue<string[]>(3), reader.GetFieldValue<string[]>(4), reader.Text(5),
                JsonSerializer.Deserialize<List<PriorityRuleBody>>(reader.GetString(6), Json.Options)!, reader.Text(7),
                reader.GetFieldValue<DateTimeOffset>(8), reader.GetFieldValue<DateTimeOffset>(9)));
        }
        return projects;
    }
}
