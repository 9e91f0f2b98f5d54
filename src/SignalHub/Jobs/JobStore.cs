using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Jobs;

/// <summary>The jobs of all workspaces: make, claim a turn, write it, cancel, list.</summary>
public sealed class JobStore(Database database, TimeProvider clock)
{
    private const string Columns = """
        workspace_id, id, kind, subject_id, state, parameters::text, position::text, total, done, affected, turn, error, created_at,
        started_at, ended_at, updated_at
        """;

    private const string Insert = $"""
        insert into jobs (workspace_id, id, kind, subject_id, parameters, total, next_at, created_at, updated_at)
        values (@workspace, @id, @kind, @subject, @parameters, @total, coalesce(@now, now()), coalesce(@now, now()), coalesce(@now, now()))
        returning {Columns}
        """;

    private const string Claim = $"""
        with due as (
            select workspace_id, id from jobs
             where ended_at is null and next_at <= coalesce(@now, now()) and kind = any (@kinds)
             order by next_at, id limit 1
               for update skip locked
        )
        update jobs j
           set turn = j.turn + 1, state = 'running', next_at = coalesce(@now, now()) + @lease,
               started_at = coalesce(j.started_at, @now, now()), updated_at = coalesce(@now, now())
          from due where j.workspace_id = due.workspace_id and j.id = due.id
        returning j.workspace_id, j.id, j.kind, j.subject_id, j.state, j.parameters::text, j.position::text, j.total, j.done, j.affected,
            j.turn, j.error, j.created_at, j.started_at, j.ended_at, j.updated_at
        """;

    private const string Write = """
        update jobs
           set position = @position, done = done + @done, affected = affected + @affected, state = @state, error = @error, failures = 0,
               next_at = coalesce(@now, now()) + @pause, ended_at = case when @ended then coalesce(@now, now()) end,
               updated_at = coalesce(@now, now())
         where workspace_id = @workspace and id = @id and turn = @turn and ended_at is null
        """;

    private const string Fail = """
        update jobs
           set failures = failures + 1, state = case when failures + 1 >= @most then 'failed' else state end,
               ended_at = case when failures + 1 >= @most then coalesce(@now, now()) end,
               error = case when failures + 1 >= @most then @error else error end,
               next_at = coalesce(@now, now()) + @pause * (failures + 1), updated_at = coalesce(@now, now())
         where workspace_id = @workspace and id = @id and turn = @turn and ended_at is null
        """;

    private const string CancelSql = $"""
        update jobs
           set state = 'cancelled', turn = turn + 1, ended_at = coalesce(@now, now()), updated_at = coalesce(@now, now())
         where workspace_id = @workspace and id = @id and ended_at is null
        returning {Columns}
        """;

    /// <summary>A new job, due at once.</summary>
    public async Task<Job> CreateAsync(
        Guid workspaceId, string kind, Guid? subjectId, JsonElement parameters, long total, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Insert);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", Ids.New(clock.GetUtcNow()));
        command.Parameters.AddWithValue("kind", kind);
        command.Parameters.Add(new NpgsqlParameter("subject", NpgsqlDbType.Uuid) { Value = (object?)subjectId ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("parameters", NpgsqlDbType.Jsonb) { Value = parameters.GetRawText() });
        command.Parameters.AddWithValue("total", total);
        command.Parameters.Add(SqlArrays.Now(clock));
        return (await ReadAsync(command, cancellationToken))[0];
    }

    public async Task<Job?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand($"select {Columns} from jobs where workspace_id = @workspace and id = @id");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>A page and one row more, newest first.</summary>
    /// <param name="subjectId">Only jobs about that; null: any.</param>
    public async Task<IReadOnlyList<Job>> ListAsync(Guid workspaceId, Guid? subjectId, PageRequest page, CancellationToken cancellationToken)
    {
        var conditions = subjectId is null ? "" : " and subject_id = @subject";
        conditions += page.BeforeId is null ? "" : " and (created_at, id) < (@before_time, @before_id)";
        await using var command = database.Source.CreateCommand(
            $"select {Columns} from jobs where workspace_id = @workspace{conditions} order by created_at desc, id desc limit @rows");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        if (subjectId is { } subject)
        {
            command.Parameters.AddWithValue("subject", subject);
        }
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Takes the next due job of these kinds for the length of the lease; null when none is due.</summary>
    internal async Task<Job?> ClaimAsync(IReadOnlyCollection<string> kinds, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Claim);
        command.Parameters.AddWithValue("kinds", kinds.ToArray());
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.Add(SqlArrays.Now(clock));
        return await ReadAsync(command, cancellationToken) is [var claimed] ? claimed : null;
    }

    /// <summary>
    /// Writes a turn as part of the transaction that did its work. False: somebody cancelled the job, or the lease ran out and
    /// another node has it: roll back.
    /// </summary>
    public static async Task<bool> WriteTurnAsync(
        NpgsqlConnection connection, Job job, JobTurn turn, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Write, connection);
        AddFence(command, job);
        command.Parameters.Add(new NpgsqlParameter("position", NpgsqlDbType.Jsonb) { Value = turn.Position.GetRawText() });
        command.Parameters.AddWithValue("done", turn.Done);
        command.Parameters.AddWithValue("affected", turn.Affected);
        command.Parameters.AddWithValue("state", turn.State);
        command.Parameters.AddWithValue("ended", turn.State != JobStates.Running);
        command.Parameters.Add(new NpgsqlParameter("error", NpgsqlDbType.Text) { Value = (object?)turn.Error ?? DBNull.Value });
        command.Parameters.AddWithValue("pause", turn.Pause);
        command.Parameters.Add(SqlArrays.Now(clock));
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>A turn ended in an error: the next one starts over after a pause that grows, or the job has failed.</summary>
    internal async Task FailTurnAsync(Job job, string error, int most, TimeSpan pause, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(Fail);
        AddFence(command, job);
        command.Parameters.AddWithValue("most", most);
        command.Parameters.AddWithValue("error", error);
        command.Parameters.AddWithValue("pause", pause);
        command.Parameters.Add(SqlArrays.Now(clock));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Ends a job; a turn under way writes nothing. Null: it has ended already, or there is none.</summary>
    public async Task<Job?> CancelAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(CancelSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.Add(SqlArrays.Now(clock));
        return await ReadAsync(command, cancellationToken) is [var cancelled] ? cancelled : null;
    }

    private static void AddFence(NpgsqlCommand command, Job job)
    {
        command.Parameters.AddWithValue("workspace", job.WorkspaceId);
        command.Parameters.AddWithValue("id", job.Id);
        command.Parameters.AddWithValue("turn", job.Turn);
    }

    private static async Task<List<Job>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var jobs = new List<Job>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            jobs.Add(new Job(
                reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), reader.Id(3), reader.GetString(4),
                JsonElement.Parse(reader.GetString(5)), JsonElement.Parse(reader.GetString(6)), reader.GetInt64(7), reader.GetInt64(8),
                reader.GetInt64(9), reader.GetInt32(10), reader.Text(11), reader.GetFieldValue<DateTimeOffset>(12), reader.Instant(13),
                reader.Instant(14), reader.GetFieldValue<DateTimeOffset>(15)));
        }
        return jobs;
    }
}
