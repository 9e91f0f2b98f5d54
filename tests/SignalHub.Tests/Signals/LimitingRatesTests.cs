using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

public sealed class LimitingRatesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "3"), ("RateLimits:PerDay", "5"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Over_the_minute_is_429_with_what_to_wait_for_and_changes_nothing()
    {
        for (var i = 0; i < 3; i++)
        {
            await _acme.IngestAsync(Sample.Signal("jane@acme.com", i));
        }

        using var refused = await _acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", 4));

        var problem = await Task.FromResult(refused).ProblemAsync(429, "quota_exceeded");
        Assert.Equal("https://iana.org/assignments/http-problem-types#quota-exceeded", (string)problem["type"]!);
        Assert.Equal(["minute"], problem["violated-policies"]!.AsArray().Select(p => (string)p!));
        Assert.InRange(int.Parse(Header(refused, "Retry-After"), System.Globalization.CultureInfo.InvariantCulture), 1, 61);
        Assert.Equal("\"minute\";q=3;w=60,\"day\";q=5;w=86400", Header(refused, "RateLimit-Policy"));
        Assert.StartsWith("\"minute\";r=0;t=", Header(refused, "RateLimit"), StringComparison.Ordinal);
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from signals"));

        _app.Clock.Advance(TimeSpan.FromSeconds(61));
        await _acme.IngestAsync(Sample.Signal("jane@acme.com", 5));
    }

    [Fact]
    public async Task Duplicates_and_refusals_cost_nothing()
    {
        await _acme.IngestAsync(Sample.Signal("jane@acme.com"));
        for (var i = 0; i < 5; i++)
        {
            await _acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com")).JsonAsync(HttpStatusCode.OK);
            await _acme.Client.PostTextAsync("/signals", "{}").ProblemAsync(422, "field_required");
        }

        using var next = await _acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", 1));

        Assert.Equal(HttpStatusCode.Created, next.StatusCode);
        Assert.StartsWith("\"minute\";r=1;", Header(next, "RateLimit"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_costs_nothing_and_shows_what_is_left()
    {
        using var dry = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Signal("jane@acme.com"));

        Assert.Equal(HttpStatusCode.OK, dry.StatusCode);
        Assert.Equal("\"minute\";q=3;w=60,\"day\";q=5;w=86400", Header(dry, "RateLimit-Policy"));
        Assert.StartsWith("\"minute\";r=3;", Header(dry, "RateLimit"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_day_is_remembered_over_a_restart()
    {
        for (var i = 0; i < 5; i++)
        {
            await _acme.IngestAsync(Sample.Signal("jane@acme.com", i));
            _app.Clock.Advance(TimeSpan.FromMinutes(1.1));
        }
        await _app.RestartAsync();
        using var client = _app.WithKey(_acme.Key);

        var problem = await client.PostAsync("/signals", Sample.Signal("jane@acme.com", 9)).ProblemAsync(429, "quota_exceeded");

        Assert.Equal(["day"], problem["violated-policies"]!.AsArray().Select(p => (string)p!));
    }

    [Fact]
    public async Task The_operator_can_give_a_workspace_limits_of_its_own()
    {
        using var operatorClient = _app.WithKey(SignalHubApp.OperatorKey);
        await operatorClient.PatchAsync($"/workspaces/{_acme.Id}", new { limits = new { per_minute = 0, per_day = 0 } }).JsonAsync(HttpStatusCode.OK);

        for (var i = 0; i < 10; i++)
        {
            await _acme.IngestAsync(Sample.Signal("jane@acme.com", i));
        }
        Assert.Equal(0, (int)((JsonObject)(await _acme.GetAsync("/me"))["limits"]!)["per_minute"]!);
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.GetValues(name).Single();
}
