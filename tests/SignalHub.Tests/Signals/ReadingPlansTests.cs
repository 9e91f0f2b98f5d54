using System.Text.RegularExpressions;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>How PostgreSQL finds what is asked for, on tables with enough rows that a scan would be the slower way.</summary>
public sealed partial class ReadingPlansTests : IAsyncLifetime
{
    private readonly StatementRecorder _recorder = new();
    private SliceHost _host = null!;
    private SliceClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await ReadingSlice.StartAsync(_recorder);
        _client = await _host.NewWorkspaceAsync();
        // Two years, ten leads, some of each merged, ten accounts.
        await _host.ExecuteAsync(
            """
            insert into signals (workspace_id, occurred_at, id, received_at, type_key, source, mode, backfill, autoqualify, identity, context, payload_hash, lead_id, account_id)
            select $1, at, md5(n::text)::uuid, at, 'custom_event', 'app', 'live', false, true, '{}', '{}', 0, ('00000000-0000-0000-0000-0000000000' || (10 + n % 10))::uuid,
                   ('00000000-0000-0000-0000-0000000000' || (20 + n % 10))::uuid
              from (select n, now() - n * interval '90 minutes' as at from generate_series(1, 10000) n) s
            """, _client.Workspace);
        await _host.ExecuteAsync(
            """
            insert into leads (workspace_id, id, account_id, merged_into, created_at, updated_at)
            select $1, ('00000000-0000-0000-0000-0000000000' || (10 + n))::uuid, md5(n::text)::uuid,
                   case when n between 1 and 3 then '00000000-0000-0000-0000-000000000010'::uuid end, now(), now()
              from generate_series(0, 9) n
            """, _client.Workspace);
        await _host.ExecuteAsync(
            """
            insert into leads (workspace_id, id, account_id, created_at, updated_at)
            select $1, md5('lead' || n)::uuid, md5('account' || n)::uuid, now() - n * interval '1 minute', now() from generate_series(1, 5000) n
            """, _client.Workspace);
        await _host.ExecuteAsync(
            """
            insert into accounts (workspace_id, id, created_at, updated_at)
            select $1, ('00000000-0000-0000-0000-0000000000' || (20 + n))::uuid, now(), now() from generate_series(0, 9) n
            """, _client.Workspace);
        await _host.ExecuteAsync("vacuum analyze signals, leads, contacts, accounts");
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private async Task<string> PlanAsync(string path, int status = 200)
    {
        _recorder.Clear();
        await _client.GetAsync(path, status);
        return (await _recorder.ExplainAsync(_host.Database))[^1];
    }

    /// <summary>Partitions that were really looked into.</summary>
    private static string[] Touched(string plan) =>
        [.. SignalScan().Matches(plan).Where(m => !m.Value.Contains("never executed", StringComparison.Ordinal)).Select(m => m.Groups["table"].Value).Distinct()];

    [GeneratedRegex(@"Scan.* on (?<table>signals_\w+) .*")]
    private static partial Regex SignalScan();

    [Fact]
    public async Task A_list_walks_down_the_index_of_receipt()
    {
        var plan = await PlanAsync("/signals?limit=20");

        Assert.True(!plan.Contains("Seq Scan on signals", StringComparison.Ordinal) && !SortOfSignals().IsMatch(plan), plan);
        Assert.Matches("Index Scan using signals_.*_workspace_id_received_at_id_idx", plan);
    }

    [GeneratedRegex("Sort Key: .*received_at[^\n]*\n *Sort Method")]
    private static partial Regex SortOfSignals();

    [Fact]
    public async Task A_list_of_a_month_looks_into_that_month_only()
    {
        var month = TimeProvider.System.GetUtcNow().AddMonths(-3);
        var first = new DateOnly(month.Year, month.Month, 1);

        var plan = await PlanAsync($"/signals?occurred_since={first:yyyy-MM-dd}&occurred_until={first.AddMonths(1):yyyy-MM-dd}");

        Assert.True(Touched(plan) is [var only] && only == $"signals_{first:yyyy_MM}", plan);
    }

    [Fact]
    public async Task A_signal_is_one_probe_of_one_partition()
    {
        var occurred = TimeProvider.System.GetUtcNow().AddDays(-40);

        var plan = await PlanAsync($"/signals/{Ids.Text(Ids.Signal, Ids.New(occurred))}", status: 404);

        Assert.True(Touched(plan) is [var only] && only == $"signals_{occurred:yyyy_MM}", plan);
        Assert.Contains($"Index Scan using signals_{occurred:yyyy_MM}_pkey", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_leads_walks_down_the_index_of_creation()
    {
        _recorder.Clear();
        await _client.GetAsync("/leads?limit=20");
        var plan = (await _recorder.ExplainAsync(_host.Database))[0];

        Assert.True(plan.Contains("Index Scan using leads_newest", StringComparison.Ordinal) && !plan.Contains("Sort Key", StringComparison.Ordinal), plan);
    }

    [Fact]
    public async Task A_timeline_takes_the_newest_of_each_lead_from_the_index()
    {
        var plan = await PlanAsync($"/leads/{Ids.Text(Ids.Lead, new Guid("00000000-0000-0000-0000-000000000010"))}/timeline?limit=5");

        Assert.True(!plan.Contains("Seq Scan on signals", StringComparison.Ordinal), plan);
        Assert.Matches("Index Scan using signals_.*_workspace_id_lead_id_occurred_at_id_idx", plan);
    }

    [Fact]
    public async Task The_timeline_of_a_company_is_taken_from_its_own_index()
    {
        var plan = await PlanAsync($"/accounts/{Ids.Text(Ids.Account, new Guid("00000000-0000-0000-0000-000000000020"))}/timeline?limit=5");

        Assert.True(!plan.Contains("Seq Scan on signals", StringComparison.Ordinal), plan);
        Assert.Matches("Index Scan using signals_.*_workspace_id_account_id_occurred_at_id_idx", plan);
    }
}
