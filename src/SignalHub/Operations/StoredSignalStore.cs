using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Operations;

/// <summary>What decides which events a stored signal raised.</summary>
/// <param name="TypeKey">Of the signal's type.</param>
/// <param name="Autoqualify">Of the type, when the signal was received.</param>
public sealed record SignalHead(
    Guid Id, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, string TypeKey, string Source, bool IsTest, bool Backfill, bool Autoqualify,
    bool Qualified, Guid? LeadId);

/// <summary>What conditions see of a stored signal beyond the shapes that are shown.</summary>
/// <param name="Qualification">As stored; null before it was scored.</param>
/// <param name="EmailClass">Of the contact's address; null without one.</param>
public sealed record SignalFacts(JsonElement? Qualification, string? EmailClass);

/// <summary>What a signal did to the lead it is about.</summary>
public enum LeadChange
{
    None,
    Created,
    Updated,
}

/// <summary>Which signals: received from <paramref name="Since"/> on and before <paramref name="Until"/>, of a type or of any (null).</summary>
public sealed record SignalRange(DateTimeOffset Since, DateTimeOffset Until, string? TypeKey);

/// <summary>Reads stored signals as routing needs them, oldest first.</summary>
public sealed class StoredSignalStore(Database database)
{
    private const string Head = """
        select s.id, s.occurred_at, s.received_at, s.type_key, s.source, s.mode, s.backfill, s.autoqualify, coalesce(s.qualified, false),
               coalesce(l.merged_into, s.lead_id)
          from signals s left join leads l on l.workspace_id = s.workspace_id and l.id = s.lead_id
        """;

    private const string OneSql = $"{Head} where s.workspace_id = @workspace and s.occurred_at >= @from and s.occurred_at < @to and s.id = @id";

    private const string InRange = """
         where s.workspace_id = @workspace and s.mode = 'live' and s.received_at >= @since and s.received_at < @until
           and (@type::text is null or s.type_key = @type)
        """;

    private const string PageSql = $"{Head} {InRange} and (s.received_at, s.id) > (@after_at, @after_id) order by s.received_at, s.id limit @rows";

    private const string CountSql = $"select count(*) from signals s {InRange}";

    private const string FactsSql = """
        select s.id, s.qualification, c.email_class
          from unnest(@occurred, @ids) as k (occurred_at, id)
          join signals s on s.workspace_id = @workspace and s.occurred_at = k.occurred_at and s.id = k.id
          left join contacts o on o.workspace_id = s.workspace_id and o.id = s.contact_id
          left join contacts c on c.workspace_id = s.workspace_id and c.id = coalesce(o.merged_into, s.contact_id)
        """;

    // As the intake decides it: the lead shows its newest scored signal, and is news when what it shows changes.
    private const string LeadChangeSql = """
        select case when s.lead_id is null then 'none'
                    when b.id is null then 'created'
                    when (b.occurred_at, b.id) > (s.occurred_at, s.id) then 'none'
                    when (b.icp_code, b.icp_score, b.persona_code, b.persona_score, b.qualified)
                         is distinct from (s.icp_code, s.icp_score, s.persona_code, s.persona_score, s.qualified) then 'updated'
                    else 'none' end
          from signals s
          left join lateral (
                select b.* from signals b
                 where b.workspace_id = s.workspace_id and b.lead_id = s.lead_id and b.mode = 'live'
                   and (b.received_at, b.id) < (s.received_at, s.id)
                 order by b.occurred_at desc, b.id desc limit 1) b on true
         where s.workspace_id = @workspace and s.occurred_at = @occurred and s.id = @id
        """;

    public async Task<SignalHead?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var from = Ids.InstantOf(id);
        if (from >= DateTimeOffset.MaxValue.AddDays(-1))
        {
            return null;
        }
        await using var command = database.Source.CreateCommand(OneSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", from.AddMilliseconds(1));
        command.Parameters.AddWithValue("id", id);
        return await ReadAsync(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>Live signals of the range after a place in it, in order of receipt.</summary>
    public async Task<IReadOnlyList<SignalHead>> PageAsync(
        Guid workspaceId, SignalRange range, (DateTimeOffset At, Guid Id) after, int rows, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(PageSql);
        AddRange(command, workspaceId, range);
        command.Parameters.AddWithValue("after_at", after.At);
        command.Parameters.AddWithValue("after_id", after.Id);
        command.Parameters.AddWithValue("rows", rows);
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<long> CountAsync(Guid workspaceId, SignalRange range, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(CountSql);
        AddRange(command, workspaceId, range);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<IReadOnlyDictionary<Guid, SignalFacts>> FactsAsync(
        Guid workspaceId, IReadOnlyCollection<SignalHead> signals, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(FactsSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("occurred", signals.Select(s => s.OccurredAt.UtcDateTime).ToArray());
        command.Parameters.AddWithValue("ids", signals.Select(s => s.Id).ToArray());
        var facts = new Dictionary<Guid, SignalFacts>(signals.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            facts.Add(reader.GetGuid(0), new SignalFacts(reader.Text(1) is { } json ? JsonElement.Parse(json) : null, reader.Text(2)));
        }
        return facts;
    }

    /// <summary>What a live signal did to its lead, told from the signals of the lead that came before it.</summary>
    public async Task<LeadChange> LeadChangeAsync(Guid workspaceId, SignalHead signal, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(LeadChangeSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("occurred", signal.OccurredAt);
        command.Parameters.AddWithValue("id", signal.Id);
        return await command.ExecuteScalarAsync(cancellationToken) switch
        {
            "created" => LeadChange.Created,
            "updated" => LeadChange.Updated,
            _ => LeadChange.None,
        };
    }

    private static void AddRange(NpgsqlCommand command, Guid workspaceId, SignalRange range)
    {
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("since", range.Since);
        command.Parameters.AddWithValue("until", range.Until);
        command.Parameters.Add(new NpgsqlParameter("type", NpgsqlDbType.Text) { Value = (object?)range.TypeKey ?? DBNull.Value });
    }

    private static async Task<List<SignalHead>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var signals = new List<SignalHead>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            signals.Add(new SignalHead(
                reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3),
                reader.GetString(4), reader.GetString(5) == Caller.Test, reader.GetBoolean(6), reader.GetBoolean(7), reader.GetBoolean(8), reader.Id(9)));
        }
        return signals;
    }
}
