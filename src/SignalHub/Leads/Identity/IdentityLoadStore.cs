using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Leads.Identity;

/// <summary>
/// Reads and locks what the keys of a batch touch, all in one round trip. Locks are taken in one order everywhere (contacts,
/// accounts, leads; each by workspace and id), so that batches of several nodes with crossing keys wait instead of deadlocking.
/// </summary>
public static class IdentityLoadStore
{
    private const string ContactKeys = "unnest($1::uuid[], $2::text[], $3::text[]) as p(workspace_id, kind, key)";

    private const string TouchedContacts = $"""
        select distinct i.workspace_id, i.contact_id
          from {ContactKeys}
          join contact_identities i on i.workspace_id = p.workspace_id and i.kind = p.kind and i.key = p.key
        """;

    private const string TouchedAccounts = """
        select i.workspace_id, i.account_id
          from unnest($4::uuid[], $5::text[], $6::text[]) as p(workspace_id, kind, key)
          join account_identities i on i.workspace_id = p.workspace_id and i.kind = p.kind and i.key = p.key
        union
        select c.workspace_id, c.account_id
          from unnest($1::uuid[], $2::text[], $3::text[]) as p(workspace_id, kind, key)
          join contact_identities i on i.workspace_id = p.workspace_id and i.kind = p.kind and i.key = p.key
          join contacts c on c.workspace_id = i.workspace_id and c.id = i.contact_id
         where c.account_id is not null
        """;

    private const string LoadContacts = $"""
        select c.workspace_id, c.id, c.created_at, c.first_name, c.last_name, c.title, c.seniority, c.function, c.phone, c.names_at,
               c.email, c.email_class, c.linkedin_url, c.account_id, c.account_at, c.merged_into, c.xmin
          from ({TouchedContacts}) t
          join contacts c on c.workspace_id = t.workspace_id and c.id = t.contact_id
         order by c.workspace_id, c.id
           for update of c
        """;

    // Found through a contact, so with the locks of the statement before this one held.
    private const string LoadContactKeys = $"""
        select i.workspace_id, i.contact_id, i.kind, i.key, i.display
          from ({TouchedContacts}) t
          join contact_identities i on i.workspace_id = t.workspace_id and i.contact_id = t.contact_id
         order by i.created_at, i.kind, i.key
        """;

    private const string LoadAccounts = $"""
        select a.workspace_id, a.id, a.created_at, a.name, a.name_at, a.domain, a.facts, a.merged_into, a.xmin
          from ({TouchedAccounts}) t(workspace_id, account_id)
          join accounts a on a.workspace_id = t.workspace_id and a.id = t.account_id
         order by a.workspace_id, a.id
           for update of a
        """;

    private const string LoadAccountKeys = $"""
        select i.workspace_id, i.account_id, i.kind, i.key
          from ({TouchedAccounts}) t(workspace_id, account_id)
          join account_identities i on i.workspace_id = t.workspace_id and i.account_id = t.account_id
         order by i.created_at, i.kind, i.key
        """;

    // Laterals with a limit: as plain joins, a fresh table's plan begins with the leads and walks all of them.
    private const string LoadLeads = $"""
        select l.workspace_id, l.id, l.created_at, l.contact_id, l.account_id, l.icp_code, l.icp_score, l.persona_code, l.persona_score,
               l.qualified, l.first_qualified_at, l.scored_signal_id, l.scored_occurred_at, l.qualification, l.signal_count,
               l.first_source, l.last_source, l.by_source, l.first_signal_at, l.last_signal_at, l.updated_at, l.xmin
          from (select c.workspace_id, x.id
                  from ({TouchedContacts}) c
                 cross join lateral (select l.id from leads l
                     where l.workspace_id = c.workspace_id and l.contact_id = c.contact_id and l.contact_id is not null and l.merged_into is null
                     limit 1) x
                union all
                select a.workspace_id, x.id
                  from ({TouchedAccounts}) a(workspace_id, account_id)
                 cross join lateral (select l.id from leads l
                     where l.workspace_id = a.workspace_id and l.account_id = a.account_id and l.contact_id is null and l.merged_into is null
                     limit 1) x) t
          join leads l on l.workspace_id = t.workspace_id and l.id = t.id
         order by l.workspace_id, l.id
           for update of l
        """;

    private const string LoadDoNotMerge = $"""
        select d.first_id, d.second_id
          from ({TouchedContacts}) t
          join do_not_merge d on d.workspace_id = t.workspace_id and d.first_id = t.contact_id
        """;

    // What was remembered beside what is read: in this order locks may be taken only without waiting. Somebody has one: 55P03, and the
    // batch starts again, reading all of it.
    private const string KeepContacts = """
        select 1 from unnest($1::uuid[], $2::uuid[]) as n(workspace_id, id) join contacts c on c.workspace_id = n.workspace_id and c.id = n.id
           for no key update of c nowait
        """;

    private const string KeepAccounts = """
        select 1 from unnest($1::uuid[], $2::uuid[]) as n(workspace_id, id) join accounts a on a.workspace_id = n.workspace_id and a.id = n.id
           for key share of a nowait
        """;

    private const string KeepLeads = """
        select 1 from unnest($1::uuid[], $2::uuid[]) as n(workspace_id, id) join leads l on l.workspace_id = n.workspace_id and l.id = n.id
           for no key update of l nowait
        """;

    /// <summary>
    /// Appends the statements that lock what is remembered, in a batch that reads other people too; each answers with rows that say nothing.
    /// </summary>
    /// <returns>How many results they have.</returns>
    public static int AddKept(NpgsqlBatch batch, IdentityWorld world)
    {
        (string Sql, (Guid WorkspaceId, Guid Id)[] Rows)[] kept =
        [
            (KeepContacts, [.. world.Contacts.Values.Where(c => c.IsRemembered).Select(c => (c.WorkspaceId, c.Id))]),
            (KeepAccounts, [.. world.Accounts.Values.Where(a => a.IsRemembered).Select(a => (a.WorkspaceId, a.Id))]),
            (KeepLeads, [.. world.LeadsByContact.Values.Concat(world.LeadsByAccount.Values).Where(l => !l.IsNew).Select(l => (l.WorkspaceId, l.Id))]),
        ];
        var results = 0;
        foreach (var (sql, rows) in kept.Where(k => k.Rows.Length > 0))
        {
            batch.Add(sql).Column(rows.Of(r => r.WorkspaceId)).Column(rows.Of(r => r.Id));
            results++;
        }
        return results;
    }

    /// <summary>Appends the statements; <see cref="ReadAsync"/> reads their results in the same order.</summary>
    public static void AddTo(NpgsqlBatch batch, IReadOnlyCollection<KeyRef> contactKeys, IReadOnlyCollection<KeyRef> accountKeys)
    {
        var contacts = contactKeys.ToArray();
        var accounts = accountKeys.ToArray();
        foreach (var sql in (string[])[LoadContacts, LoadContactKeys])
        {
            AddKeys(batch.Add(sql), contacts);
        }
        foreach (var sql in (string[])[LoadAccounts, LoadAccountKeys, LoadLeads])
        {
            AddKeys(AddKeys(batch.Add(sql), contacts), accounts);
        }
        AddKeys(batch.Add(LoadDoNotMerge), contacts);
    }

    private static SqlStatement AddKeys(SqlStatement command, KeyRef[] keys) =>
        command.Column(keys.Of(k => k.WorkspaceId)).Column(keys.Of(k => k.Kind)).Column(keys.Of(k => k.Key));

    /// <summary>
    /// Reads the results into the world; the reader stands on the first of them and afterwards behind the last. What is read is
    /// locked and so replaces what was remembered.
    /// </summary>
    public static async Task ReadAsync(NpgsqlDataReader reader, IdentityWorld world, CancellationToken ct)
    {
        while (await reader.ReadAsync(ct))
        {
            var contact = ReadContact(reader);
            world.Contacts[contact.Id] = contact;
        }
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var key = new HeldKey(reader.GetString(2), reader.GetString(3), reader.GetString(4));
            world.ContactKeys[new KeyRef(reader.GetGuid(0), key.Kind, key.Key)] = reader.GetGuid(1);
            world.Contacts.GetValueOrDefault(reader.GetGuid(1))?.Keys.Add(key);
        }
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var account = ReadAccount(reader);
            world.Accounts[account.Id] = account;
        }
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var key = new HeldKey(reader.GetString(2), reader.GetString(3), reader.GetString(3));
            world.AccountKeys[new KeyRef(reader.GetGuid(0), key.Kind, key.Key)] = reader.GetGuid(1);
            world.Accounts.GetValueOrDefault(reader.GetGuid(1))?.Keys.Add(key);
        }
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var lead = ReadLead(reader);
            (lead.ContactId is { } contactId ? world.LeadsByContact : world.LeadsByAccount)[lead.ContactId ?? lead.AccountId!.Value] = lead;
        }
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            world.DoNotMerge.Add((reader.GetGuid(0), reader.GetGuid(1)));
        }
        await reader.NextResultAsync(ct);
    }

    private static ContactState ReadContact(NpgsqlDataReader r) => new()
    {
        WorkspaceId = r.GetGuid(0),
        Id = r.GetGuid(1),
        CreatedAt = r.GetFieldValue<DateTimeOffset>(2),
        FirstName = r.Text(3),
        LastName = r.Text(4),
        Title = r.Text(5),
        Seniority = r.Text(6),
        Function = r.Text(7),
        Phone = r.Text(8),
        NamesAt = r.Instant(9),
        Email = r.Text(10),
        EmailClass = r.Text(11),
        LinkedinUrl = r.Text(12),
        AccountId = r.Id(13),
        AccountAt = r.Instant(14),
        MergedInto = r.Id(15),
        Version = r.GetFieldValue<uint>(16),
    };

    private static AccountState ReadAccount(NpgsqlDataReader r) => new()
    {
        WorkspaceId = r.GetGuid(0),
        Id = r.GetGuid(1),
        CreatedAt = r.GetFieldValue<DateTimeOffset>(2),
        Name = r.Text(3),
        NameAt = r.Instant(4),
        Domain = r.Text(5),
        FactsJson = r.GetString(6),
        MergedInto = r.Id(7),
        Version = r.GetFieldValue<uint>(8),
    };

    private static LeadState ReadLead(NpgsqlDataReader r) => new()
    {
        WorkspaceId = r.GetGuid(0),
        Id = r.GetGuid(1),
        CreatedAt = r.GetFieldValue<DateTimeOffset>(2),
        ContactId = r.Id(3),
        AccountId = r.Id(4),
        IcpCode = r.Text(5),
        IcpScore = r.Int(6),
        PersonaCode = r.Text(7),
        PersonaScore = r.Int(8),
        Qualified = r.Bool(9),
        FirstQualifiedAt = r.Instant(10),
        ScoredSignalId = r.Id(11),
        ScoredOccurredAt = r.Instant(12),
        QualificationJson = r.IsDBNull(13) ? null : r.GetFieldValue<byte[]>(13),
        SignalCount = r.GetInt64(14),
        FirstSource = r.Text(15),
        LastSource = r.Text(16),
        BySourceJson = r.GetString(17),
        FirstSignalAt = r.Instant(18),
        LastSignalAt = r.Instant(19),
        UpdatedAt = r.GetFieldValue<DateTimeOffset>(20),
        Version = r.GetFieldValue<uint>(21),
    };
}
