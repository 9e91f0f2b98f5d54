using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;
using SignalHub.Automations;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Signals.Intake;

/// <summary>A signal that is stored already, found by its derived id or by the key its client chose.</summary>
/// <param name="ContentHash">Client keys only: what was sent the first time.</param>
public sealed record StoredDuplicate(CapturedSignal Captured, long PayloadHash, byte[]? ContentHash);

/// <summary>The SQL of the intake: one round trip for a batch about people who are remembered, else two, whatever its size.</summary>
public static class IntakeStore
{
    // For batches that lock everything in the order that everybody keeps: they wait for as long as it takes.
    private const string Patience = "select set_config('lock_timeout', '0', true)";

    // What the connections of Database.OpenWriterAsync have from the start, where there are none: behind a pooler.
    private const string WriterSettings = $"""
        select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
               set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
               set_config('lock_timeout', '{Database.WriterPatience}', true)
        """;

    private const string StoredColumns = """
        s.id, s.occurred_at, s.received_at, s.payload_hash, s.bucket, s.autoqualify, s.qualified,
        s.icp_code, s.icp_score, s.persona_code, s.persona_score, s.warnings,
        coalesce((select l.merged_into from leads l where l.workspace_id = s.workspace_id and l.id = s.lead_id), s.lead_id),
        coalesce((select a.merged_into from accounts a where a.workspace_id = s.workspace_id and a.id = s.account_id), s.account_id),
        coalesce((select c.merged_into from contacts c where c.workspace_id = s.workspace_id and c.id = s.contact_id), s.contact_id)
        """;

    private const string FindById = $"""
        select p.ord, null::bytea, {StoredColumns}
          from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) with ordinality as p(workspace_id, occurred_at, id, ord)
          join signals s on s.workspace_id = p.workspace_id and s.occurred_at = p.occurred_at and s.id = p.id
         where s.occurred_at between $4 and $5      -- constants of the execution: only the months of the batch are opened
        """;

    private const string FindByClientKey = $"""
        select p.ord, k.content_hash, {StoredColumns}
          from unnest($1::uuid[], $2::text[], $3::bytea[]) with ordinality as p(workspace_id, mode, key_hash, ord)
          join idempotency_keys k on k.workspace_id = p.workspace_id and k.mode = p.mode and k.key_hash = p.key_hash
          join signals s on s.workspace_id = k.workspace_id and s.occurred_at = k.occurred_at and s.id = k.signal_id
        """;

    // Answers with the transaction's number.
    private const string InsertSignals = """
        with inserted as (
        insert into signals (workspace_id, occurred_at, id, received_at, type_key, type_sent, source, event_name, bucket, mode,
                             backfill, autoqualify, identity, context, payload_hash, contact_id, account_id, lead_id,
                             qualified, icp_code, icp_score, persona_code, persona_score, qualification, warnings)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
                             $9::text[], $10::text[], $11::bool[], $12::bool[], $13::jsonb[], $14::jsonb[], $15::bigint[],
                             $16::uuid[], $17::uuid[], $18::uuid[], $19::bool[], $20::text[], $21::int[], $22::text[], $23::int[],
                             $24::text[], $25::jsonb[]))
        select pg_current_xact_id()::xid
        """;

    private const string InsertClientKeys = """
        insert into idempotency_keys (workspace_id, mode, key_hash, signal_id, occurred_at, content_hash, created_at)
        select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::timestamptz[], $6::bytea[], $7::timestamptz[])
        """;

    /// <summary>Begins the transaction; finds the duplicates, if they are looked for, and locks and reads what keys touch.</summary>
    /// <param name="unknown">The items whose people and companies are read; the others are in the world already.</param>
    /// <param name="relies">On what is in the world: the others are not read.</param>
    public static async Task<IReadOnlyDictionary<int, StoredDuplicate>> LoadAsync(
        KeptBatch batch, bool prepare, IReadOnlyList<IntakeItem> items, bool findDuplicates, IReadOnlyList<IntakeItem> unknown,
        bool relies, IdentityWorld world, CancellationToken ct)
    {
        batch.Add("begin");
        var settings = AddSettings(batch, prepare, relies);
        var natural = findDuplicates ? IndexesOf(items, clientKeys: false) : [];
        var byClient = findDuplicates ? IndexesOf(items, clientKeys: true) : [];
        // People first: once they are locked, whoever stored a signal about them before is seen below. The other way round, another node
        // could store it while this one waits for the lock, and the whole batch would start again.
        var kept = 0;
        if (unknown.Count > 0)
        {
            IdentityLoadStore.AddTo(batch, KeysOf(unknown, person: true), KeysOf(unknown, person: false));
            kept = relies ? IdentityLoadStore.AddKept(batch, world) : 0;
        }
        if (natural.Count > 0)
        {
            AddFindById(batch, natural.ConvertAll(i => items[i]));
        }
        if (byClient.Count > 0)
        {
            batch.Add(FindByClientKey)
                .Column(byClient.Of(i => items[i].WorkspaceId)).Column(byClient.Of(i => items[i].Mode)).Column(byClient.Of(i => items[i].Dedupe.Hash));
        }
        var duplicates = new Dictionary<int, StoredDuplicate>();
        await using var reader = await batch.SendAsync(prepare, ct);
        for (; settings > 0; settings--)
        {
            await reader.NextResultAsync(ct);   // each answers with a row
        }
        if (unknown.Count > 0)
        {
            await IdentityLoadStore.ReadAsync(reader, world, ct);
        }
        for (; kept > 0; kept--)
        {
            await reader.NextResultAsync(ct);
        }
        foreach (var indexes in ((List<int>[])[natural, byClient]).Where(i => i.Count > 0))
        {
            while (await reader.ReadAsync(ct))
            {
                duplicates.Add(indexes[(int)reader.GetInt64(0) - 1], ReadStored(reader));
            }
            await reader.NextResultAsync(ct);
        }
        return duplicates;
    }

    private static int AddSettings(NpgsqlBatch batch, bool prepare, bool relies)
    {
        if (!prepare)
        {
            batch.Add(WriterSettings);
        }
        if (!relies)
        {
            batch.Add(Patience);
        }
        return (prepare ? 0 : 1) + (relies ? 0 : 1);
    }

    private static void AddFindById(NpgsqlBatch batch, List<IntakeItem> items)
    {
        batch.Add(FindById).Column(items.Of(i => i.WorkspaceId)).Column(items.Of(i => i.OccurredAt)).Column(items.Of(i => i.SignalId))
            .Value(items.Min(i => i.OccurredAt)).Value(items.Max(i => i.OccurredAt));
    }

    /// <summary>Writes the plan and commits, in one round trip; answers the transaction's number.</summary>
    /// <param name="begun">The transaction of <see cref="LoadAsync"/> is open; otherwise the round trip is the transaction.</param>
    public static async Task<uint> SaveAsync(
        KeptBatch batch, bool prepare, bool begun, IntakePlan plan, DateTimeOffset now, CancellationToken ct)
    {
        // What is sent up to one sync is one transaction, also without saying so.
        if (!begun && !prepare)
        {
            batch.Add(WriterSettings);
        }
        IdentitySaveStore.AddTo(batch, plan.World, now);
        AddSignals(batch, [.. plan.Signals.OrderBy(s => s.Item.WorkspaceId).ThenBy(s => s.Item.OccurredAt).ThenBy(s => s.Item.SignalId)]);
        AddClientKeys(batch, plan, now);
        OutboxStore.AddTo(batch, plan.Events, plan.Deliveries);
        AutomationRunStore.AddTo(batch, plan.Actions);
        UsageStore.AddTo(batch, plan.Signals.Select(s => (s.Item.WorkspaceId, s.Item.ReceivedAt, s.Item.IsTest)));
        if (begun)
        {
            batch.Add("commit");
        }
        var transaction = 0u;
        await using var reader = await batch.SendAsync(prepare, ct);
        do
        {
            // That of the signals; where others answer, it is with true.
            transaction = await reader.ReadAsync(ct) && reader.GetValue(0) is uint number ? number : transaction;
        }
        while (await reader.NextResultAsync(ct));   // whatever fails does so here
        return transaction != 0 ? transaction : throw new InvalidOperationException("The insert of the signals did not answer with its transaction.");
    }

    public static async Task RollbackAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("rollback", connection);
        await command.ExecuteNonQueryAsync();
    }

    private static void AddSignals(NpgsqlBatch batch, List<PlannedSignal> rows) => batch.Add(InsertSignals)
        .Column(rows.Of(s => s.Item.WorkspaceId)).Column(rows.Of(s => s.Item.OccurredAt)).Column(rows.Of(s => s.Item.SignalId))
        .Column(rows.Of(s => s.Item.ReceivedAt)).Column(rows.Of(s => s.Item.Type.Key)).Column(rows.Of(s => s.Item.TypeSent))
        .Column(rows.Of(s => s.Item.Source)).Column(rows.Of(s => s.Item.EventName)).Column(rows.Of(s => s.Bucket))
        .Column(rows.Of(s => s.Item.Mode)).Column(rows.Of(s => s.Item.Backfill)).Column(rows.Of(s => s.Item.Type.Autoqualify))
        .JsonColumn(rows.Of(s => Utf8(s.Item.IdentityAsRead))).JsonColumn(rows.Of(s => Utf8(s.Item.Context)))
        .Column(rows.Of(s => s.Item.Content.Payload)).Column(rows.Of(s => s.ContactId)).Column(rows.Of(s => s.AccountId))
        .Column(rows.Of(s => s.LeadId)).Column(rows.Of(s => s.Qualified)).Column(rows.Of(s => s.Figures.IcpCode))
        .Column(rows.Of(s => s.Figures.IcpScore)).Column(rows.Of(s => s.Figures.PersonaCode)).Column(rows.Of(s => s.Figures.PersonaScore))
        .Utf8Column(rows.Of(s => s.QualificationJson))
        .JsonColumn(rows.Of(s => s.Item.Warnings.Count == 0 ? null : JsonSerializer.Serialize(s.Item.Warnings, Json.Options)));

    private static byte[] Utf8(JsonElement document) => JsonMarshal.GetRawUtf8Value(document).ToArray();

    private static void AddClientKeys(NpgsqlBatch batch, IntakePlan plan, DateTimeOffset now)
    {
        var rows = plan.Signals.Where(s => s.Item.Dedupe.IsClientKey)
            .OrderBy(s => s.Item.WorkspaceId).ThenBy(s => Convert.ToHexString(s.Item.Dedupe.Hash), StringComparer.Ordinal).ToList();
        if (rows.Count > 0)
        {
            batch.Add(InsertClientKeys)
                .Column(rows.Of(s => s.Item.WorkspaceId)).Column(rows.Of(s => s.Item.Mode)).Column(rows.Of(s => s.Item.Dedupe.Hash))
                .Column(rows.Of(s => s.Item.SignalId)).Column(rows.Of(s => s.Item.OccurredAt)).Column(rows.Of(s => s.Item.Content.Bytes))
                .Column(rows.Of(_ => now));
        }
    }

    private static List<int> IndexesOf(IReadOnlyList<IntakeItem> items, bool clientKeys)
    {
        var indexes = new List<int>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Dedupe.IsClientKey == clientKeys)
            {
                indexes.Add(i);
            }
        }
        return indexes;
    }

    private static HashSet<KeyRef> KeysOf(IReadOnlyList<IntakeItem> items, bool person)
    {
        var keys = new HashSet<KeyRef>();
        foreach (var item in items)
        {
            foreach (var key in item.Identity.Keys)
            {
                if (key.IsOfPerson == person)
                {
                    keys.Add(KeyRef.Of(item.WorkspaceId, key));
                }
            }
        }
        return keys;
    }

    private static StoredDuplicate ReadStored(NpgsqlDataReader r)
    {
        var captured = new CapturedSignal(
            r.GetGuid(2), r.GetFieldValue<DateTimeOffset>(3), r.GetFieldValue<DateTimeOffset>(4), IsDuplicate: true, PayloadDiffers: false, r.Text(6),
            r.Id(14), r.Id(15), r.Id(16), r.GetBoolean(7), r.Bool(8),
            new QualificationFigures(r.Text(9), r.Int(10), r.Text(11), r.Int(12)),
            r.Text(13) is { } warnings ? JsonSerializer.Deserialize<List<Warning>>(warnings, Json.Options)! : []);
        return new StoredDuplicate(captured, r.GetInt64(5), r.IsDBNull(1) ? null : r.GetFieldValue<byte[]>(1));
    }
}
