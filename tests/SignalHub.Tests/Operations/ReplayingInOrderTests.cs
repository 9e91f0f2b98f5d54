using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Operations;

/// <summary>
/// Replays to endpoints with <c>ordered: true</c>. The clock stands still, so that all events are of one millisecond: the worst case, as
/// ids are hashes below that.
/// </summary>
public sealed class ReplayingInOrderTests : IAsyncLifetime
{
    private const int Leads = 3;
    private const int SignalsEach = 6;

    private readonly Dictionary<string, int> _sending = [];
    private int _mostAtOnce;
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
        _receiver = await WebhookReceiver.StartAsync();
        _receiver.Otherwise(CountAsync);
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task What_was_delivered_comes_again_in_the_order_of_the_first_time_one_at_a_time()
    {
        var endpoint = await NewEndpointAsync();
        await IngestAsync();
        await _app.DeliverDueAsync();
        var first = ByLead(_receiver.Requests);

        await ReplayAsync(endpoint, "delivered");

        Assert.Equal(2 * first.Values.Sum(events => events.Count), _receiver.Requests.Count);
        var second = ByLead(_receiver.Requests.Skip(_receiver.Requests.Count / 2));
        Assert.Equal(Leads, first.Count);
        Assert.All(first, lead => Assert.Equal(lead.Value, second[lead.Key]));
        Assert.All(first.Values, events => Assert.InRange(events.Count, SignalsEach + 1, int.MaxValue));
        Assert.Equal(1, _mostAtOnce);
    }

    [Fact]
    public async Task What_a_disabled_endpoint_missed_and_what_a_newer_one_never_had_come_in_the_same_order()
    {
        await NewEndpointAsync();
        var disabled = await NewEndpointAsync(enabled: false);
        await IngestAsync();
        await _app.DeliverDueAsync();
        var live = ByLead(_receiver.Requests);
        var (liveCount, newer) = (_receiver.Requests.Count, await NewEndpointAsync());
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{disabled}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);

        await ReplayAsync(disabled, "skipped");
        await ReplayAsync(newer, "missing");

        var skipped = ByLead(_receiver.Requests.Skip(liveCount).Take(liveCount));
        var missing = ByLead(_receiver.Requests.Skip(2 * liveCount));
        Assert.All(live, lead => Assert.Equal(lead.Value, skipped[lead.Key]));
        Assert.All(live, lead => Assert.Equal(lead.Value, missing[lead.Key]));
    }

    private async Task<string> NewEndpointAsync(bool enabled = true) => (string)(await _acme.NewEndpointAsync(new
    {
        url = _receiver.Url, ordered = true, enabled, events = new[] { "lead.created", "lead.updated", "signal.qualified" },
    }))["id"]!;

    private async Task IngestAsync()
    {
        for (var signal = 0; signal < SignalsEach; signal++)
        {
            for (var lead = 0; lead < Leads; lead++)
            {
                await _acme.IngestAsync(Sample.Qualified(lead, source: $"app-{signal}"));
            }
        }
    }

    /// <summary>Replays in turns so short that each ends within the millisecond, and delivers.</summary>
    private async Task ReplayAsync(string endpoint, string status)
    {
        // A replay is of what was before it.
        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        var pace = status == "missing" ? 500 : 4;
        var job = (string)(await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/replay", new { status, max_per_second = pace })
            .JsonAsync(HttpStatusCode.Accepted))["id"]!;
        for (var state = "queued"; state is "queued" or "running"; state = (string)(await _acme.GetAsync($"/jobs/{job}"))["state"]!)
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
            await _app.RunJobsAsync();
        }
        await _app.DeliverDueAsync();
    }

    /// <summary>Each lead's events in the order in which they arrived.</summary>
    private static Dictionary<string, List<string>> ByLead(IEnumerable<ReceivedRequest> requests) => requests
        .GroupBy(r => LeadOf(JsonNode.Parse(r.Body)!))
        .ToDictionary(g => g.Key, g => g.Select(r => r.Headers["webhook-id"]).ToList());

    private static string LeadOf(JsonNode body) => (string)(body["data"]!["lead_id"] ?? body["data"]!["id"])!;

    /// <summary>Notes how many deliveries of one lead are under way at once.</summary>
    private async Task CountAsync(HttpContext context)
    {
        var delivery = context.Request.Headers["X-SignalHub-Delivery"];
        var lead = LeadOf(JsonNode.Parse(_receiver.Requests.First(r => r.Headers["X-SignalHub-Delivery"] == delivery).Body)!);
        lock (_sending)
        {
            _sending[lead] = _sending.GetValueOrDefault(lead) + 1;
            _mostAtOnce = Math.Max(_mostAtOnce, _sending[lead]);
        }
        await Task.Yield();
        // Before the answer: the next one may come as soon as it is there.
        lock (_sending)
        {
            _sending[lead]--;
        }
    }
}
