using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Automations;

/// <summary>The run log, and when automations with a limit fired last. Written as part of the intake's transaction.</summary>
public sealed class AutomationRunStore(Database database)
{
    private const string InsertRuns = """
        insert into automation_runs (workspace_id, automation_id, at, signal_id, lead_id, outcome, detail, event_id, delivery_id)
        select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::uuid[], $9::uuid[])
        """;

    private const string SaveFires = """
        insert into automation_lead_fires (workspace_id, automation_id, lead_id, fired_at, signal_id)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[])
        on conflict (workspace_id, automation_id, lead_id) do update set fired_at = excluded.fired_at, signal_id = excluded.signal_id
        """;

    // A lead answers also for those that became part of it.
    private const string LastFires = """
        select p.workspace_id, p.automation_id, p.lead_id, f.fired_at
          from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as p (workspace_id, automation_id, lead_id)
          join automation_lead_fires f on f.workspace_id = p.workspace_id and f.automation_id = p.automation_id and f.lead_id = p.lead_id
        union all
        select p.workspace_id, p.automation_id, p.lead_id, f.fired_at
          from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as p (workspace_id, automation_id, lead_id)
          join leads l on l.workspace_id = p.workspace_id and l.merged_into = p.lead_id
          join automation_lead_fires f on f.workspace_id = p.workspace_id and f.automation_id = p.automation_id and f.lead_id = l.id
        """;

    private const string List = """
        select workspace_id, automation_id, at, signal_id, lead_id, outcome, detail, event_id, delivery_id
          from automation_runs where workspace_id = @workspace and automation_id = @automation
        """;

    /// <summary>
    /// When each automation fired last for a lead; absent: never. Right only while the leads are the caller's: locked by its
    /// transaction, or written by it under the condition that nobody else has written them.
    /// </summary>
    public static async Task<IReadOnlyDictionary<LeadLimit, DateTimeOffset>> LastFiresAsync(
        NpgsqlConnection connection, bool prepare, IEnumerable<LeadLimit> limits, CancellationToken cancellationToken)
    {
        LeadLimit[] wanted = [.. limits];
        var last = new Dictionary<LeadLimit, DateTimeOffset>();
        if (wanted.Length == 0)
        {
            return last;
        }
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(LastFires).Column(wanted.Of(l => l.WorkspaceId)).Column(wanted.Of(l => l.AutomationId)).Column(wanted.Of(l => l.LeadId));
        if (prepare)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = new LeadLimit(reader.GetGuid(0), reader.GetGuid(1), reader.GetGuid(2));
            var at = reader.GetFieldValue<DateTimeOffset>(3);
            last[key] = last.TryGetValue(key, out var known) && known > at ? known : at;
        }
        return last;
    }

    /// <summary>The same outside of a transaction: what can be told, not what can be relied on.</summary>
    public async Task<IReadOnlyDictionary<LeadLimit, DateTimeOffset>> LookAsync(IEnumerable<LeadLimit> limits, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await LastFiresAsync(connection, prepare: false, limits, cancellationToken);
    }

    /// <summary>Appends what the batch's automations did; nothing where none did anything.</summary>
    public static void AddTo(NpgsqlBatch batch, PlannedActions actions)
    {
        if (actions.Runs.Count == 0)
        {
            return;
        }
        var runs = actions.Runs;
        batch.Add(InsertRuns)
            .Column(runs.Of(r => r.WorkspaceId)).Column(runs.Of(r => r.AutomationId)).Column(runs.Of(r => r.At)).Column(runs.Of(r => r.SignalId))
            .Column(runs.Of(r => r.LeadId)).Column(runs.Of(r => (string?)r.Outcome)).Column(runs.Of(r => r.Detail))
            .Column(runs.Of(r => r.EventId)).Column(runs.Of(r => r.DeliveryId));
        if (actions.LastFires.Count > 0)
        {
            // In one order everywhere; the leads are ours already, but an order costs nothing.
            List<(LeadLimit Limit, DateTimeOffset At, Guid SignalId)> fires =
                [.. actions.LastFires.Select(f => (f.Key, f.Value.At, f.Value.SignalId)).OrderBy(f => f.Key.WorkspaceId).ThenBy(f => f.Key.AutomationId).ThenBy(f => f.Key.LeadId)];
            batch.Add(SaveFires)
                .Column(fires.Of(f => f.Limit.WorkspaceId)).Column(fires.Of(f => f.Limit.AutomationId)).Column(fires.Of(f => f.Limit.LeadId))
                .Column(fires.Of(f => f.At)).Column(fires.Of(f => f.SignalId));
        }
    }

    /// <summary>A page of an automation's runs and one row more, newest first.</summary>
    public async Task<IReadOnlyList<AutomationRun>> ListAsync(
        Guid workspaceId, Guid automationId, string? outcome, Guid? signalId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand();
        var where = "";
        void Where(string condition, string name, object? value)
        {
            if (value is not null)
            {
                where += $" and {condition}";
                command.Parameters.AddWithValue(name, value);
            }
        }
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("automation", automationId);
        Where("outcome = @outcome", "outcome", outcome);
        Where("signal_id = @signal", "signal", signalId);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            where += " and (at, signal_id) < (@before_time, @before_id)";
            command.Parameters.AddWithValue("before_time", time);
            command.Parameters.AddWithValue("before_id", id);
        }
        command.CommandText = $"{List}{where} order by at desc, signal_id desc limit @rows";
        command.Parameters.AddWithValue("rows", page.Limit + 1);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>What the automation did on those signals, as far as it did anything.</summary>
    public async Task<IReadOnlyDictionary<Guid, AutomationRun>> OfSignalsAsync(
        Guid workspaceId, Guid automationId, IReadOnlyCollection<(DateTimeOffset ReceivedAt, Guid Id)> signals, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(
            "select r.* from unnest(@at, @ids) as s (at, id) join lateral (" + List + " and at = s.at and signal_id = s.id) r on true");
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("automation", automationId);
        command.Parameters.Add(new NpgsqlParameter("at", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = signals.Select(s => s.ReceivedAt.UtcDateTime).ToArray() });
        command.Parameters.Add(new NpgsqlParameter("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = signals.Select(s => s.Id).ToArray() });
        return (await ReadAsync(command, cancellationToken)).ToDictionary(r => r.SignalId);
    }

    private static async Task<List<AutomationRun>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var runs = new List<AutomationRun>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            runs.Add(new AutomationRun(
                reader.GetGuid(0), reader.GetGuid(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetGuid(3), reader.Id(4), reader.GetString(5),
                reader.Text(6), reader.Id(7), reader.Id(8)));
        }
        return runs;
    }
}
