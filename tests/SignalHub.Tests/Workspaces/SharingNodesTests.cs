using System.Net;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

/// <summary>Several nodes, one limit: over one real database.</summary>
public sealed class SharingNodesTests : IAsyncLifetime
{
    private static readonly Guid _workspace = new("01950000-0000-7000-8000-000000000001");

    private readonly ManualClock _clock = new();
    private readonly List<Database> _databases = [];
    private string _connectionString = null!;

    public async Task InitializeAsync() => _connectionString = await TestPostgres.CreateDatabaseAsync();

    public async Task DisposeAsync()
    {
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Bursts_to_three_nodes_at_once_get_the_limit_together_and_again_a_minute_later()
    {
        var limits = new WorkspaceLimits(500, 800);
        var nodes = Enumerable.Range(0, 3).Select(_ => NewNode()).ToList();

        var first = await BurstAsync(nodes, limits);
        _clock.Advance(TimeSpan.FromSeconds(61));
        await Task.WhenAll(nodes.Select(node => node.TellAsync(isLeaving: false)));
        var second = await BurstAsync(nodes, limits);

        Assert.InRange(first, 475, 500);
        Assert.InRange(first + second, 760, 800);
    }

    [Fact]
    public async Task Two_nodes_answer_429_together_over_the_limit()
    {
        await using var first = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "20"));
        await using var second = await first.SecondNodeAsync();
        using var acme = await first.NewWorkspaceAsync();
        using var there = second.WithKey(acme.Key);

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? acme.Client : there).PostAsync("/signals", Sample.Signal("jane@acme.com", i))));

        Assert.Equal(20, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.All(answers.Where(a => a.StatusCode != HttpStatusCode.Created), refused =>
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal("\"minute\";q=20;w=60", refused.Headers.GetValues("RateLimit-Policy").Single());
        });
        // The first refusals can be of nodes that wait for what others may still give back.
        Assert.InRange(answers.Max(a => a.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0), 1, 61);
    }

    [Fact]
    public async Task A_node_that_leaves_hands_everything_back()
    {
        var (leaving, staying) = (NewNode(), NewNode());
        await leaving.ReserveAsync(_workspace, new WorkspaceLimits(400, 0), 1, isTest: false);
        Assert.InRange((await staying.ReserveAsync(_workspace, new WorkspaceLimits(400, 0), 400, isTest: false)).Allowed, 390, 398);

        await leaving.TellAsync(isLeaving: true);
        _clock.Advance(TimeSpan.FromSeconds(1));

        var rest = await staying.ReserveAsync(_workspace, new WorkspaceLimits(400, 0), 400, isTest: false);
        Assert.NotEqual(0, rest.Allowed);
        Assert.Equal(0, rest.Minute.Remaining);
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(400, (await staying.ReserveAsync(_workspace, new WorkspaceLimits(400, 0), 400, isTest: false)).Allowed);
    }

    [Fact]
    public async Task What_a_node_holds_it_admits_without_the_database_and_no_more()
    {
        var limits = new WorkspaceLimits(10_000, 0);
        var node = NewNode();
        await node.ReserveAsync(_workspace, limits, 1, isTest: false);
        await _databases[0].DisposeAsync();

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(1, (await node.ReserveAsync(_workspace, limits, 1, isTest: false)).Allowed);
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => node.ReserveAsync(_workspace, limits, 1, isTest: false).AsTask());
    }

    [Fact]
    public async Task A_time_without_limits_counts_when_there_are_limits_again()
    {
        var node = NewNode();
        await node.ReserveAsync(_workspace, new WorkspaceLimits(20, 100), 3, isTest: false);
        await node.ReserveAsync(_workspace, new WorkspaceLimits(0, 0), 9, isTest: false);
        await using (var batch = _databases[0].Source.CreateBatch())
        {
            UsageStore.AddTo(batch, Enumerable.Repeat((_workspace, _clock.GetUtcNow(), false), 12));
            await batch.ExecuteNonQueryAsync();
        }
        _clock.Advance(TimeSpan.FromSeconds(2));

        var seen = await node.LookAsync(_workspace, new WorkspaceLimits(20, 100));

        Assert.Equal((8, 88), (seen.Minute.Remaining, seen.Day.Remaining));
    }

    [Fact]
    public async Task Ledgers_that_no_node_writes_any_more_are_removed()
    {
        var node = NewNode();
        await node.ReserveAsync(_workspace, new WorkspaceLimits(20, 100), 3, isTest: false);
        var store = new UsageLedgerStore(_databases[0], _clock);

        Assert.Equal(0, await store.DeleteUnwrittenSinceAsync(_clock.GetUtcNow(), CancellationToken.None));
        Assert.Equal(1, await store.DeleteUnwrittenSinceAsync(_clock.GetUtcNow().AddMinutes(1), CancellationToken.None));
    }

    /// <summary>A thousand events to each node, one by one and all at once; answers how many got through.</summary>
    private static async Task<int> BurstAsync(IReadOnlyList<RateLimiter> nodes, WorkspaceLimits limits)
    {
        var admissions = await Task.WhenAll(nodes.SelectMany(node => Enumerable.Range(0, 1_000)
            .Select(_ => Task.Run(() => node.ReserveAsync(_workspace, limits, 1, isTest: false).AsTask()))));
        return admissions.Sum(a => a.Allowed);
    }

    private RateLimiter NewNode()
    {
        var database = new Database(_connectionString);
        _databases.Add(database);
        return new RateLimiter(new LedgerExchange(new UsageLedgerStore(database, _clock), _clock), _clock);
    }
}
