using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>REST hooks as Zapier uses them, and endpoints in bulk.</summary>
public sealed class SubscribingHooksTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_hook_gets_its_event_without_a_handshake_and_nothing_after_it_is_deleted()
    {
        var hook = await SubscribeAsync("lead.created");
        Assert.Empty(_receiver.Requests);
        await _acme.IngestAsync(Sample.Qualified(1));
        await _app.DeliverDueAsync();

        Assert.Equal("lead.created", Assert.Single(_receiver.Requests).Headers["X-SignalHub-Event"]);
        await DeleteAsync(hook);
        await _acme.IngestAsync(Sample.Qualified(2));
        await _app.DeliverDueAsync();
        Assert.Single(_receiver.Requests);
    }

    [Theory]
    [InlineData("ep_01kt8q2v3x8e1b6m0r5c9d7f2g")]
    [InlineData("whatever")]
    public async Task Deleting_a_hook_that_is_gone_is_no_error(string id) => await DeleteAsync(id);

    [Fact]
    public async Task Deleting_a_hook_leaves_endpoints_and_other_workspaces_alone()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = _receiver.Url }))["id"]!;
        var hook = await SubscribeAsync("signal.qualified");
        using var globex = await _app.NewWorkspaceAsync("Globex");

        await DeleteAsync(endpoint);
        using var foreign = await globex.Client.DeleteAsync(new Uri($"/hooks/{hook}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, foreign.StatusCode);
        Assert.Equal("api", (string?)(await _acme.GetAsync($"/webhooks/endpoints/{endpoint}"))["origin"]);
        Assert.Equal("hook", (string?)(await _acme.GetAsync($"/webhooks/endpoints/{hook}"))["origin"]);
    }

    [Fact]
    public async Task A_410_deletes_the_hook_and_what_waits_for_it_ends_with_a_reason()
    {
        _receiver.Answer(WebhookReceiver.Status(500), WebhookReceiver.Status(410));
        var hook = await SubscribeAsync("signal.qualified");
        await _acme.IngestAsync(Sample.Qualified(1));
        await _app.DeliverDueAsync();
        await _acme.IngestAsync(Sample.Qualified(2));
        await _app.DeliverDueAsync();
        _app.Clock.Advance(TimeSpan.FromSeconds(2));
        await _app.DeliverDueAsync();

        await _acme.Client.GetAsync(new Uri($"/webhooks/endpoints/{hook}", UriKind.Relative)).ProblemAsync(404, "not_found");
        var ended = (await _acme.GetAsync($"/webhooks/deliveries?endpoint_id={hook}"))["data"]!.AsArray().Select(d => $"{d!["state"]}/{d["reason"]}").Order();
        Assert.Equal(["failed/gone_410", "skipped/endpoint_disabled"], ended);
        await _acme.IngestAsync(Sample.Qualified(3));
        Assert.Equal(2L, await _app.QueryAsync<long>("select count(*) from deliveries"));
    }

    [Fact]
    public async Task A_hook_that_cannot_be_is_refused_in_its_own_words()
    {
        var missing = await _acme.Client.PostAsync("/hooks", new { @event = "signal.qualified" }).ProblemAsync(422, "field_required");
        Assert.Equal("/target_url", (string?)missing["errors"]![0]!["pointer"]);
        Assert.StartsWith("/target_url: ", (string?)missing["detail"], StringComparison.Ordinal);
        await _acme.Client.PostAsync("/hooks", new { target_url = _receiver.Url }).ProblemAsync(422, "field_required");
        var unknown = await _acme.Client.PostAsync("/hooks", new { target_url = _receiver.Url, @event = "signal.lost" }).ProblemAsync(422, "invalid_value");
        Assert.Equal("/event", (string?)unknown["errors"]![0]!["pointer"]);
        await _acme.Client.PostAsync("/hooks", new { target_url = "http://169.254.169.254/", @event = "signal.qualified" }).ProblemAsync(422, "blocked_address");
        using var test = await _acme.NewKeyAsync("test", "read", "manage");
        await test.PostAsync("/hooks", new { target_url = _receiver.Url, @event = "signal.qualified" }).ProblemAsync(403, "live_key_required");
    }

    [Theory]
    [InlineData("signal.qualified")]
    [InlineData("lead.created")]
    public async Task A_sample_has_the_shape_of_what_is_sent(string type)
    {
        await SubscribeAsync(type);
        await _acme.IngestAsync(Sample.Qualified(1));
        await _app.DeliverDueAsync();

        var sample = Assert.Single((await _acme.GetAsync($"/hooks/sample?event={type}")).AsArray());

        var sent = JsonNode.Parse(Assert.Single(_receiver.Requests).Body)!["data"]!;
        Assert.Equal(Shape(sent), Shape(sample!));
        await _acme.Client.GetAsync(new Uri("/hooks/sample?event=x", UriKind.Relative)).ProblemAsync(400, "invalid_query");
    }

    [Fact]
    public async Task The_sample_of_an_automation_is_the_whole_body_that_is_sent()
    {
        await SubscribeAsync("automation.action_triggered");
        await _acme.NewAutomationAsync("http://127.0.0.1:9/hook");
        await _acme.IngestAsync(Sample.Qualified(1));
        await _app.DeliverDueAsync();

        var sample = Assert.Single((await _acme.GetAsync("/hooks/sample?event=automation.action_triggered")).AsArray())!;

        var sent = JsonNode.Parse(Assert.Single(_receiver.Requests).Body)!;
        Assert.Equal(sent.AsObject().Select(m => m.Key), sample.AsObject().Select(m => m.Key));
        Assert.All(["account", "contact", "signal"], part => Assert.Equal(sent[part]!.AsObject().Select(m => m.Key), sample[part]!.AsObject().Select(m => m.Key)));
        Assert.Equal("automation.action_triggered", (string?)sample["event"]);
    }

    [Fact]
    public async Task Endpoints_in_bulk_are_created_each_for_itself()
    {
        using var some = await _acme.Client.PostAsync("/webhooks/endpoints/bulk", new
        {
            endpoints = new object[]
            {
                new { url = _receiver.Url }, new { url = "ftp://example.com" }, new { url = _receiver.Url, typo = 1 }, "x",
                new { url = _receiver.Url, events = new[] { "lead.created" } },
            },
        });
        var told = await some.JsonAsync(HttpStatusCode.MultiStatus);

        Assert.Equal((2, 3), ((int)told["created"]!, (int)told["rejected"]!));
        Assert.Equal(["created", "rejected", "rejected", "rejected", "created"], told["results"]!.AsArray().Select(r => (string)r!["status"]!));
        Assert.Equal(
            ["invalid_url /endpoints/1/url", "unknown_field /endpoints/2/typo", "invalid_type /endpoints/3"],
            told["results"]!.AsArray().Select(r => r!["error"]).OfType<JsonNode>().Select(e => $"{e["code"]} {e["errors"]![0]!["pointer"]}"));
        Assert.StartsWith("whsec_", (string?)told["results"]![4]!["endpoint"]!["secret"], StringComparison.Ordinal);
        Assert.Equal(2, (await _acme.GetAsync("/webhooks/endpoints"))["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_bulk_of_all_good_is_201_of_all_bad_422_and_of_none_or_too_many_refused()
    {
        object[] good = [.. Enumerable.Range(0, 25).Select(_ => new { url = _receiver.Url })];
        await _acme.Client.PostAsync("/webhooks/endpoints/bulk", new { endpoints = good }).JsonAsync(HttpStatusCode.Created);
        var none = await _acme.Client.PostAsync("/webhooks/endpoints/bulk", new { endpoints = new[] { new { url = "" } } }).JsonAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal(0, (int)none["created"]!);
        Assert.Equal(422, (int)none["results"]![0]!["error"]!["status"]!);
        await _acme.Client.PostAsync("/webhooks/endpoints/bulk", new { endpoints = good.Append(good[0]) }).ProblemAsync(422, "too_long");
        await _acme.Client.PostAsync("/webhooks/endpoints/bulk", new { endpoints = Array.Empty<object>() }).ProblemAsync(422, "field_required");
        Assert.Equal(25L, await _app.QueryAsync<long>("select count(*) from webhook_endpoints"));
    }

    private async Task<string> SubscribeAsync(string type)
    {
        var hook = await _acme.Client.PostAsync("/hooks", new { target_url = _receiver.Url, @event = type }).JsonAsync(HttpStatusCode.Created);
        return (string)hook["id"]!;
    }

    private async Task DeleteAsync(string id)
    {
        using var deleted = await _acme.Client.DeleteAsync(new Uri($"/hooks/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    /// <summary>The members, and those of the objects inside that describe people, companies and leads.</summary>
    private static List<string> Shape(JsonNode data)
    {
        string[] described = ["lead", "account", "contact", "attribution", "qualification"];
        return [.. data.AsObject().SelectMany(m => described.Contains(m.Key) && m.Value is JsonObject inner ? Shape(inner).Select(name => $"{m.Key}.{name}") : [m.Key]).Order(StringComparer.Ordinal)];
    }
}
