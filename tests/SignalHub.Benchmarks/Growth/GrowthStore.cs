using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace SignalHub.Benchmarks.Growth;

/// <summary>Bytes a stored signal takes.</summary>
internal sealed record StoredSizes(long Signals, double HeapBytes, double IndexBytes);

/// <summary>What the database counted up to a moment.</summary>
/// <param name="Usage">Of the workspaces.</param>
/// <param name="OnLeads">Of all leads.</param>
/// <param name="WalBytes">Written since the server was made.</param>
internal sealed record Counters(long Usage, long OnLeads, long WalBytes);

/// <summary>A database with a history: filled by SQL with rows as the service makes them, then measured, emptied of what a measurement added besides signals.</summary>
internal sealed class GrowthStore(string connectionString) : IAsyncDisposable
{
    /// <summary>Beside the crowd that posts are about, which the service made.</summary>
    public const int People = 100_000;

    private const int Companies = 20_000;
    private const int Months = 24;
    private const int Chunks = 2 * Months;
    private const int Sessions = 2; // as many as the machine has cores

    // People and companies with their leads; each has as many signals as the others, which the leads count.
    private static string Society(int signals) => string.Create(CultureInfo.InvariantCulture, $"""
        create unlogged table bench_people as
        select p, w.ids[1 + p % cardinality(w.ids)] as workspace_id, md5('c' || p)::uuid as contact_id, md5('a' || p % {Companies})::uuid as account_id,
               md5('l' || p)::uuid as lead_id, format('grown%s@firm%s.com', lpad(p::text, 6, '0'), lpad((p % {Companies})::text, 5, '0')) as email,
               format('firm%s.com', lpad((p % {Companies})::text, 5, '0')) as domain, null::jsonb as identity
          from generate_series(0, {People} - 1) p, (select array_agg(id order by id) as ids from workspaces) w;
        update bench_people set identity = (select s.identity from bench_sample s) || jsonb_build_object('email', email, 'company_domain', domain);
        insert into accounts (workspace_id, id, domain, created_at, updated_at)
        select distinct on (account_id) workspace_id, account_id, domain, now() - interval '24 months', now() from bench_people order by account_id;
        insert into account_identities (workspace_id, kind, key, account_id, created_at)
        select distinct on (account_id) workspace_id, 'domain', domain, account_id, now() from bench_people order by account_id;
        insert into contacts (workspace_id, id, first_name, last_name, title, seniority, function, names_at, email, email_class, account_id, account_at, created_at, updated_at)
        select workspace_id, contact_id, 'Jane', 'Doe', 'VP Engineering', 'vp', 'engineering', now(), email, 'work', account_id, now(),
               now() - interval '24 months' * (p / {People}.0), now() from bench_people;
        insert into contact_identities (workspace_id, kind, key, contact_id, display, created_at)
        select workspace_id, 'email', email, contact_id, email, now() from bench_people;
        insert into leads (workspace_id, id, contact_id, account_id, icp_code, icp_score, persona_code, persona_score, qualified, first_qualified_at,
                           qualification, signal_count, first_source, last_source, by_source, first_signal_at, last_signal_at, created_at, updated_at)
        select p.workspace_id, p.lead_id, p.contact_id, p.account_id, s.icp_code, s.icp_score, s.persona_code, s.persona_score, true, now(),
               s.qualification, {signals} / {People}, 'segment', 'segment', jsonb_build_object('segment', {signals} / {People}), now() - interval '24 months', now(),
               now() - interval '24 months' * (p.p / {People}.0), now()
          from bench_people p, bench_sample s;
        insert into usage_days (workspace_id, day, events)
        select w.id, d::date, {signals} / 730 / (select count(*) from workspaces) from workspaces w, generate_series(now() - interval '730 days', now() - interval '1 day', interval '1 day') d
        on conflict do nothing
        """);

    // In order of time, as they would have come; 7919 is a prime, so that neighbours are of different people.
    private const string Signals = """
        insert into signals (workspace_id, occurred_at, id, received_at, type_key, source, event_name, mode, backfill, autoqualify, identity, context, payload_hash,
                             contact_id, account_id, lead_id, qualified, icp_code, icp_score, persona_code, persona_score, qualification)
        select p.workspace_id, t.at, (lpad(to_hex((extract(epoch from t.at) * 1000)::bigint), 12, '0') || substr(md5(i::text), 1, 20))::uuid, t.at + interval '40 ms',
               'custom_event', 'segment', 'user_invited_teammate', 'live', false, true, p.identity, s.context, i,
               p.contact_id, p.account_id, p.lead_id, true, s.icp_code, s.icp_score, s.persona_code, s.persona_score, s.qualification
          from generate_series($1::bigint, $2::bigint) i
         cross join lateral (select date_trunc('month', now()) - interval '23 months' + i * ((now() - interval '1 hour' - date_trunc('month', now()) + interval '23 months') / $3::float8) as at) t
          join bench_people p on p.p = (i * 7919) % $4::int, bench_sample s
        """;

    private const string Calm = """
        truncate webhook_events, delivery_queue, usage_batches, usage_slots;
        vacuum analyze leads; vacuum analyze contacts; analyze contact_identities; analyze accounts; analyze account_identities;
        checkpoint
        """;

    private const string Sizes = """
        select sum(c.reltuples)::bigint, sum(pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::bigint, sum(pg_indexes_size(c.oid))::bigint
          from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'signals'::regclass and c.reltuples > 0
        """;

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0 }.ConnectionString);

    /// <summary>Stores so many signals over 24 months; answers how long it took.</summary>
    public async Task<TimeSpan> FillAsync(int signals, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        // A checkpoint a gigabyte would write the same pages over and over.
        await ExecuteAsync("alter system set max_wal_size = '16GB'", cancellationToken);
        await ExecuteAsync("select pg_reload_conf()", cancellationToken);
        await ExecuteAllAsync(Society(signals), cancellationToken);
        await ExecuteAsync("analyze bench_people", cancellationToken);
        await Parallel.ForEachAsync(Enumerable.Range(0, Chunks), new ParallelOptions { MaxDegreeOfParallelism = Sessions, CancellationToken = cancellationToken }, async (chunk, ct) =>
        {
            await using var connection = await _source.OpenConnectionAsync(ct);
            await using var batch = connection.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand("set local synchronous_commit = off"));
            batch.BatchCommands.Add(new NpgsqlBatchCommand("set local work_mem = '128MB'"));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Signals)
            {
                Parameters =
                {
                    new() { Value = (long)signals * chunk / Chunks }, new() { Value = ((long)signals * (chunk + 1) / Chunks) - 1 },
                    new() { Value = (double)signals }, new() { Value = People },
                },
            });
            await batch.ExecuteNonQueryAsync(ct);
        });
        // Else it would come by itself, during the measurements.
        await ExecuteAllAsync("vacuum analyze; alter system reset max_wal_size; select pg_reload_conf(); checkpoint", cancellationToken);
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Each measurement begins with the same delivery log (none) and with everything on disk.</summary>
    /// <param name="isEmpty">Signals go too.</param>
    public async Task CalmAsync(bool isEmpty, CancellationToken cancellationToken) =>
        await ExecuteAllAsync(isEmpty ? $"truncate signals; {Calm}" : Calm, cancellationToken);

    /// <summary>Of the partitions with rows, after an analysis.</summary>
    public async Task<StoredSizes> SizesAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("analyze signals", cancellationToken);
        await using var command = _source.CreateCommand(Sizes);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var signals = reader.GetInt64(0);
        return new StoredSizes(signals, (double)reader.GetInt64(1) / signals, (double)reader.GetInt64(2) / signals);
    }

    public async Task<Counters> CountersAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("""
            select (select coalesce(sum(used), 0)::bigint from (select events from usage_days union all select counted_today from usage_batches) u (used)), (select coalesce(sum(signal_count), 0)::bigint from leads), (pg_current_wal_insert_lsn() - '0/0')::bigint
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new Counters(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task ExecuteAllAsync(string statements, CancellationToken cancellationToken)
    {
        foreach (var statement in statements.Split(';'))
        {
            await ExecuteAsync(statement, cancellationToken);
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
