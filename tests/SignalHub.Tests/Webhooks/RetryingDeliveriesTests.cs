using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class RetryingDeliveriesTests : IAsyncLifetime
{
    private DeliveryBench _bench = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _bench = await DeliveryBench.CreateAsync();
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_delivery_is_sent_once_signed_and_recorded()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var (eventId, delivery) = await _bench.QueueAsync(endpoint, """{"event": "signal.qualified",  "ü":1}""");

        var counts = await _bench.Node.DeliverDueAsync();

        Assert.Equal(new DispatchCounts(Claimed: 1, Delivered: 1), counts);
        var request = Assert.Single(_receiver.Requests);
        Assert.Equal("""{"event": "signal.qualified",  "ü":1}""", System.Text.Encoding.UTF8.GetString(request.Body));
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.Matches(@"^SignalHub/\d+\.\d+\.\d+$", request.Headers["User-Agent"]);
        Assert.Equal(Ids.Text(Ids.Event, eventId), request.Headers["webhook-id"]);
        Assert.Equal(Ids.Text(Ids.Delivery, delivery), request.Headers["X-SignalHub-Delivery"]);
        Assert.Equal("signal.qualified", request.Headers["X-SignalHub-Event"]);
        Assert.Equal("1", request.Headers["X-SignalHub-Attempt"]);
        Assert.True(SeedVerification.Node(request.Body, request.Headers["X-SignalHub-Signature"], DeliveryBench.Secret));
        Assert.Equal("delivered", await _bench.StateAsync(delivery));
        Assert.Equal("schedule 200 127.0.0.1", await _bench.ScalarAsync<string>(
            "select trigger || ' ' || status_code || ' ' || resolved_ip from delivery_attempts where delivery_id = $1", delivery));
        Assert.Equal(new DispatchCounts(), await _bench.Node.DeliverDueAsync());
    }

    [Fact]
    public async Task A_receiver_that_is_down_for_three_tries_gets_the_same_id_and_a_growing_attempt()
    {
        _receiver.Answer(WebhookReceiver.Status(500), WebhookReceiver.Abort, WebhookReceiver.Status(503));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var (eventId, delivery) = await _bench.QueueAsync(endpoint);

        for (var tries = 0; tries < 4; tries++)
        {
            await _bench.Node.DeliverDueAsync();
            _bench.Clock.Advance(TimeSpan.FromMinutes(40));
        }

        Assert.Equal("delivered", await _bench.StateAsync(delivery));
        Assert.Equal(["1", "2", "3", "4"], _receiver.Requests.Select(r => r.Headers["X-SignalHub-Attempt"]));
        Assert.All(_receiver.Requests, r => Assert.Equal(Ids.Text(Ids.Event, eventId), r.Headers["webhook-id"]));
        Assert.Equal(4, _receiver.Requests.Select(r => r.Headers["webhook-timestamp"]).Distinct().Count());
        Assert.Equal("http_status,broken_response,http_status", await _bench.ScalarAsync<string>(
            "select string_agg(error_class, ',' order by attempt) from delivery_attempts where delivery_id = $1", delivery));
        Assert.Equal(0, await _bench.ScalarAsync<int>("select consecutive_failures from webhook_endpoints where id = $1", endpoint));
    }

    [Fact]
    public async Task A_retry_waits_for_its_time()
    {
        _receiver.Answer(WebhookReceiver.Status(500));
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url, "short"));
        await _bench.Node.DeliverDueAsync();

        _bench.Clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(0, (await _bench.Node.DeliverDueAsync()).Claimed);

        _bench.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, (await _bench.Node.DeliverDueAsync()).Delivered);
        Assert.Equal("delivered", await _bench.StateAsync(delivery));
    }

    [Theory]
    [InlineData("3600", 3_600, 3_600)]
    [InlineData("Sat, 14 Mar 2026 10:26:53 GMT", 3_600, 3_600)]
    [InlineData("0", 80, 120)]
    [InlineData("315360000", 86_400, 86_400)]
    [InlineData("Fri, 14 Mar 2036 09:26:53 GMT", 86_400, 86_400)]
    [InlineData("Sat, 14 Mar 2020 09:26:53 GMT", 80, 120)]
    [InlineData("soon; or later", 80, 120)]
    [InlineData("-1", 80, 120)]
    public async Task Retry_after_of_a_busy_receiver_is_honoured_between_the_scheduled_delay_and_a_day(string value, double least, double most)
    {
        _receiver.Answer(WebhookReceiver.Status(429, headers: ("Retry-After", value)));
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url, "custom", schedule: [100]));

        await _bench.Node.DeliverDueAsync();

        Assert.InRange(await _bench.ScalarAsync<double>(
            "select extract(epoch from next_attempt_at - $2)::float8 from deliveries where id = $1", delivery, _bench.Clock.GetUtcNow()), least - 0.001, most + 0.001);
        Assert.InRange(await _bench.ScalarAsync<double>(
            "select extract(epoch from next_attempt_at - $2)::float8 from delivery_attempts where delivery_id = $1", delivery, _bench.Clock.GetUtcNow()), least - 0.001, most + 0.001);
    }

    [Fact]
    public async Task After_the_last_try_a_delivery_ends_failed_exhausted_with_all_its_attempts()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500, "no\0pe"));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, "short");
        var (_, delivery) = await _bench.QueueAsync(endpoint);

        for (var i = 0; i < 6; i++)
        {
            await _bench.Node.DeliverDueAsync();
            _bench.Clock.Advance(TimeSpan.FromMinutes(10));
        }

        Assert.Equal("failed/exhausted", await _bench.StateAsync(delivery));
        Assert.Equal(4, _receiver.Requests.Count);
        Assert.Equal("500 http_status no\uFFFDpe", await _bench.ScalarAsync<string>(
            "select distinct status_code || ' ' || error_class || ' ' || response_body from delivery_attempts where delivery_id = $1", delivery));
        Assert.Equal(4, await _bench.ScalarAsync<int>("select consecutive_failures from webhook_endpoints where id = $1", endpoint));
        Assert.True(await _bench.ScalarAsync<bool>("select failing_since < last_failure_at from webhook_endpoints where id = $1", endpoint));
    }

    [Fact]
    public async Task A_410_ends_the_delivery_disables_the_endpoint_and_skips_its_backlog()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var (_, first) = await _bench.QueueAsync(endpoint);
        _bench.Clock.Advance(TimeSpan.FromMilliseconds(1));
        _receiver.Otherwise(WebhookReceiver.Status(410));
        var node = _bench.AddNode(new() { SkipBatch = 2, ClaimPerEndpoint = 1, InFlightPerEndpoint = 1 });
        for (var i = 0; i < 5; i++)
        {
            await _bench.QueueAsync(endpoint);
        }

        var counts = await node.DeliverDueAsync();
        counts += await node.DeliverDueAsync();

        Assert.Equal(new { Sent = 1, Failed = 1, Skipped = 5 }, new { Sent = _receiver.Requests.Count, counts.Failed, counts.Skipped });
        Assert.Equal("failed/gone_410", await _bench.StateAsync(first));
        Assert.Equal(new Dictionary<string, int> { ["failed/gone_410"] = 1, ["skipped/endpoint_disabled"] = 5 }, await _bench.StatesAsync(endpoint));
        Assert.Equal("false gone_410", await _bench.ScalarAsync<string>("select enabled || ' ' || disabled_reason from webhook_endpoints where id = $1", endpoint));
        Assert.Equal(2L, await _bench.ScalarAsync<long>("select version from workspaces where id = $1", _bench.Workspace));
    }

    [Fact]
    public async Task A_refused_address_ends_the_delivery_without_a_try_on_the_wire()
    {
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync("https://10.0.0.1/hook"));

        await _bench.Node.DeliverDueAsync();

        Assert.Equal("failed/blocked_address", await _bench.StateAsync(delivery));
        Assert.Equal("blocked_address", await _bench.ScalarAsync<string>("select error_class from delivery_attempts where delivery_id = $1", delivery));
    }

    [Fact]
    public async Task An_erased_event_ends_its_delivery_unsent()
    {
        var (eventId, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url));
        await _bench.ExecuteAsync("delete from webhook_events where id = $1", eventId);

        await _bench.Node.DeliverDueAsync();

        Assert.Equal("cancelled/erased", await _bench.StateAsync(delivery));
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task Deliveries_of_a_deleted_endpoint_end_with_a_reason()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var (_, delivery) = await _bench.QueueAsync(endpoint);
        await _bench.ExecuteAsync("delete from webhook_endpoints where id = $1", endpoint);

        await _bench.Node.DeliverDueAsync();

        Assert.Equal("skipped/endpoint_disabled", await _bench.StateAsync(delivery));
    }

    [Fact]
    public async Task A_retry_by_hand_moves_an_ended_delivery_back_under_the_same_id()
    {
        _receiver.Answer(WebhookReceiver.Status(500), WebhookReceiver.Status(500));
        var (eventId, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url, "custom", schedule: [1]));
        await _bench.Node.DeliverDueAsync();
        _bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await _bench.Node.DeliverDueAsync();
        Assert.Equal("failed/exhausted", await _bench.StateAsync(delivery));

        Assert.Equal(RetryAnswer.Queued, await _bench.Node.Store.RetryAsync(_bench.Workspace, delivery, default));
        Assert.Equal("pending", await _bench.StateAsync(delivery));
        await _bench.Node.DeliverDueAsync();

        Assert.Equal("delivered", await _bench.StateAsync(delivery));
        var last = _receiver.Requests[^1];
        Assert.Equal((Ids.Text(Ids.Event, eventId), "3"), (last.Headers["webhook-id"], last.Headers["X-SignalHub-Attempt"]));
        Assert.Equal("schedule,schedule,manual", await _bench.ScalarAsync<string>(
            "select string_agg(trigger, ',' order by attempt) from delivery_attempts where delivery_id = $1", delivery));
    }

    [Fact]
    public async Task A_retry_by_hand_says_why_it_does_nothing()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var (_, delivery) = await _bench.QueueAsync(endpoint);
        var store = _bench.Node.Store;

        await _bench.Node.Claims.ClaimAsync(Claims.All(), default);
        Assert.Equal(RetryAnswer.InFlight, await store.RetryAsync(_bench.Workspace, delivery, default));
        Assert.Equal(RetryAnswer.NotFound, await store.RetryAsync(Guid.Empty, delivery, default));
        await _bench.ExecuteAsync("update webhook_endpoints set enabled = false where id = $1", endpoint);
        Assert.Equal(RetryAnswer.EndpointDisabled, await store.RetryAsync(_bench.Workspace, delivery, default));
    }

    [Fact]
    public async Task A_test_send_answers_with_its_record_and_leaves_the_endpoints_health_alone()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        _receiver.Answer(WebhookReceiver.Status(418));

        var result = await _bench.Node.TestSend.SendAsync(_bench.Workspace, endpoint, default);

        Assert.Equal((418, Verdict.Failed), (result!.Attempt.Status, result.Outcome.Verdict));
        Assert.Equal("test", Assert.Single(_receiver.Requests).Headers["X-SignalHub-Event"]);
        Assert.Equal("failed/exhausted", await _bench.StateAsync(result.DeliveryId));
        Assert.Equal("test 418", await _bench.ScalarAsync<string>(
            "select trigger || ' ' || status_code from delivery_attempts where delivery_id = $1", result.DeliveryId));
        Assert.Equal(0, await _bench.ScalarAsync<int>("select consecutive_failures from webhook_endpoints where id = $1", endpoint));
        Assert.Null(await _bench.Node.TestSend.SendAsync(Guid.Empty, endpoint, default));
    }
}
