using System.Net;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class ManagingWorkspacesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private HttpClient _operator = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "500"), ("RateLimits:PerDay", "50000"));
        _operator = _app.WithKey(SignalHubApp.OperatorKey);
    }

    public async Task DisposeAsync()
    {
        _operator.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_workspace_comes_with_a_live_key_of_all_scopes()
    {
        var made = await _operator.PostAsync("/workspaces", new { name = "Acme" }).JsonAsync(HttpStatusCode.Created);

        Assert.StartsWith("ws_", (string)made["id"]!, StringComparison.Ordinal);
        Assert.StartsWith("key_", (string)made["api_key"]!["id"]!, StringComparison.Ordinal);
        using var client = _app.WithKey((string)made["api_key"]!["secret"]!);
        var me = await GetAsync(client, "/me");
        Assert.Equal(((string?)made["id"], "Acme"), ((string?)me["workspace"]!["id"], (string?)me["workspace"]!["name"]));
        Assert.Equal("""["ingest","read","manage"]""", me["key"]!["scopes"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{}""", 422, "field_required", "/name")]
    [InlineData("""{"name":5}""", 422, "invalid_type", "/name")]
    [InlineData("""{"name":"x","limits":{"per_minute":-1}}""", 422, "out_of_range", "/limits/per_minute")]
    [InlineData("""{"name":"x","settings":{"fire_max_age_seconds":0}}""", 422, "out_of_range", "/settings/fire_max_age_seconds")]
    [InlineData("""{"name":"x","settings":{"free_mail_add":["ok.example","not a domain"]}}""", 422, "invalid_domain", "/settings/free_mail_add/1")]
    [InlineData("""{"name":"x","plan":"pro"}""", 400, "unknown_field", "/plan")]
    public async Task A_bad_workspace_is_told_which_field_to_change(string body, int status, string code, string pointer)
    {
        var problem = await _operator.PostTextAsync("/workspaces", body).ProblemAsync(status, code);

        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task The_operator_changes_limits_and_they_hold_for_the_next_request()
    {
        using var acme = await _app.NewWorkspaceAsync();
        Assert.Equal("""{"per_minute":500,"per_day":50000}""", (await acme.GetAsync("/me"))["limits"]!.ToJsonString());

        var changed = await _operator.PatchAsync($"/workspaces/{acme.Id}", new { limits = new { per_minute = 7 } }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal("""{"per_minute":7,"per_day":50000}""", changed["effective_limits"]!.ToJsonString());
        Assert.Equal("""{"per_minute":7,"per_day":50000}""", (await acme.GetAsync("/me"))["limits"]!.ToJsonString());

        await _operator.PatchAsync($"/workspaces/{acme.Id}", new { limits = new { per_minute = (int?)null, per_day = 0 } }).JsonAsync(HttpStatusCode.OK);
        var me = await acme.GetAsync("/me");
        Assert.Equal("""{"per_minute":500,"per_day":0}""", me["limits"]!.ToJsonString());
        Assert.Equal((500, null), ((int?)me["remaining"]!["minute"], (int?)me["remaining"]!["day"]));
    }

    [Fact]
    public async Task A_workspace_names_and_sets_up_itself_but_not_its_limits()
    {
        using var acme = await _app.NewWorkspaceAsync();

        var changed = await acme.Client.PatchAsync("/workspace", new { name = "Acme Inc.", settings = new { fire_max_age_seconds = 3600, free_mail_add = new[] { "mail.example" } } })
            .JsonAsync(HttpStatusCode.OK);

        Assert.Equal("Acme Inc.", (string?)changed["name"]);
        Assert.Equal("""{"fire_max_age_seconds":3600,"free_mail_add":["mail.example"],"free_mail_remove":[],"auto_types_autoqualify":true}""", changed["settings"]!.ToJsonString());
        Assert.Equal(changed.ToJsonString(), (await acme.GetAsync("/workspace")).ToJsonString());
        var snapshot = await _app.Services.GetRequiredService<WorkspaceDirectory>().GetAsync(IdOf(acme));
        Assert.Equal(TimeSpan.FromHours(1), snapshot.FireMaxAge);
        await acme.Client.PatchAsync("/workspace", new { limits = new { per_minute = 0 } }).ProblemAsync(400, "unknown_field");
        var reset = await acme.Client.PatchAsync("/workspace", new { settings = new { fire_max_age_seconds = (int?)null, free_mail_add = (string[]?)null } }).JsonAsync(HttpStatusCode.OK);
        Assert.Null(reset["settings"]!["fire_max_age_seconds"]);
        Assert.Empty(reset["settings"]!["free_mail_add"]!.AsArray());
    }

    [Fact]
    public async Task Patches_sent_at_once_all_count()
    {
        using var acme = await _app.NewWorkspaceAsync();
        object[] patches = [new { name = "New" }, new { settings = new { fire_max_age_seconds = 60 } }, new { settings = new { auto_types_autoqualify = false } }];

        await Task.WhenAll(patches.Select(patch => acme.Client.PatchAsync("/workspace", patch).JsonAsync(HttpStatusCode.OK)));

        var shown = await acme.GetAsync("/workspace");
        Assert.Equal(("New", 60, false), ((string?)shown["name"], (int?)shown["settings"]!["fire_max_age_seconds"], (bool?)shown["settings"]!["auto_types_autoqualify"]));
    }

    [Fact]
    public async Task The_operator_lists_and_finds_workspaces()
    {
        using var first = await _app.NewWorkspaceAsync("First");
        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        using var second = await _app.NewWorkspaceAsync("Second");

        var list = await GetAsync(_operator, "/workspaces");

        Assert.Equal([second.Id, first.Id], list["data"]!.AsArray().Select(w => (string)w!["id"]!));
        Assert.DoesNotContain("secret", list.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("First", (string?)(await GetAsync(_operator, $"/workspaces/{first.Id}"))["name"]);
        await _operator.GetAsync(new Uri("/workspaces/ws_00000000000000000000000000", UriKind.Relative)).ProblemAsync(404, "not_found");
        await _operator.PatchAsync("/workspaces/nonsense", new { name = "x" }).ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task Me_costs_nothing_and_says_what_is_left()
    {
        using var acme = await _app.NewWorkspaceAsync();
        var limiter = _app.Services.GetRequiredService<RateLimiter>();
        await limiter.ReserveAsync(IdOf(acme), new WorkspaceLimits(500, 50_000), 3, isTest: false);

        await acme.GetAsync("/me");
        var me = await acme.GetAsync("/me");

        Assert.Equal((497, 49_997), ((int?)me["remaining"]!["minute"], (int?)me["remaining"]!["day"]));
        Assert.DoesNotContain(acme.Key, me.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_workspace_is_made_once_also_by_two_nodes_that_start_at_once()
    {
        await using var otherNode = new Database(_app.ConnectionString);
        var here = _app.Services.GetRequiredService<WorkspaceStore>();
        var there = new WorkspaceStore(otherNode, [], new WorkspaceChanges());
        var now = _app.Clock.GetUtcNow();

        var keys = await Task.WhenAll(new[] { here, there, here, there }.Select(store => store.EnsureFirstStartAsync(now, CancellationToken.None)));

        var key = Assert.Single(keys, k => k is not null);
        using var demo = _app.WithKey(key!);
        Assert.Equal("Demo", (string?)(await GetAsync(demo, "/me"))["workspace"]!["name"]);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from workspaces"));
    }

    [Fact]
    public async Task A_step_that_fails_leaves_no_workspace()
    {
        NewWorkspaceStep failing = (_, _, _, _, _) => throw new InvalidOperationException("The sample is broken.");
        var store = new WorkspaceStore(_app.Services.GetRequiredService<Database>(), [failing], new WorkspaceChanges());

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            store.CreateAsync("Acme", new LimitSettings(), new WorkspaceSettings(), _app.Clock.GetUtcNow(), CancellationToken.None));

        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from workspaces"));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from api_keys"));
    }

    private static Guid IdOf(TestWorkspace workspace) => Ids.TryParse(Ids.Workspace, workspace.Id, out var id) ? id : Guid.Empty;

    private static Task<System.Text.Json.Nodes.JsonNode> GetAsync(HttpClient client, string path) => client.GetAsync(new Uri(path, UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
}
