using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>Nothing vanishes: for each endpoint and each event that it matches there is one delivery, whatever happens to both.</summary>
public sealed class AccountingForEventsTests
{
    private const int Signals = 12;

    [Fact]
    public async Task Every_matching_event_ends_in_exactly_one_row_with_a_reason_where_it_did_not_arrive()
    {
        await using var app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        using var acme = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var broken = await WebhookReceiver.StartAsync();
        await using var gone = await WebhookReceiver.StartAsync();
        broken.Otherwise(WebhookReceiver.Status(500));
        gone.Answer([.. Enumerable.Repeat(WebhookReceiver.Status(200), 3)]);
        gone.Otherwise(WebhookReceiver.Status(410));
        async Task<string> NewAsync(string url, object? more = null)
        {
            var body = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(more ?? new { }))!.AsObject();
            body["url"] = url;
            return (string)(await acme.NewEndpointAsync(body))["id"]!;
        }
        var healthy = await NewAsync(receiver.Url);
        var failing = await NewAsync(broken.Url, new { retry_policy = "custom", schedule = new[] { 1 } });
        var goneAway = await NewAsync(gone.Url);
        var disabled = await NewAsync(receiver.Url, new { enabled = false });
        var deleted = await NewAsync(broken.Url);
        var everything = await NewAsync(receiver.Url, new { events = new[] { "signal.qualified", "lead.created" } });
        var half = await NewAsync(receiver.Url, new { filter = new { sources = new[] { "odd" } } });

        for (var i = 0; i < Signals; i++)
        {
            await acme.IngestAsync(Sample.Qualified(i, source: i % 2 == 1 ? "odd" : "even"));
            await app.DeliverDueAsync();
            app.Clock.Advance(TimeSpan.FromSeconds(2));
            if (i == Signals / 2)
            {
                using var _ = await acme.Client.DeleteAsync(new Uri($"/webhooks/endpoints/{deleted}", UriKind.Relative));
                await acme.Client.PatchAsync($"/webhooks/endpoints/{healthy}", new { enabled = false }).JsonAsync(HttpStatusCode.OK);
            }
        }
        // The failing one's breaker is open by now: a probe a minute is all that goes out.
        for (var i = 0; i < 3 * Signals; i++)
        {
            app.Clock.Advance(TimeSpan.FromMinutes(2));
            await app.DeliverDueAsync();
        }

        var rows = await ListAsync(acme, "");
        var states = rows.GroupBy(r => (string)r["endpoint_id"]!).ToDictionary(g => g.Key, g => Summary(g));
        Assert.Equal($"delivered 7, skipped/endpoint_disabled 5", states[healthy]);
        Assert.Equal($"failed/exhausted {Signals}", states[failing]);
        Assert.Equal("delivered 3, failed/gone_410 1, skipped/endpoint_disabled 8", states[goneAway]);
        Assert.Equal($"skipped/endpoint_disabled {Signals}", states[disabled]);
        Assert.Equal("skipped/endpoint_disabled 7", states[deleted]);
        Assert.Equal($"delivered {2 * Signals}", states[everything]);
        Assert.Equal($"delivered {Signals / 2}", states[half]);
        // One row for an event at an endpoint, never two.
        Assert.Equal(rows.Count, rows.Select(r => (Event: (string)r["event_id"]!, Endpoint: (string)r["endpoint_id"]!)).Distinct().Count());
        var undelivered = await ListAsync(acme, "&state=failed,cancelled,skipped");
        Assert.Equal(rows.Count(r => (string?)r["state"] != "delivered"), undelivered.Count);
        Assert.All(undelivered, row => Assert.False(string.IsNullOrEmpty((string?)row["reason"]), row.ToJsonString()));
    }

    private static string Summary(IEnumerable<JsonNode> rows) => string.Join(", ", rows
        .GroupBy(r => r["reason"] is { } reason ? $"{r["state"]}/{reason}" : (string)r["state"]!)
        .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key} {g.Count()}"));

    private static async Task<List<JsonNode>> ListAsync(TestWorkspace workspace, string filter)
    {
        var rows = new List<JsonNode>();
        for (var next = $"/webhooks/deliveries?limit=7{filter}"; next is not null;)
        {
            var page = await workspace.GetAsync(new Uri(new Uri("http://localhost"), next).PathAndQuery);
            rows.AddRange(page["data"]!.AsArray().Select(row => row!));
            next = (string?)page["next"];
        }
        return rows;
    }
}
