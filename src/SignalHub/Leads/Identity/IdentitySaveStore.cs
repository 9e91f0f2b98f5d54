using System.Text.Json;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Leads.Identity;

/// <summary>
/// Writes what a batch changed: one set-based statement per table, rows in one order everywhere. Keys are inserted plainly: if
/// another node was first, the unique constraint ends the transaction and the batch starts again with what is there then.
/// </summary>
public static class IdentitySaveStore
{
    // Fewer rows than there should be: somebody else has written one of them since it was read.
    private const string AllOrNone = "case when count(*) = cardinality($1) then true else refuse_stale_rows() end";

    private const string InsertContacts = """
        insert into contacts (workspace_id, id, first_name, last_name, title, seniority, function, phone, names_at,
                              email, email_class, linkedin_url, account_id, account_at, merged_into, updated_at, created_at)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
                             $10::text[], $11::text[], $12::text[], $13::uuid[], $14::timestamptz[], $15::uuid[], $16::timestamptz[], $17::timestamptz[])
        """;

    private const string UpdateContacts = $"""
        with changed as (
            update contacts c set
                first_name = n.first_name, last_name = n.last_name, title = n.title, seniority = n.seniority, function = n.function,
                phone = n.phone, names_at = n.names_at, email = n.email, email_class = n.email_class, linkedin_url = n.linkedin_url,
                account_id = n.account_id, account_at = n.account_at, merged_into = n.merged_into, updated_at = n.updated_at
              from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
                          $10::text[], $11::text[], $12::text[], $13::uuid[], $14::timestamptz[], $15::uuid[], $16::timestamptz[], $17::xid[])
                as n(workspace_id, id, first_name, last_name, title, seniority, function, phone, names_at,
                     email, email_class, linkedin_url, account_id, account_at, merged_into, updated_at, version)
             where c.workspace_id = n.workspace_id and c.id = n.id and c.xmin = n.version
            returning 1)
        select {AllOrNone} from changed
        """;

    // Somebody said again what is known: only the times are newer.
    private const string ConfirmTimes = $"""
        with changed as (
            update contacts c set names_at = n.names_at, account_at = n.account_at, updated_at = n.updated_at
              from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::xid[])
                as n(workspace_id, id, names_at, account_at, updated_at, version)
             where c.workspace_id = n.workspace_id and c.id = n.id and c.xmin = n.version
            returning 1)
        select {AllOrNone} from changed
        """;

    private const string InsertAccounts = """
        insert into accounts (workspace_id, id, name, name_at, domain, merged_into, updated_at, facts, created_at)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::timestamptz[], $8::jsonb[], $9::timestamptz[])
        """;

    private const string UpdateAccounts = $"""
        with changed as (
            update accounts a set name = n.name, name_at = n.name_at, domain = n.domain, merged_into = n.merged_into, updated_at = n.updated_at
              from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::timestamptz[], $8::xid[])
                as n(workspace_id, id, name, name_at, domain, merged_into, updated_at, version)
             where a.workspace_id = n.workspace_id and a.id = n.id and a.xmin = n.version
            returning 1)
        select {AllOrNone} from changed
        """;

    private const string InsertLeads = """
        insert into leads (workspace_id, id, contact_id, account_id, merged_into, icp_code, icp_score, persona_code, persona_score,
                           qualified, first_qualified_at, scored_signal_id, scored_occurred_at, qualification, signal_count,
                           first_source, last_source, by_source, first_signal_at, last_signal_at, updated_at, created_at)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::int[], $8::text[], $9::int[],
                             $10::bool[], $11::timestamptz[], $12::uuid[], $13::timestamptz[], $14::text[], $15::bigint[],
                             $16::text[], $17::text[], $18::jsonb[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[])
        """;

    private const string UpdateLeads = $"""
        with changed as (
            update leads l set
                contact_id = n.contact_id, account_id = n.account_id, merged_into = n.merged_into, icp_code = n.icp_code,
                icp_score = n.icp_score, persona_code = n.persona_code, persona_score = n.persona_score, qualified = n.qualified,
                first_qualified_at = n.first_qualified_at, scored_signal_id = n.scored_signal_id, scored_occurred_at = n.scored_occurred_at,
                qualification = coalesce(n.qualification, l.qualification), signal_count = n.signal_count, first_source = n.first_source,
                last_source = n.last_source, by_source = n.by_source, first_signal_at = n.first_signal_at,
                last_signal_at = n.last_signal_at, updated_at = n.updated_at
              from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::int[], $8::text[], $9::int[],
                          $10::bool[], $11::timestamptz[], $12::uuid[], $13::timestamptz[], $14::text[], $15::bigint[],
                          $16::text[], $17::text[], $18::jsonb[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], $22::xid[])
                as n(workspace_id, id, contact_id, account_id, merged_into, icp_code, icp_score, persona_code, persona_score,
                     qualified, first_qualified_at, scored_signal_id, scored_occurred_at, qualification, signal_count,
                     first_source, last_source, by_source, first_signal_at, last_signal_at, updated_at, version)
             where l.workspace_id = n.workspace_id and l.id = n.id and l.xmin = n.version
            returning 1)
        select {AllOrNone} from changed
        """;

    // What was remembered, used and left as it is. Whoever wants to change an account waits for the lock, and so scores its leads
    // again after this batch, not beside it.
    private const string ConfirmContacts = $"""
        select {AllOrNone}
          from unnest($1::uuid[], $2::uuid[], $3::xid[]) as n(workspace_id, id, version)
          join contacts c on c.workspace_id = n.workspace_id and c.id = n.id and c.xmin = n.version
        """;

    private const string ConfirmAccounts = $"""
        with kept as (
            select 1 from unnest($1::uuid[], $2::uuid[], $3::xid[]) as n(workspace_id, id, version)
              join accounts a on a.workspace_id = n.workspace_id and a.id = n.id and a.xmin = n.version
               for key share of a)
        select {AllOrNone} from kept
        """;

    private const string InsertContactKeys = """
        insert into contact_identities (workspace_id, kind, key, contact_id, display, created_at)
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[])
        """;

    private const string InsertAccountKeys = """
        insert into account_identities (workspace_id, kind, key, account_id, created_at)
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
        """;

    // Names that no signal of the batch was found by: whether another company is found by one is not known, and then it stays with that one.
    private const string InsertAccountNames = $"{InsertAccountKeys} on conflict do nothing";

    private const string MoveContactKeys = """
        update contact_identities i set contact_id = n.survivor_id
          from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n(workspace_id, loser_id, survivor_id)
         where i.workspace_id = n.workspace_id and i.contact_id = n.loser_id
        """;

    // Earlier losers point at this loser: keep every tombstone one hop from its survivor.
    private const string FlattenTombstones = """
        update contacts c set merged_into = n.survivor_id
          from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n(workspace_id, loser_id, survivor_id)
         where c.workspace_id = n.workspace_id and c.merged_into = n.loser_id
        """;

    private const string FlattenLeads = """
        update leads l set merged_into = n.survivor_id
          from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n(workspace_id, loser_id, survivor_id)
         where l.workspace_id = n.workspace_id and l.merged_into = n.loser_id
        """;

    private const string LogMerges = """
        insert into merge_log (workspace_id, id, survivor_id, loser_id, kind, reason, moved_keys, signal_id, merged_at)
        select workspace_id, id, survivor_id, loser_id, 'contact', reason, moved_keys, signal_id, merged_at
          from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[], $7::uuid[], $8::timestamptz[])
            as n(workspace_id, id, survivor_id, loser_id, reason, moved_keys, signal_id, merged_at)
        """;

    private const string AddCandidates = """
        insert into merge_candidates (workspace_id, first_id, second_id, reason, signal_id, created_at)
        select distinct on (workspace_id, first_id, second_id) *
          from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[])
            as n(workspace_id, first_id, second_id, reason, signal_id, created_at)
         order by workspace_id, first_id, second_id
        on conflict do nothing
        """;

    private const string AddHistory = """
        insert into profile_history (workspace_id, subject_id, id, field, value, replaced_at)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
        """;

    /// <summary>Appends the statements for everything the batch changed; nothing where nothing changed.</summary>
    public static void AddTo(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        AddContacts(batch, world, now);
        AddMerges(batch, world, now);
        AddContactKeys(batch, world, now);
        AddAccounts(batch, world, now);
        AddAccountKeys(batch, world, now);
        AddLeads(batch, world);
        AddNotes(batch, world, now);
    }

    private static void AddContacts(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        var rows = ByFate.Of(world.Contacts.Values, c => (c.WorkspaceId, c.Id));
        Confirm(batch, ConfirmContacts, rows.Confirmed, c => (c.WorkspaceId, c.Id));
        if (rows.Changed.TrueForAll(c => !c.IsDirty))
        {
            AddTimes(batch, rows.Changed, now);
        }
        else
        {
            // All in one statement, as one order of locks needs it.
            Columns(UpdateContacts, rows.Changed)?.Column(rows.Changed.Of(c => c.Version));
        }
        Columns(InsertContacts, rows.Made)?.Column(rows.Made.Of(c => c.CreatedAt));

        SqlStatement? Columns(string sql, List<ContactState> rows) => rows.Count == 0 ? null : batch.Add(sql)
            .Column(rows.Of(c => c.WorkspaceId)).Column(rows.Of(c => c.Id)).Column(rows.Of(c => c.FirstName)).Column(rows.Of(c => c.LastName))
            .Column(rows.Of(c => c.Title)).Column(rows.Of(c => c.Seniority)).Column(rows.Of(c => c.Function)).Column(rows.Of(c => c.Phone))
            .Column(rows.Of(c => c.NamesAt)).Column(rows.Of(c => c.Email)).Column(rows.Of(c => c.EmailClass)).Column(rows.Of(c => c.LinkedinUrl))
            .Column(rows.Of(c => c.AccountId)).Column(rows.Of(c => c.AccountAt)).Column(rows.Of(c => c.MergedInto)).Column(rows.Of(_ => now));
    }

    private static void AddTimes(NpgsqlBatch batch, List<ContactState> rows, DateTimeOffset now)
    {
        if (rows.Count > 0)
        {
            batch.Add(ConfirmTimes)
                .Column(rows.Of(c => c.WorkspaceId)).Column(rows.Of(c => c.Id)).Column(rows.Of(c => c.NamesAt)).Column(rows.Of(c => c.AccountAt))
                .Column(rows.Of(_ => now)).Column(rows.Of(c => c.Version));
        }
    }

    private static void AddAccounts(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        var rows = ByFate.Of(world.Accounts.Values, a => (a.WorkspaceId, a.Id));
        Confirm(batch, ConfirmAccounts, rows.Confirmed, a => (a.WorkspaceId, a.Id));
        Columns(UpdateAccounts, rows.Changed)?.Column(rows.Changed.Of(a => a.Version));
        Columns(InsertAccounts, rows.Made)?.JsonColumn(rows.Made.Of(a => (string?)a.FactsJson)).Column(rows.Made.Of(a => a.CreatedAt));

        SqlStatement? Columns(string sql, List<AccountState> rows) => rows.Count == 0 ? null : batch.Add(sql)
            .Column(rows.Of(a => a.WorkspaceId)).Column(rows.Of(a => a.Id)).Column(rows.Of(a => a.Name)).Column(rows.Of(a => a.NameAt))
            .Column(rows.Of(a => a.Domain)).Column(rows.Of(a => a.MergedInto)).Column(rows.Of(_ => now));
    }

    private static void AddLeads(NpgsqlBatch batch, IdentityWorld world)
    {
        var rows = ByFate.Of(world.LeadsByContact.Values.Concat(world.LeadsByAccount.Values), l => (l.WorkspaceId, l.Id));
        // Merged ones first: their place in the unique index must be free before the survivor takes their contact.
        rows.Changed.InsertRange(0, world.MergedLeads.Where(l => !l.IsNew));
        rows.Made.InsertRange(0, world.MergedLeads.Where(l => l.IsNew));
        Columns(UpdateLeads, rows.Changed)?.Column(rows.Changed.Of(l => l.Version));
        Columns(InsertLeads, rows.Made)?.Column(rows.Made.Of(l => l.CreatedAt));

        SqlStatement? Columns(string sql, List<LeadState> rows) => rows.Count == 0 ? null : batch.Add(sql)
            .Column(rows.Of(l => l.WorkspaceId)).Column(rows.Of(l => l.Id)).Column(rows.Of(l => l.ContactId)).Column(rows.Of(l => l.AccountId))
            .Column(rows.Of(l => l.MergedInto)).Column(rows.Of(l => l.IcpCode)).Column(rows.Of(l => l.IcpScore)).Column(rows.Of(l => l.PersonaCode))
            .Column(rows.Of(l => l.PersonaScore)).Column(rows.Of(l => l.Qualified)).Column(rows.Of(l => l.FirstQualifiedAt))
            .Column(rows.Of(l => l.ScoredSignalId)).Column(rows.Of(l => l.ScoredOccurredAt)).Utf8Column(rows.Of(l => l.QualificationJson))
            .Column(rows.Of(l => l.SignalCount)).Column(rows.Of(l => l.FirstSource)).Column(rows.Of(l => l.LastSource))
            .JsonColumn(rows.Of(l => (string?)l.BySourceJson)).Column(rows.Of(l => l.FirstSignalAt)).Column(rows.Of(l => l.LastSignalAt))
            .Column(rows.Of(l => l.UpdatedAt));
    }

    private static void Confirm<T>(NpgsqlBatch batch, string sql, List<T> rows, Func<T, (Guid WorkspaceId, Guid Id)> key) where T : StoredState
    {
        if (rows.Count > 0)
        {
            batch.Add(sql).Column(rows.Of(r => key(r).WorkspaceId)).Column(rows.Of(r => key(r).Id)).Column(rows.Of(r => r.Version));
        }
    }

    /// <summary>Rows by what becomes of them, each in the order in which everybody locks.</summary>
    private sealed record ByFate<T>(List<T> Confirmed, List<T> Changed, List<T> Made);

    private static class ByFate
    {
        public static ByFate<T> Of<T>(IEnumerable<T> rows, Func<T, (Guid, Guid)> key) where T : StoredState
        {
            var split = new ByFate<T>([], [], []);
            foreach (var row in rows.OrderBy(key))
            {
                (row.IsNew ? split.Made : row.IsChanged ? split.Changed : row.IsRemembered ? split.Confirmed : null)?.Add(row);
            }
            return split;
        }
    }

    private static void AddContactKeys(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        var rows = world.Contacts.Values.SelectMany(c => c.Keys.Where(k => k.IsNew), (c, k) => (Contact: c, Key: k))
            .OrderBy(r => r.Contact.WorkspaceId).ThenBy(r => r.Key.Kind, StringComparer.Ordinal).ThenBy(r => r.Key.Key, StringComparer.Ordinal).ToList();
        if (rows.Count > 0)
        {
            batch.Add(InsertContactKeys)
                .Column(rows.Of(r => r.Contact.WorkspaceId)).Column(rows.Of(r => r.Key.Kind)).Column(rows.Of(r => r.Key.Key))
                .Column(rows.Of(r => r.Contact.Id)).Column(rows.Of(r => r.Key.Display)).Column(rows.Of(_ => now));
        }
    }

    private static void AddAccountKeys(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        var rows = world.Accounts.Values.SelectMany(a => a.Keys.Where(k => k.IsNew), (a, k) => (Account: a, Key: k))
            .OrderBy(r => r.Account.WorkspaceId).ThenBy(r => r.Key.Kind, StringComparer.Ordinal).ThenBy(r => r.Key.Key, StringComparer.Ordinal).ToList();
        if (rows.Count > 0)
        {
            batch.Add(InsertAccountKeys)
                .Column(rows.Of(r => r.Account.WorkspaceId)).Column(rows.Of(r => r.Key.Kind)).Column(rows.Of(r => r.Key.Key))
                .Column(rows.Of(r => r.Account.Id)).Column(rows.Of(_ => now));
        }
        var named = world.Accounts.Values.Select(a => (Account: a, Key: a.NewNameKey)).Where(r => r.Key is not null)
            .OrderBy(r => r.Account.WorkspaceId).ThenBy(r => r.Key, StringComparer.Ordinal).ToList();
        if (named.Count > 0)
        {
            batch.Add(InsertAccountNames)
                .Column(named.Of(r => r.Account.WorkspaceId)).Column(named.Of(_ => IdentityKinds.Name)).Column(named.Of(r => r.Key))
                .Column(named.Of(r => r.Account.Id)).Column(named.Of(_ => now));
        }
    }

    private static void AddMerges(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        // Someone who was never stored leaves no tombstone that the database could know of, but its row is stored all the same:
        // its id may be in an answer of this very batch.
        var merges = world.Merges;
        if (merges.Count == 0)
        {
            return;
        }
        foreach (var sql in (string[])[MoveContactKeys, FlattenTombstones])
        {
            batch.Add(sql).Column(merges.Of(m => m.WorkspaceId)).Column(merges.Of(m => m.Loser.Id)).Column(merges.Of(m => m.Survivor.Id));
        }
        batch.Add(LogMerges)
            .Column(merges.Of(m => m.WorkspaceId)).Column(merges.Of(_ => Ids.New(now))).Column(merges.Of(m => m.Survivor.Id))
            .Column(merges.Of(m => m.Loser.Id)).Column(merges.Of(m => m.Reason))
            .JsonColumn(merges.Of(m => (string?)JsonSerializer.Serialize(m.MovedKeys.Select(k => new { k.Kind, k.Key }), Json.Options)))
            .Column(merges.Of(m => m.SignalId)).Column(merges.Of(_ => now));
        if (world.MergedLeads is { Count: > 0 } leads)
        {
            batch.Add(FlattenLeads).Column(leads.Of(l => l.WorkspaceId)).Column(leads.Of(l => l.Id)).Column(leads.Of(l => l.MergedInto!.Value));
        }
    }

    private static void AddNotes(NpgsqlBatch batch, IdentityWorld world, DateTimeOffset now)
    {
        if (world.Candidates is { Count: > 0 } candidates)
        {
            batch.Add(AddCandidates)
                .Column(candidates.Of(c => c.WorkspaceId)).Column(candidates.Of(c => c.FirstId)).Column(candidates.Of(c => c.SecondId))
                .Column(candidates.Of(c => c.Reason)).Column(candidates.Of(c => c.SignalId)).Column(candidates.Of(_ => now));
        }
        if (world.History is { Count: > 0 } history)
        {
            var workspaces = world.Contacts.Values.ToDictionary(c => c.Id, c => c.WorkspaceId);
            foreach (var account in world.Accounts.Values)
            {
                workspaces.Add(account.Id, account.WorkspaceId);
            }
            batch.Add(AddHistory)
                .Column(history.Of(h => workspaces[h.SubjectId])).Column(history.Of(h => h.SubjectId)).Column(history.Of(_ => Ids.New(now)))
                .Column(history.Of(h => h.Field)).Column(history.Of(h => h.Value)).Column(history.Of(_ => now));
        }
    }
}
