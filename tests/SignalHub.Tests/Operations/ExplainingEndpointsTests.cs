using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Operations;

public sealed class ExplainingEndpointsTests : IAsyncLifetime
{
    private const string Url = "http://127.0.0.1:9/hook";

    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Every_part_of_the_filter_is_told_with_what_it_wants_and_the_value_it_saw()
    {
        var endpoint = await NewEndpointAsync(new
        {
            url = Url,
            events = new[] { "signal.qualified" },
            filter = new { signal_types = new[] { "custom_event" }, sources = new[] { "app" }, when = "signal.context.team_size > 10 and icp.score >= 1" },
        });
        var signal = await IngestAsync(Sample.Qualified(1));

        var told = await ExplainAsync(endpoint, signal);

        Assert.True((bool)told["would_fire"]!);
        Assert.Equal(["enabled", "events", "signal_types", "sources", "projects", "priorities", "when"], told["parts"]!.AsArray().Select(p => (string)p!["part"]!));
        Assert.All(told["parts"]!.AsArray(), part => Assert.True((bool)part!["matched"]!, part.ToJsonString()));
        Assert.Equal("""["lead.created","signal.qualified"]""", Part(told, "events")["value"]!.ToJsonString());
        Assert.Equal("custom_event", (string?)Part(told, "signal_types")["value"]);
        Assert.Equal("""["app"]""", Part(told, "sources")["wants"]!.ToJsonString());
        Assert.Equal("low", (string?)Part(told, "priorities")["value"]);
        Assert.Equal(12, (int)Part(told, "when")["value"]!["signal.context.team_size"]!);
        Assert.Equal("pending", (string?)told["deliveries"]![0]!["state"]);
    }

    [Fact]
    public async Task An_endpoint_that_listens_to_automations_is_told_of_those_that_fired_also_in_a_dry_run()
    {
        var endpoint = await NewEndpointAsync(new { url = Url, events = new[] { "automation.action_triggered" } });
        await _acme.NewAutomationAsync(Url, "signal.context.team_size == 12");
        var dry = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Qualified(1)).JsonAsync(HttpStatusCode.OK);
        Assert.True((bool)dry["endpoints"]![0]!["would_fire"]!);
        var fired = await IngestAsync(Sample.Qualified(1));
        var other = await IngestAsync(Sample.Qualified(2, context: new { team_size = 1 }));

        var told = await ExplainAsync(endpoint, fired);
        Assert.True((bool)told["would_fire"]!);
        Assert.Equal("pending", (string?)Assert.Single(told["deliveries"]!.AsArray())!["state"]);
        Assert.False((bool)(await ExplainAsync(endpoint, other))["would_fire"]!);
    }

    [Theory]
    [InlineData("enabled", """{"enabled":false}""", "disabled")]
    [InlineData("events", """{"events":["lead.updated"]}""", "does not listen")]
    [InlineData("signal_types", """{"filter":{"signal_types":["company_change"]}}""", "custom_event is not in filter.signal_types")]
    [InlineData("sources", """{"filter":{"sources":["crm"]}}""", "app is not in filter.sources")]
    [InlineData("priorities", """{"filter":{"priorities":["high"]}}""", "not in filter.priorities")]
    [InlineData("when", """{"filter":{"when":"signal.context.team_size > 100"}}""", "false")]
    [InlineData("when", """{"filter":{"when":"signal.context.seats > 100"}}""", "unknown")]
    public async Task The_one_part_that_does_not_match_is_the_one_that_is_told(string part, string settings, string why)
    {
        var body = JsonNode.Parse(settings)!.AsObject();
        body["url"] = Url;
        var endpoint = await NewEndpointAsync(body);
        var signal = await IngestAsync(Sample.Qualified(1));

        var told = await ExplainAsync(endpoint, signal);

        Assert.False((bool)told["would_fire"]!);
        Assert.Equal([part], told["parts"]!.AsArray().Where(p => !(bool)p!["matched"]!).Select(p => (string)p!["part"]!));
        Assert.Contains(why, (string?)Part(told, part)["detail"], StringComparison.Ordinal);
        // The intake decided the same.
        Assert.Equal(part == "enabled" ? 1L : 0L, await _app.QueryAsync<long>("select count(*) from deliveries"));
    }

    [Fact]
    public async Task A_signal_that_raised_nothing_is_told_with_the_reason()
    {
        var endpoint = await NewEndpointAsync(new { url = Url });
        using var test = await _acme.NewKeyAsync("test", "ingest");
        var tested = (string)(await test.PostAsync("/signals", Sample.Qualified(1)).JsonAsync(HttpStatusCode.Created))["signal_capture_id"]!;
        var backfilled = await IngestAsync(Sample.Qualified(2, backfill: true));
        await IngestAsync(Sample.Signal("someone@gmail.com", minute: 1));
        var unchanged = await IngestAsync(Sample.Signal("someone@gmail.com", minute: 2));

        Assert.Contains("test signal", (string?)Part(await ExplainAsync(endpoint, tested), "events")["detail"], StringComparison.Ordinal);
        Assert.Contains("backfill", (string?)Part(await ExplainAsync(endpoint, backfilled), "events")["detail"], StringComparison.Ordinal);
        Assert.Contains("did not qualify", (string?)Part(await ExplainAsync(endpoint, unchanged), "events")["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_ids_foreign_workspaces_and_test_keys_are_refused()
    {
        var endpoint = await NewEndpointAsync(new { url = Url });
        var signal = await IngestAsync(Sample.Qualified(1));
        var path = $"/webhooks/endpoints/{endpoint}/explain";
        await _acme.Client.PostAsync(path, new { }).ProblemAsync(422, "field_required");
        await _acme.Client.PostAsync(path, new { signal_id = "lead_1" }).ProblemAsync(422, "invalid_value");
        await _acme.Client.PostAsync(path, new { signal_id = signal[..^4] + "0000" }).ProblemAsync(404, "not_found");
        await _acme.Client.PostAsync("/webhooks/endpoints/ep_1/explain", new { signal_id = signal }).ProblemAsync(404, "not_found");
        using var test = await _acme.NewKeyAsync("test", "read", "manage");
        await test.PostAsync(path, new { signal_id = signal }).ProblemAsync(403, "live_key_required");
        using var globex = await _app.NewWorkspaceAsync("Globex");
        var theirs = (string)(await globex.NewEndpointAsync(new { url = Url }))["id"]!;
        await globex.Client.PostAsync($"/webhooks/endpoints/{theirs}/explain", new { signal_id = signal }).ProblemAsync(404, "not_found");
    }

    private async Task<string> NewEndpointAsync(object endpoint) => (string)(await _acme.NewEndpointAsync(endpoint))["id"]!;

    private async Task<string> IngestAsync(object signal) => (string)(await _acme.IngestAsync(signal))["signal_capture_id"]!;

    private Task<JsonNode> ExplainAsync(string endpoint, string signal) =>
        _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/explain", new { signal_id = signal }).JsonAsync(HttpStatusCode.OK);

    private static JsonNode Part(JsonNode told, string part) => told["parts"]!.AsArray().Single(p => (string)p!["part"]! == part)!;
}
