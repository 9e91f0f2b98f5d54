using Npgsql;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Load;

/// <summary>What a contender's database holds after a measurement.</summary>
/// <param name="CountedOnLeads">By how much the counts of the leads grew.</param>
internal sealed record StoredRows(long Signals, long DistinctSignals, long Qualified, long Events, long Deliveries, long CountedAsUsage, long CountedOnLeads);

/// <summary>A contender's database: prepared, emptied of events between measurements, and counted after them.</summary>
internal sealed class LoadStore(string connectionString) : IAsyncDisposable
{
    private const string Sample = """
        create table bench_sample (identity jsonb, context jsonb, qualification text, body bytea,
                                   icp_code text, icp_score int, persona_code text, persona_score int);
        alter table bench_sample alter identity set storage plain, alter context set storage plain,
                                 alter qualification set storage plain, alter body set storage plain;
        insert into bench_sample
        select s.identity, s.context, s.qualification, e.body, s.icp_code, s.icp_score, s.persona_code, s.persona_score
          from signals s join webhook_events e on e.workspace_id = s.workspace_id and e.signal_id = s.id limit 1
        """;

    // The script names people by numbers, so its people are its own; the service's go. The functions are inlined, and a plan is
    // made once per statement and connection, as the service has it.
    private const string Script = """
        do $$ begin execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database()); end $$;
        truncate contacts, contact_identities, accounts, account_identities, leads;
        create function bench_id(kind text, n int) returns uuid language sql immutable as $$ select md5(kind || n::text)::uuid $$;
        create function bench_time_id(kind text, r bigint) returns uuid language sql stable as
            $$ select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || substr(md5(kind || r::text), 1, 20))::uuid $$;
        create function bench_domain(c int) returns text language sql immutable as $$ select 'company' || lpad(c::text, 4, '0') || '.com' $$;
        create function bench_email(p int, c int) returns text language sql immutable as $$ select 'person' || lpad(p::text, 5, '0') || '@' || bench_domain(c) $$
        """;

    private const string Empty = """
        truncate signals, webhook_events, delivery_queue, usage_batches, usage_slots, usage_days;
        vacuum analyze leads; vacuum analyze contacts; analyze contact_identities; analyze accounts; analyze account_identities;
        checkpoint
        """;

    private const string Count = """
        select (select count(*) from signals), (select count(distinct id) from signals),
               (select count(*) from signals where qualified and autoqualify), (select count(*) from webhook_events),
               (select count(*) from delivery_queue), (select coalesce(sum(used), 0)::bigint from (select events from usage_days union all select counted_today from usage_batches) u (used))
        """;

    private const string Written = """
        select coalesce(inhparent::regclass::text, relname), sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint
          from pg_stat_user_tables t left join pg_inherits i on i.inhrelid = t.relid
         where n_tup_ins + n_tup_upd > 0 group by 1 order by 1
        """;

    private const string Costliest = """
        select calls, rows, total_exec_time + total_plan_time, query
          from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())
         order by 3 desc limit 14
        """;

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);
    private long _countedBefore;

    /// <summary>Keeps one stored signal with its event: the texts that the other contenders store.</summary>
    public Task KeepSampleAsync(CancellationToken cancellationToken) => ExecuteAsync(Sample, cancellationToken);

    /// <summary>Makes the functions of <c>same-rows.sql</c>.</summary>
    public Task PrepareScriptAsync(CancellationToken cancellationToken) => ExecuteAsync(Script, cancellationToken);

    /// <summary>Every measurement begins with the same people, no events, and everything on disk. What leads count goes on, so that rows which the
    /// service remembers are as it left them.</summary>
    public async Task EmptyAsync(CancellationToken cancellationToken)
    {
        _countedBefore = await CountedAsync(cancellationToken);
        foreach (var statement in Empty.Split(';'))
        {
            await ExecuteAsync(statement, cancellationToken);
        }
    }

    public async Task<StoredRows> CountAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(Count);
        command.CommandTimeout = 120; // distinct over a million ids
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new StoredRows(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5),
            await CountedAsync(cancellationToken) - _countedBefore);
    }

    private async Task<long> CountedAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("select coalesce(sum(signal_count), 0)::bigint from leads");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<IReadOnlyDictionary<string, string>> SettingsAsync(CancellationToken cancellationToken)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var command = _source.CreateCommand("""
            select name, current_setting(name) from pg_settings where name in ('server_version', 'fsync', 'synchronous_commit',
                'full_page_writes', 'wal_compression', 'wal_sync_method', 'shared_buffers', 'max_wal_size', 'max_connections', 'data_checksums')
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            settings.Add(reader.GetString(0), reader.GetString(1));
        }
        return settings;
    }

    public async Task BeginProfileAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("create extension if not exists pg_stat_statements", cancellationToken);
        await ExecuteAsync("select pg_stat_statements_reset(), pg_stat_reset()", cancellationToken);
    }

    /// <summary>The costliest statements since the profile began, and the rows written to each table.</summary>
    public async Task<(IReadOnlyList<ProfiledStatement> Statements, IReadOnlyList<WrittenRows> Tables)> EndProfileAsync(CancellationToken cancellationToken)
    {
        var statements = new List<ProfiledStatement>();
        await using (var reader = await _source.CreateCommand(Costliest).ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                statements.Add(new ProfiledStatement(reader.GetInt64(0), reader.GetInt64(1), reader.GetDouble(2), reader.GetString(3)));
            }
        }
        var tables = new List<WrittenRows>();
        await using var written = await _source.CreateCommand(Written).ExecuteReaderAsync(cancellationToken);
        while (await written.ReadAsync(cancellationToken))
        {
            tables.Add(new WrittenRows(written.GetString(0), written.GetInt64(1), written.GetInt64(2)));
        }
        return (statements, tables);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
