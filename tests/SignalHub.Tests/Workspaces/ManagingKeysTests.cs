using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Workspaces;

public sealed class ManagingKeysTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_new_key_shows_its_secret_once()
    {
        var made = await CreateAsync(new { name = " zapier ", scopes = new[] { "ingest" }, mode = "live", expires_at = (string?)null });

        Assert.StartsWith("key_", (string)made["id"]!, StringComparison.Ordinal);
        Assert.StartsWith((string)made["prefix"]!, (string)made["secret"]!, StringComparison.Ordinal);
        Assert.Equal("zapier", (string?)made["name"]);
        Assert.Equal("""["ingest"]""", made["scopes"]!.ToJsonString());
        Assert.Equal(("live", "active"), ((string?)made["mode"], (string?)made["state"]));
        var shown = await _acme.GetAsync($"/api-keys/{made["id"]}");
        Assert.False(shown.AsObject().ContainsKey("secret"));
        Assert.Equal((string?)made["prefix"], (string?)shown["prefix"]);
    }

    [Fact]
    public async Task A_test_key_says_so_in_its_first_letters()
    {
        var made = await CreateAsync(new { name = "trial", scopes = new[] { "ingest", "read" }, mode = "test" });

        Assert.StartsWith("sk_test_", (string)made["secret"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_listed_newest_first_in_pages_without_secrets()
    {
        for (var i = 0; i < 4; i++)
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
            await CreateAsync(new { name = $"key {i}", scopes = new[] { "read" } });
        }

        var names = new List<string>();
        var next = "/api-keys?limit=2";
        while (next is not null)
        {
            var page = await _acme.Client.GetAsync(new Uri(next, UriKind.RelativeOrAbsolute)).JsonAsync(HttpStatusCode.OK);
            names.AddRange(page["data"]!.AsArray().Select(key => (string)key!["name"]!));
            Assert.DoesNotContain("secret", page.ToJsonString(), StringComparison.Ordinal);
            next = (string?)page["next"];
        }

        Assert.Equal(["key 3", "key 2", "key 1", "key 0", "default"], names);
    }

    [Theory]
    [InlineData("""{"scopes":["read"]}""", 422, "field_required", "/name")]
    [InlineData("""{"name":"  ","scopes":["read"]}""", 422, "field_required", "/name")]
    [InlineData("""{"name":"x"}""", 422, "field_required", "/scopes")]
    [InlineData("""{"name":"x","scopes":[]}""", 422, "invalid_value", "/scopes")]
    [InlineData("""{"name":"x","scopes":["read","admin"]}""", 422, "invalid_value", "/scopes/1")]
    [InlineData("""{"name":"x","scopes":[null]}""", 422, "invalid_value", "/scopes/0")]
    [InlineData("""{"name":"x","scopes":"read"}""", 422, "invalid_type", "/scopes")]
    [InlineData("""{"name":"x","scopes":["read"],"mode":"prod"}""", 422, "invalid_value", "/mode")]
    [InlineData("""{"name":"x","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"}""", 422, "out_of_range", "/expires_at")]
    [InlineData("""{"name":"x","scopes":["read"],"expires_at":"tomorrow"}""", 422, "invalid_type", "/expires_at")]
    [InlineData("""{"name":"x","scope":["read"]}""", 400, "unknown_field", "/scope")]
    [InlineData("null", 400, "body_not_object", null)]
    [InlineData("", 400, "body_required", null)]
    public async Task A_bad_request_for_a_key_is_told_which_field_to_change(string body, int status, string code, string? pointer)
    {
        var problem = await _acme.Client.PostTextAsync("/api-keys", body).ProblemAsync(status, code);

        Assert.Equal(pointer, (string?)problem["errors"]!.AsArray().FirstOrDefault()?["pointer"]);
    }

    [Fact]
    public async Task All_bad_fields_are_named()
    {
        var problem = await _acme.Client.PostTextAsync("/api-keys", """{"scopes":["admin"],"mode":"prod"}""").ProblemAsync(422, "field_required");

        Assert.Equal(["/name", "/scopes/0", "/mode"], problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
    }

    [Fact]
    public async Task A_key_grants_no_scope_that_it_lacks_neither_by_creating_nor_by_rotating()
    {
        var strong = await CreateAsync(new { name = "strong", scopes = new[] { "ingest", "manage" } });
        using var manager = await _acme.NewKeyAsync("live", "manage");

        await manager.PostAsync("/api-keys", new { name = "x", scopes = new[] { "ingest" } }).ProblemAsync(403, "missing_scope");
        await manager.PostAsync($"/api-keys/{strong["id"]}/rotate", new { }).ProblemAsync(403, "missing_scope");
        await manager.PostAsync("/api-keys", new { name = "x", scopes = new[] { "manage" } }).JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_rotated_key_works_until_the_grace_period_ends()
    {
        var old = await CreateAsync(new { name = "app", scopes = new[] { "read" } });
        using var withOld = _app.WithKey((string)old["secret"]!);

        var rotated = await _acme.Client.PostAsync($"/api-keys/{old["id"]}/rotate", new { grace_period_hours = 2 }).JsonAsync(HttpStatusCode.Created);

        using var withNew = _app.WithKey((string)rotated["secret"]!);
        Assert.Equal(("app", """["read"]"""), ((string?)rotated["name"], rotated["scopes"]!.ToJsonString()));
        _app.Clock.Advance(TimeSpan.FromMinutes(119));
        await MeAsync(withOld, HttpStatusCode.OK);
        await MeAsync(withNew, HttpStatusCode.OK);
        _app.Clock.Advance(TimeSpan.FromMinutes(1));
        await MeAsync(withOld, HttpStatusCode.Unauthorized);
        await MeAsync(withNew, HttpStatusCode.OK);
        var shown = await _acme.GetAsync($"/api-keys/{old["id"]}");
        Assert.Equal(("expired", (string?)rotated["id"]), ((string?)shown["state"], (string?)shown["rotated_to"]));
    }

    [Fact]
    public async Task Without_a_grace_period_the_old_key_ends_at_once()
    {
        var old = await CreateAsync(new { name = "app", scopes = new[] { "read" } });
        using var withOld = _app.WithKey((string)old["secret"]!);
        await MeAsync(withOld, HttpStatusCode.OK);

        await _acme.Client.PostAsync($"/api-keys/{old["id"]}/rotate", new { grace_period_hours = 0 }).JsonAsync(HttpStatusCode.Created);

        await MeAsync(withOld, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Without_a_body_the_grace_period_is_a_day()
    {
        var old = await CreateAsync(new { name = "app", scopes = new[] { "read" } });

        await _acme.Client.PostAsync(new Uri($"/api-keys/{old["id"]}/rotate", UriKind.Relative), null).JsonAsync(HttpStatusCode.Created);

        var expires = (DateTimeOffset)(await _acme.GetAsync($"/api-keys/{old["id"]}"))["expires_at"]!;
        Assert.Equal(_app.Clock.GetUtcNow().AddDays(1), expires);
    }

    [Theory]
    [InlineData("""{"grace_period_hours":169}""", "out_of_range")]
    [InlineData("""{"grace_period_hours":-1}""", "out_of_range")]
    [InlineData("""{"grace_period_hours":1.5}""", "invalid_type")]
    public async Task A_grace_period_is_0_to_168_whole_hours(string body, string code)
    {
        var key = await CreateAsync(new { name = "app", scopes = new[] { "read" } });

        var problem = await _acme.Client.PostTextAsync($"/api-keys/{key["id"]}/rotate", body).ProblemAsync(422, code);

        Assert.Equal("/grace_period_hours", (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_key_is_rotated_once_also_when_two_ask_at_once()
    {
        var key = await CreateAsync(new { name = "app", scopes = new[] { "read" } });

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _acme.Client.PostAsync($"/api-keys/{key["id"]}/rotate", new { })));

        Assert.Equal(1, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.Equal(7, answers.Count(a => a.StatusCode == HttpStatusCode.Conflict));
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from api_keys"));
    }

    [Fact]
    public async Task Revoking_twice_is_revoking_once_and_the_key_stays_listed()
    {
        var key = await CreateAsync(new { name = "app", scopes = new[] { "read" } });
        var path = new Uri($"/api-keys/{key["id"]}", UriKind.Relative);

        await _acme.Client.DeleteAsync(path).JsonAsync(HttpStatusCode.NoContent);
        _app.Clock.Advance(TimeSpan.FromHours(1));
        await _acme.Client.DeleteAsync(path).JsonAsync(HttpStatusCode.NoContent);

        var shown = await _acme.GetAsync($"/api-keys/{key["id"]}");
        Assert.Equal("revoked", (string?)shown["state"]);
        Assert.Equal(_app.Clock.GetUtcNow().AddHours(-1), (DateTimeOffset)shown["revoked_at"]!);
        await _acme.Client.PostAsync($"/api-keys/{key["id"]}/rotate", new { }).ProblemAsync(409, "conflict");
    }

    [Fact]
    public async Task A_key_is_renamed_and_nothing_else_of_it_changes()
    {
        var key = await CreateAsync(new { name = "app", scopes = new[] { "read" } });

        var renamed = await _acme.Client.PatchAsync($"/api-keys/{key["id"]}", new { name = "crm" }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("crm", (string?)renamed["name"]);
        await _acme.Client.PatchAsync($"/api-keys/{key["id"]}", new { scopes = new[] { "manage" } }).ProblemAsync(400, "unknown_field");
        await _acme.Client.PatchAsync($"/api-keys/{key["id"]}", new { name = new string('x', 101) }).ProblemAsync(422, "too_long");
    }

    [Fact]
    public async Task Keys_of_another_workspace_are_not_there()
    {
        using var other = await _app.NewWorkspaceAsync("Other");
        var key = await CreateAsync(new { name = "app", scopes = new[] { "read" } });
        var path = new Uri($"/api-keys/{key["id"]}", UriKind.Relative);

        await other.Client.GetAsync(path).ProblemAsync(404, "not_found");
        await other.Client.PatchAsync(path.ToString(), new { name = "mine" }).ProblemAsync(404, "not_found");
        await other.Client.PostAsync($"{path}/rotate", new { }).ProblemAsync(404, "not_found");
        await other.Client.DeleteAsync(path).ProblemAsync(404, "not_found");
        await _acme.Client.GetAsync(new Uri("/api-keys/key_nonsense", UriKind.Relative)).ProblemAsync(404, "not_found");

        Assert.Equal(("app", "active"), await NameAndStateAsync(key));
        Assert.DoesNotContain((string)key["id"]!, (await other.GetAsync("/api-keys")).ToJsonString(), StringComparison.Ordinal);
    }

    private Task<JsonNode> CreateAsync(object body) => _acme.Client.PostAsync("/api-keys", body).JsonAsync(HttpStatusCode.Created);

    private async Task<(string?, string?)> NameAndStateAsync(JsonNode key)
    {
        var shown = await _acme.GetAsync($"/api-keys/{key["id"]}");
        return ((string?)shown["name"], (string?)shown["state"]);
    }

    private static async Task MeAsync(HttpClient client, HttpStatusCode expected) =>
        await client.GetAsync(new Uri("/me", UriKind.Relative)).JsonAsync(expected);
}
