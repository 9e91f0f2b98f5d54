using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class KeysAtTheDoorTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("Authorization", "Bearer {key}")]
    [InlineData("api_key", "{key}")]
    [InlineData("X-Api-Key", "{key}")]
    public async Task A_key_opens_the_door_in_the_header(string header, string value)
    {
        using var client = _app.Anonymous();
        client.DefaultRequestHeaders.TryAddWithoutValidation(header, value.Replace("{key}", _acme.Key, StringComparison.Ordinal));

        var me = await client.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK);

        Assert.Equal(_acme.Id, (string?)me["workspace"]!["id"]);
    }

    [Fact]
    public async Task A_key_opens_the_door_as_the_user_of_basic()
    {
        using var client = _app.Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(_acme.Key + ":")));

        await client.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(null, "key_required")]
    [InlineData("", "key_required")]
    [InlineData("Bearer", "invalid_key")]
    [InlineData("Bearer nonsense", "invalid_key")]
    [InlineData("Bearer sk_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "invalid_key")]
    [InlineData("Bearer op_wrong", "invalid_key")]
    [InlineData("Negotiate abc", "invalid_key")]
    public async Task Anything_else_is_a_calm_401(string? authorization, string code)
    {
        using var client = _app.Anonymous();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        using var response = await client.GetAsync(Path("/me"));

        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        await Task.FromResult(response).ProblemAsync(401, code);
    }

    [Fact]
    public async Task A_missing_scope_is_a_403_that_names_it()
    {
        using var reader = await _acme.NewKeyAsync("live", "read");

        var problem = await reader.GetAsync(Path("/api-keys")).ProblemAsync(403, "missing_scope");

        Assert.Contains("manage", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_key_cannot_manage()
    {
        using var test = await _acme.NewKeyAsync("test", "ingest", "read", "manage");

        await test.PostAsync("/api-keys", new { name = "x", scopes = new[] { "read" } }).ProblemAsync(403, "live_key_required");
        Assert.Equal("test", (string?)(await test.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK))["key"]!["mode"]);
    }

    [Fact]
    public async Task Operator_and_workspace_keys_do_not_stand_in_for_each_other()
    {
        using var operatorClient = _app.WithKey(SignalHubApp.OperatorKey);

        await _acme.Client.PostAsync("/workspaces", new { name = "Mine" }).ProblemAsync(403, "operator_key_required");
        await operatorClient.GetAsync(Path("/me")).ProblemAsync(403, "workspace_key_required");
    }

    [Fact]
    public async Task A_key_works_until_its_last_moment()
    {
        var expires = _app.Clock.GetUtcNow().AddMinutes(10);
        var made = await _acme.Client.PostAsync("/api-keys", new { name = "short", scopes = new[] { "read" }, expires_at = expires }).JsonAsync(HttpStatusCode.Created);
        using var client = _app.WithKey((string)made["secret"]!);

        _app.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await client.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK);
        _app.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await client.GetAsync(Path("/me")).ProblemAsync(401, "invalid_key");
    }

    [Fact]
    public async Task A_revoked_key_is_refused_by_the_next_request()
    {
        var made = await _acme.Client.PostAsync("/api-keys", new { name = "lost", scopes = new[] { "read" } }).JsonAsync(HttpStatusCode.Created);
        using var client = _app.WithKey((string)made["secret"]!);
        await client.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK);

        await _acme.Client.DeleteAsync(Path($"/api-keys/{made["id"]}")).JsonAsync(HttpStatusCode.NoContent);

        await client.GetAsync(Path("/me")).ProblemAsync(401, "invalid_key");
    }

    [Fact]
    public async Task Another_node_learns_of_a_revocation_with_its_next_look()
    {
        await using var database = new Database(_app.ConnectionString);
        var changes = new WorkspaceChanges();
        var keys = new ApiKeyDirectory(new ApiKeyStore(database, changes), changes);
        var loop = ActivatorUtilities.CreateInstance<WorkspaceChangesLoop>(_app.Services, new WorkspaceChangesStore(database), changes);
        var made = await _acme.Client.PostAsync("/api-keys", new { name = "lost", scopes = new[] { "read" } }).JsonAsync(HttpStatusCode.Created);
        var hash = KeyHash.Of((string)made["secret"]!);
        Assert.Null((await keys.FindAsync(hash))!.RevokedAt);
        await loop.RunOnceAsync(CancellationToken.None);
        Assert.Equal(0, await loop.RunOnceAsync(CancellationToken.None));

        await _acme.Client.DeleteAsync(Path($"/api-keys/{made["id"]}")).JsonAsync(HttpStatusCode.NoContent);
        var seen = await loop.RunOnceAsync(CancellationToken.None);

        Assert.Equal(1, seen);
        Assert.NotNull((await keys.FindAsync(hash))!.RevokedAt);
    }

    [Fact]
    public async Task Last_use_is_written_apart_from_the_request()
    {
        await _acme.Client.GetAsync(Path("/me")).JsonAsync(HttpStatusCode.OK);
        Assert.Null(await LastUsedAsync());

        Assert.Equal(1, await _app.Services.GetRequiredService<KeyUse>().RunOnceAsync(CancellationToken.None));

        Assert.Equal(_app.Clock.GetUtcNow(), await LastUsedAsync());
        Assert.Equal(0, await _app.Services.GetRequiredService<KeyUse>().RunOnceAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_database_holds_no_key_but_its_hash()
    {
        var rows = await _app.QueryAsync<string>("select string_agg(row_to_json(k)::text, ' ') from api_keys k");

        Assert.DoesNotContain(_acme.Key, rows!, StringComparison.Ordinal);
        Assert.Contains(_acme.Key[..16], rows!, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_route_but_health_metrics_and_the_description_asks_for_a_key()
    {
        var open = _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<RequiredAccess>() is null)
            .Select(e => e.RoutePattern.RawText!)
            .Where(route => !route.StartsWith("/health/", StringComparison.Ordinal) && route != "/metrics" && !route.Contains("swagger", StringComparison.Ordinal));

        Assert.Empty(open);
    }

    private async Task<DateTimeOffset?> LastUsedAsync()
    {
        var last = await _app.QueryAsync<object>("select max(last_used_at) from api_keys");
        return last is DateTime time ? time : null;
    }

    private static Uri Path(string path) => new(path, UriKind.Relative);
}
