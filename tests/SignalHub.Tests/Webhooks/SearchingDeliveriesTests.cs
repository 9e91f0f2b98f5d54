using System.Net;
using System.Text.Json;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using Xunit.Abstractions;

namespace SignalHub.Tests.Webhooks;

/// <summary>
/// The delivery log with many rows: each filter finds what it should and is answered from an index. SIGNALHUB_SEARCH_ROWS=1000000
/// makes it as large as the figure in docs/webhooks.md.
/// </summary>
public sealed class SearchingDeliveriesTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Page = 50;

    private static readonly int _rows = int.TryParse(Environment.GetEnvironmentVariable("SIGNALHUB_SEARCH_ROWS"), out var rows) ? rows : 40_000;

    private EndpointBench _bench = null!;
    private Guid _endpoint;
    private Guid _busy;
    private DateTimeOffset _start;

    public async Task InitializeAsync()
    {
        _bench = await EndpointBench.StartAsync();
        _start = _bench.Clock.GetUtcNow();
        (_endpoint, _busy) = (Ids.New(_start), Ids.New(_start));
        await GenerateAsync();
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task Every_filter_reads_about_a_page_of_rows_and_not_the_table()
    {
        var filters = new (string Name, DeliveryFilter Filter)[]
        {
            ("nothing", new()),
            ("a rare endpoint", new() { EndpointId = _endpoint }),
            ("a busy endpoint", new() { EndpointId = _busy }),
            ("state delivered", new() { States = ["delivered"] }),
            ("state failed", new() { States = ["failed"] }),
            ("state pending", new() { States = ["pending"] }),
            ("states undelivered", new() { States = ["failed", "cancelled", "skipped"] }),
            ("code 2xx", new() { CodeClass = 2 }),
            ("code 4xx", new() { CodeClass = 4 }),
            ("error tls_error", new() { ErrorClass = "tls_error" }),
            ("error never seen", new() { ErrorClass = "dns_error" }),
            ("attempts 3", new() { MinAttempts = 3 }),
            ("an hour", new() { Since = _start.AddSeconds(600), Until = _start.AddSeconds(610) }),
            ("failed in an hour", new() { States = ["failed"], Since = _start.AddSeconds(300), Until = _start.AddSeconds(1200) }),
            ("event test", new() { EventType = "test" }),
        };
        var slow = new List<string>();
        foreach (var (name, filter) in filters)
        {
            var first = await ExplainAsync(filter, new PageRequest(Page, null, null));
            output.WriteLine($"{name,-20} {first.Milliseconds,8:0.0} ms, {first.RowsRead,8} rows read, {first.Found,3} found");
            if (first.RowsRead > 20 * Page)
            {
                slow.Add($"{name} reads {first.RowsRead} of {_rows} rows: {first.Plan}");
            }
        }
        Assert.True(slow.Count == 0, string.Join('\n', slow));
    }

    [Theory]
    [InlineData("state=failed")]
    [InlineData("state=failed,skipped")]
    [InlineData("code_class=4xx")]
    [InlineData("error_class=tls_error")]
    [InlineData("min_attempts=3")]
    [InlineData("since=2026-03-14T09:40:00Z&until=2026-03-14T09:40:02Z")]
    public async Task Pages_of_a_filter_are_all_rows_of_it_once_newest_first(string filter)
    {
        var ids = new List<string>();
        for (var next = $"/webhooks/deliveries?limit=200&{filter}"; next is not null;)
        {
            var page = (await _bench.GetAsync(next)).Expect(HttpStatusCode.OK);
            ids.AddRange(page.GetProperty("data").EnumerateArray().Select(d => d.Id()));
            next = page.Text("next");
            if (ids.Count > 2_000)
            {
                break;
            }
        }

        Assert.NotEmpty(ids);
        Assert.Equal(ids.OrderDescending(StringComparer.Ordinal), ids);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        if (ids.Count <= 2_000)
        {
            Assert.Equal(await CountAsync(filter), ids.Count);
        }
    }

    [Theory]
    [InlineData("state=lost", "state has to be one of")]
    [InlineData("code_class=200", "code_class has to be one of")]
    [InlineData("error_class=sad", "error_class has to be one of")]
    [InlineData("min_attempts=-1", "min_attempts")]
    [InlineData("min_attempts=many", "min_attempts must be a whole number")]
    [InlineData("since=yesterday", "since must be a date")]
    [InlineData("event_id=sig_1", "event_id must be an id")]
    [InlineData("sate=failed", "did you mean state?")]
    public async Task A_filter_that_means_nothing_is_refused_by_name(string filter, string detail) =>
        Assert.Contains(detail, (await _bench.GetAsync($"/webhooks/deliveries?{filter}")).ExpectProblem(400, "invalid_query").Text("detail"), StringComparison.Ordinal);

    /// <summary>
    /// One workspace, a row each 50 ms: of a hundred 96 delivered at the first try, two failed after ten, one skipped, one waits; now
    /// and then another endpoint, a TLS error, a 404.
    /// </summary>
    private async Task GenerateAsync()
    {
        await _bench.ExecuteAsync("""
            create table made as
            select n, $1::timestamptz + n * interval '50 milliseconds' as at,
                   (lpad(to_hex(((extract(epoch from $1::timestamptz) * 1000)::bigint + n * 50)), 12, '0') || '8000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid as id,
                   case when n % 1000 = 7 then $2::uuid else $3::uuid end as endpoint, n % 100 as kind
              from generate_series(1, $4::int) n
            """, _start, _endpoint, _busy, _rows);
        await _bench.ExecuteAsync("""
            insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, queued_at, ended_at, state, reason, attempt, step, last_status, last_error)
            select $1, at, id, endpoint, id, case when n % 5000 = 9 then 'test' else 'signal.qualified' end, at, at,
                   case when kind in (10, 11) then 'failed' when kind = 12 then 'skipped' else 'delivered' end,
                   case when kind in (10, 11) then 'exhausted' when kind = 12 then 'endpoint_disabled' end,
                   case when kind in (10, 11) then 10 when kind = 12 then 0 else 1 end, 0,
                   case when kind = 10 then 404 when kind in (11, 12) then null else 200 end,
                   case when kind = 10 then 'http_status' when kind = 11 and n % 400 = 11 then 'tls_error' when kind = 11 then 'timeout' end
              from made where kind <> 13
            """, _bench.Workspace);
        await _bench.ExecuteAsync("""
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at, attempt, last_status, last_error)
            select $1, id, endpoint, id, 'signal.qualified', at, at, at, 1, 503, 'http_status' from made where kind = 13
            """, _bench.Workspace);
        await _bench.ExecuteAsync("analyze delivery_history");
        await _bench.ExecuteAsync("analyze delivery_queue");
    }

    private async Task<int> CountAsync(string filter)
    {
        var condition = filter switch
        {
            "state=failed" => "state = 'failed'",
            "state=failed,skipped" => "state in ('failed', 'skipped')",
            "code_class=4xx" => "last_status between 400 and 499",
            "error_class=tls_error" => "last_error = 'tls_error'",
            "min_attempts=3" => "attempt >= 3",
            _ => "created_at >= '2026-03-14 09:40:00Z' and created_at < '2026-03-14 09:40:02Z'",
        };
        return (int)await _bench.ScalarAsync<long>($"select count(*) from deliveries where {condition}");
    }

    private async Task<(double Milliseconds, long RowsRead, long Found, string Plan)> ExplainAsync(DeliveryFilter filter, PageRequest page)
    {
        await using var command = new DeliveryLogStore(_bench.Database).ListCommand(_bench.Workspace, filter, page, null);
        command.CommandText = "explain (analyze, format json) " + command.CommandText;
        var plan = JsonElement.Parse((string)(await command.ExecuteScalarAsync())!)[0];
        var nodes = Nodes(plan.GetProperty("Plan")).ToList();
        var scans = nodes.Where(n => n.Text("Node Type")!.Contains("Scan", StringComparison.Ordinal) && !n.Text("Node Type")!.StartsWith("Subquery", StringComparison.Ordinal)).ToList();
        return (
            plan.GetProperty("Execution Time").GetDouble(),
            scans.Sum(n => Number(n, "Actual Rows") + Number(n, "Rows Removed by Filter")),
            Number(nodes[0], "Actual Rows"),
            string.Join(", ", scans.Select(n => $"{n.Text("Node Type")} {(n.TryGetProperty("Index Name", out var index) ? index.GetString() : "")}")));
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement node)
    {
        yield return node;
        if (node.TryGetProperty("Plans", out var plans))
        {
            foreach (var inner in plans.EnumerateArray().SelectMany(Nodes))
            {
                yield return inner;
            }
        }
    }

    private static long Number(JsonElement node, string name) => node.TryGetProperty(name, out var value) ? (long)value.GetDouble() : 0;
}
