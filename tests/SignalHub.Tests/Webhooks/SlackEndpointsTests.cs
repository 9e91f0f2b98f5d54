using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>Endpoints with the format of a Slack incoming webhook, at a receiver that answers like one.</summary>
public sealed class SlackEndpointsTests(SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private readonly SignalHubApp _app = shared.App;
    private TestWorkspace _acme = null!;
    private WebhookReceiver _slack = null!;

    public async Task InitializeAsync()
    {
        _slack = await WebhookReceiver.StartAsync();
        _slack.Otherwise(WebhookReceiver.Status(200, "ok"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _slack.DisposeAsync();
    }

    [Fact]
    public async Task A_message_is_sent_logged_and_the_same_at_every_try()
    {
        _slack.Answer(WebhookReceiver.Status(429, "rate_limited", ("Retry-After", "5")));
        await _acme.NewEndpointAsync(new { url = _slack.Url, format = "slack", retry_policy = "short" });
        await _acme.IngestAsync(Sample.Seed());

        await _app.DeliverDueAsync();
        _app.Clock.Advance(TimeSpan.FromSeconds(15));
        await _app.DeliverDueAsync();

        Assert.Equal(2, _slack.Requests.Count);
        Assert.Equal(_slack.Requests[0].Body, _slack.Requests[1].Body);
        var message = JsonNode.Parse(_slack.Requests[0].Body)!;
        Assert.Equal(["text", "blocks"], message.AsObject().Select(m => m.Key));
        Assert.Equal("Qualified: person@company.com", (string?)message["text"]);
        var delivery = (await _acme.GetAsync("/webhooks/deliveries?state=delivered"))["data"]!.AsArray().Single()!;
        var shown = await _acme.GetAsync($"/webhooks/deliveries/{(string)delivery["id"]!}");
        Assert.Equal(message.ToJsonString(), shown["body"]!.ToJsonString());
    }

    [Fact]
    public async Task Two_endpoints_get_one_event_each_in_its_own_form()
    {
        await using var crm = await WebhookReceiver.StartAsync();
        await _acme.NewEndpointAsync(new { url = _slack.Url, format = "slack" });
        await _acme.NewEndpointAsync(new { url = crm.Url });
        await _acme.IngestAsync(Sample.Seed());
        await _app.DeliverDueAsync();

        Assert.Equal(_slack.Requests.Single().Headers["webhook-id"], crm.Requests.Single().Headers["webhook-id"]);
        Assert.Contains("\"blocks\"", Encoding.UTF8.GetString(_slack.Requests.Single().Body), StringComparison.Ordinal);
        Assert.Equal("signal.qualified", (string?)JsonNode.Parse(crm.Requests.Single().Body)!["event"]);
    }

    [Fact]
    public async Task A_test_send_is_a_message_too()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = _slack.Url, format = "slack", events = new[] { "signal.detected" } }))["id"]!;

        var sent = await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/test", new { }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("delivered", (string?)sent["state"]);
        var message = JsonNode.Parse(_slack.Requests.Single().Body)!;
        Assert.Equal("Test: High priority: Acme", (string?)message["text"]);
        var shown = await _acme.GetAsync($"/webhooks/deliveries/{(string)sent["delivery_id"]!}");
        Assert.Equal(message.ToJsonString(), shown["body"]!.ToJsonString());
    }

    [Fact]
    public async Task What_waits_when_the_format_is_changed_goes_out_in_the_new_one()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = _slack.Url }))["id"]!;
        await _acme.IngestAsync(Sample.Seed());

        var changed = await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { format = "slack" }).JsonAsync(HttpStatusCode.OK);
        await _app.DeliverDueAsync();

        Assert.Equal("slack", (string?)changed["format"]);
        Assert.Equal("Qualified: person@company.com", (string?)JsonNode.Parse(_slack.Requests.Single().Body)!["text"]);
    }

    [Fact]
    public async Task An_unknown_format_is_refused_and_the_default_is_json()
    {
        await _acme.Client.PostAsync("/webhooks/endpoints", new { url = _slack.Url, format = "teams" }).ProblemAsync(422, "invalid_value");

        Assert.Equal("json", (string?)(await _acme.NewEndpointAsync(new { url = _slack.Url }))["format"]);
    }
}
