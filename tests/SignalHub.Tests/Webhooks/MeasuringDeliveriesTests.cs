using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>What a real process tells at <c>/metrics</c> about its deliveries, and about the queue of all nodes.</summary>
public sealed class MeasuringDeliveriesTests
{
    [Fact]
    public async Task Every_series_of_the_specification_is_there_and_right()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var broken = await WebhookReceiver.StartAsync();
        broken.Otherwise(WebhookReceiver.Status(500));
        await using var gone = await WebhookReceiver.StartAsync();
        gone.Otherwise(WebhookReceiver.Status(410));
        var process = database.Start();
        var url = await process.ReadyAsync();
        using var client = SharedDatabase.Client(url, await SharedDatabase.NewWorkspaceAsync(url));
        async Task<string> AddAsync(object endpoint) =>
            (string)(await client.PostAsync("/webhooks/endpoints", endpoint).JsonAsync(HttpStatusCode.Created))["id"]!;
        await AddAsync(new { url = receiver.Url });
        await AddAsync(new { url = broken.Url, schedule = new[] { 3_600 } });
        await AddAsync(new { url = gone.Url, filter = new { sources = new[] { "once" } } });
        await AddAsync(new { url = "http://127.0.0.1:1/closed", schedule = new[] { 3_600 } });
        var disabled = await AddAsync(new { url = receiver.Url + "/later", enabled = false });
        foreach (var source in new[] { "app", "app-2", "once" })
        {
            await client.PostAsync("/signals", Sample.Qualified(1, source: source)).JsonAsync(HttpStatusCode.Created);
        }

        var page = await SharedDatabase.MetricsAsync(url, p => p["signalhub_deliveries_total"] == 10);
        Assert.Equal(3, page["signalhub_deliveries_total", "outcome=\"delivered\"", "error_class=\"none\""]);
        Assert.Equal(3, page["signalhub_deliveries_total", "outcome=\"retried\"", "error_class=\"http_status\""]);
        Assert.Equal(3, page["signalhub_deliveries_total", "outcome=\"retried\"", "error_class=\"connection_refused\""]);
        Assert.Equal(1, page["signalhub_deliveries_total", "outcome=\"failed\"", "error_class=\"http_status\""]);
        Assert.Equal((3, 6, 1), (page["signalhub_delivery_attempt_duration_seconds_count", "outcome=\"delivered\""],
            page["signalhub_delivery_attempt_duration_seconds_count", "outcome=\"retried\""],
            page["signalhub_delivery_attempt_duration_seconds_count", "outcome=\"failed\""]));
        Assert.Equal((10, 10), (page["signalhub_delivery_lag_seconds_count"], page["signalhub_delivery_lag_seconds_bucket", "le=\"+Inf\""]));
        Assert.InRange(page["signalhub_delivery_lag_seconds_sum"]!.Value, 0.0001, 600);

        // What is replayed is delivered late on purpose.
        await client.PatchAsync($"/webhooks/endpoints/{disabled}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        await client.PostAsync($"/webhooks/endpoints/{disabled}/replay", new { status = "skipped" }).JsonAsync(HttpStatusCode.Accepted);
        page = await SharedDatabase.MetricsAsync(url, p => p["signalhub_deliveries_total"] == 13);
        Assert.Equal(10, page["signalhub_delivery_lag_seconds_count"]);
        Assert.DoesNotContain("127.0.0.1", page.Text, StringComparison.Ordinal);
        await process.TerminateAsync();

        // The queue is looked at at the start and then from time to time. Behind an open breaker rows are due and not sent.
        await database.ExecuteAsync("update webhook_endpoints set consecutive_failures = 20, probe_at = now() + interval '1 day' where url like '%closed'");
        await database.ExecuteAsync("update delivery_queue q set next_at = now() - interval '10 minutes' from webhook_endpoints e where e.id = q.endpoint_id and e.url like '%closed'");
        url = await database.Start().ReadyAsync();
        page = await SharedDatabase.MetricsAsync(url, p => p["signalhub_delivery_queue"] is not null);
        Assert.Equal((3, 3, 0), (page["signalhub_delivery_queue", "state=\"due\""], page["signalhub_delivery_queue", "state=\"waiting\""],
            page["signalhub_delivery_queue", "state=\"in_flight\""]));
        Assert.InRange(page["signalhub_delivery_oldest_due_age_seconds"]!.Value, 600, 900);
        Assert.Equal((3, 1, 1), (page["signalhub_webhook_endpoints", "state=\"enabled\""], page["signalhub_webhook_endpoints", "state=\"failing\""],
            page["signalhub_webhook_endpoints", "state=\"disabled\""]));
    }
}
