using System.Text.Json;
using Npgsql;
using SignalHub.Leads;
using SignalHub.Storage;

namespace SignalHub.Operations;

/// <summary>An account with leads that are still to be scored again.</summary>
public sealed record PendingRescore(Guid WorkspaceId, Guid AccountId, Guid AfterLeadId);

/// <summary>A lead with everything its score depends on.</summary>
public sealed record LeadToScore(Guid LeadId, StoredSignalFields Signal, ContactState? Contact, AccountState Account);

/// <summary>A lead's new figures.</summary>
public sealed record RescoredLead(
    Guid LeadId, string? IcpCode, int IcpScore, string? PersonaCode, int PersonaScore, bool Qualified, byte[] QualificationJson);

/// <summary>Reads leads with the signals they show, and writes their new figures, a batch in a transaction.</summary>
public sealed class RescoreStore(Database database)
{
    private const string LoadLeads = """
        select l.id, s.id, s.type_key, s.source, s.event_name, s.bucket, s.mode, s.occurred_at, s.received_at, s.context::text,
               c.id, c.created_at, c.first_name, c.last_name, c.title, c.seniority, c.function, c.phone, c.email, c.email_class, c.linkedin_url,
               a.created_at, a.name, a.domain, a.facts::text
          from (select l.id from contacts c join leads l on l.workspace_id = c.workspace_id and l.contact_id = c.id
                 where c.workspace_id = $1 and c.account_id = $2 and c.merged_into is null and l.merged_into is null and l.id > $3
                union all
                select l.id from leads l
                 where l.workspace_id = $1 and l.account_id = $2 and l.contact_id is null and l.merged_into is null and l.id > $3
                 order by 1 limit $4) t
          join leads l on l.workspace_id = $1 and l.id = t.id
          join signals s on s.workspace_id = $1 and s.occurred_at = l.scored_occurred_at and s.id = l.scored_signal_id
          join accounts a on a.workspace_id = $1 and a.id = $2
          left join contacts c on c.workspace_id = $1 and c.id = l.contact_id
         order by l.id
           for update of l
        """;

    private const string SaveLeads = """
        update leads l
           set icp_code = n.icp_code, icp_score = n.icp_score, persona_code = n.persona_code, persona_score = n.persona_score,
               qualified = n.qualified, qualification = n.qualification, updated_at = $9,
               first_qualified_at = case when n.qualified then coalesce(l.first_qualified_at, $9) else l.first_qualified_at end
          from unnest($2::uuid[], $3::text[], $4::int[], $5::text[], $6::int[], $7::bool[], $8::text[])
            as n(id, icp_code, icp_score, persona_code, persona_score, qualified, qualification)
         where l.workspace_id = $1 and l.id = n.id
        """;

    private const string Remember = """
        insert into rescore_queue (workspace_id, account_id, after_lead_id, requested_at) values ($1, $2, $3, $4)
        on conflict (workspace_id, account_id) do update set after_lead_id = least(rescore_queue.after_lead_id, excluded.after_lead_id)
        """;

    private const string MoveOn = "update rescore_queue set after_lead_id = $4 where workspace_id = $1 and account_id = $2 and after_lead_id = $3";

    private const string Forget = "delete from rescore_queue where workspace_id = $1 and account_id = $2 and after_lead_id = $3";

    /// <summary>The longest waiting account; null: none waits.</summary>
    public async Task<PendingRescore?> NextAsync(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand(
            "select workspace_id, account_id, after_lead_id from rescore_queue order by requested_at limit 1");
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new PendingRescore(reader.GetGuid(0), reader.GetGuid(1), reader.GetGuid(2)) : null;
    }

    /// <summary>
    /// Scores up to a batch of the account's leads behind <paramref name="after"/>, and keeps on record what is left. Two nodes that
    /// do the same batch write the same figures.
    /// </summary>
    public async Task ScoreAsync(
        Guid workspaceId, Guid accountId, Guid after, DateTimeOffset now, Func<LeadToScore, RescoredLead> score, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var leads = await LoadAsync(connection, workspaceId, accountId, after, ct);
        var scored = leads.ConvertAll(lead => score(lead));
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (scored.Count > 0)
        {
            AddSave(batch, workspaceId, scored, now);
        }
        var isLast = leads.Count < LeadRescoring.Batch;
        if (after == Guid.Empty && !isLast)
        {
            batch.Add(Remember).Value(workspaceId).Value(accountId).Value(leads[^1].LeadId).Value(now);
        }
        else if (after != Guid.Empty)
        {
            var statement = batch.Add(isLast ? Forget : MoveOn).Value(workspaceId).Value(accountId).Value(after);
            if (!isLast)
            {
                statement.Value(leads[^1].LeadId);
            }
        }
        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(ct);
        }
        await transaction.CommitAsync(ct);
    }

    private static async Task<List<LeadToScore>> LoadAsync(NpgsqlConnection connection, Guid workspaceId, Guid accountId, Guid after, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(LoadLeads, connection);
        foreach (var value in (object[])[workspaceId, accountId, after, LeadRescoring.Batch])
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        var leads = new List<LeadToScore>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            leads.Add(Read(reader, workspaceId, accountId));
        }
        return leads;
    }

    private static LeadToScore Read(NpgsqlDataReader r, Guid workspaceId, Guid accountId)
    {
        var signal = new StoredSignalFields(r.GetGuid(1), r.GetString(2), r.GetString(3), r.Text(4), r.Text(5), r.GetString(6),
            r.GetFieldValue<DateTimeOffset>(7), r.GetFieldValue<DateTimeOffset>(8), JsonDocument.Parse(r.GetString(9)).RootElement);
        var contact = r.Id(10) is not { } id ? null : new ContactState
        {
            WorkspaceId = workspaceId,
            Id = id,
            CreatedAt = r.GetFieldValue<DateTimeOffset>(11),
            FirstName = r.Text(12),
            LastName = r.Text(13),
            Title = r.Text(14),
            Seniority = r.Text(15),
            Function = r.Text(16),
            Phone = r.Text(17),
            Email = r.Text(18),
            EmailClass = r.Text(19),
            LinkedinUrl = r.Text(20),
        };
        var account = new AccountState
        {
            WorkspaceId = workspaceId,
            Id = accountId,
            CreatedAt = r.GetFieldValue<DateTimeOffset>(21),
            Name = r.Text(22),
            Domain = r.Text(23),
            FactsJson = r.GetString(24),
        };
        return new LeadToScore(r.GetGuid(0), signal, contact, account);
    }

    private static void AddSave(NpgsqlBatch batch, Guid workspaceId, List<RescoredLead> leads, DateTimeOffset now) =>
        batch.Add(SaveLeads).Value(workspaceId).Column(leads.Of(l => l.LeadId)).Column(leads.Of(l => l.IcpCode)).Column(leads.Of(l => (int?)l.IcpScore))
            .Column(leads.Of(l => l.PersonaCode)).Column(leads.Of(l => (int?)l.PersonaScore)).Column(leads.Of(l => l.Qualified))
            .Utf8Column(leads.Of(l => l.QualificationJson)).Value(now);
}
