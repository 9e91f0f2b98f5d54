using System.Text.Json;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

/// <summary>What a failing endpoint costs: probes instead of its backlog, a warning, and in the end its deliveries.</summary>
public sealed class BreakerTests : IAsyncLifetime
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
    public async Task After_ten_failures_in_a_row_only_one_probe_a_minute_goes_out_and_the_rest_waits_without_spending_attempts()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        await QueueAsync(endpoint, 40);

        await _bench.Node.DeliverDueAsync();
        var before = _receiver.Requests.Count;
        var perMinute = new List<int>();
        for (var minute = 0; minute < 5; minute++)
        {
            _bench.Clock.Advance(TimeSpan.FromSeconds(30));
            await _bench.Node.DeliverDueAsync();
            _bench.Clock.Advance(TimeSpan.FromSeconds(30));
            await _bench.Node.DeliverDueAsync();
            perMinute.Add(_receiver.Requests.Count - before);
            before = _receiver.Requests.Count;
        }

        // Ten, and what was in flight with the tenth.
        Assert.InRange(_receiver.Requests.Count - 5, 10, 17);
        Assert.Equal([1, 1, 1, 1, 1], perMinute);
        Assert.Equal(40 - _receiver.Requests.Select(r => r.Headers["X-SignalHub-Delivery"]).Distinct().Count(),
            await _bench.ScalarAsync<int>("select count(*)::int from delivery_queue where step = 0"));
        Assert.Equal(0, await _bench.ScalarAsync<int>("select count(*)::int from delivery_queue where claims > 0"));
    }

    [Fact]
    public async Task A_success_closes_the_breaker_and_the_rest_follows_at_once()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        await QueueAsync(endpoint, 40);
        await _bench.Node.DeliverDueAsync();
        _receiver.Otherwise(WebhookReceiver.Status(200));

        _bench.Clock.Advance(TimeSpan.FromMinutes(1));
        var counts = await _bench.Node.DeliverDueAsync();
        _bench.Clock.Advance(TimeSpan.FromMinutes(6));
        counts += await _bench.Node.DeliverDueAsync();

        Assert.Equal(40, counts.Delivered);
        Assert.Equal(0, await _bench.ScalarAsync<int>("select consecutive_failures + failed_deliveries from webhook_endpoints where id = $1", endpoint));
    }

    [Fact]
    public async Task Two_nodes_send_one_probe_between_them()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500));
        var other = _bench.AddNode();
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        await QueueAsync(endpoint, 60);
        await Task.WhenAll(_bench.Node.DeliverDueAsync(), other.DeliverDueAsync());
        var before = _receiver.Requests.Count;

        _bench.Clock.Advance(TimeSpan.FromMinutes(1));
        await Task.WhenAll(_bench.Node.DeliverDueAsync(), other.DeliverDueAsync());

        Assert.Equal(1, _receiver.Requests.Count - before);
    }

    [Fact]
    public async Task An_answer_of_410_stops_what_was_claimed_ahead()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        await QueueAsync(endpoint, 1);
        await _bench.Node.DeliverDueAsync();
        _receiver.Otherwise(WebhookReceiver.Status(410));
        await QueueAsync(endpoint, 150);

        var counts = await _bench.Node.DeliverDueAsync();
        counts += await _bench.Node.DeliverDueAsync();

        // The eight that were in flight with the first answer.
        Assert.InRange(_receiver.Requests.Count - 1, 1, 8);
        Assert.Equal((_receiver.Requests.Count - 1, 151 - _receiver.Requests.Count), (counts.Failed, counts.Skipped));
    }

    [Fact]
    public async Task Half_way_the_workspaces_other_endpoints_are_warned_and_at_the_end_they_hear_that_it_is_disabled_once_each()
    {
        await using var listener = await WebhookReceiver.StartAsync();
        var failing = await _bench.AddEndpointAsync(_receiver.Url, events: ["signal.qualified", "endpoint.failing", "endpoint.disabled"]);
        await _bench.AddEndpointAsync(listener.Url, events: ["endpoint.failing", "endpoint.disabled"]);
        await _bench.AddEndpointAsync(listener.Url + "/other", events: ["signal.qualified"]);
        _receiver.Otherwise(WebhookReceiver.Status(503));
        await QueueAsync(failing, 60);

        for (var hour = 0; hour <= 5 * 24 && await IsEnabledAsync(failing); hour++)
        {
            // Two probes an hour: 24 deliveries have failed long before half of the time is over.
            await _bench.Node.DeliverDueAsync();
            _bench.Clock.Advance(TimeSpan.FromMinutes(30));
            await _bench.Node.DeliverDueAsync();
            _bench.Clock.Advance(TimeSpan.FromMinutes(30));
        }
        await _bench.Node.DeliverDueAsync();

        Assert.Equal("failing", await _bench.ScalarAsync<string>("select disabled_reason from webhook_endpoints where id = $1", failing));
        Assert.Equal(
            [("/hook", "endpoint.failing"), ("/hook", "endpoint.disabled")],
            listener.Requests.Select(r => (r.Path, r.Headers["X-SignalHub-Event"])));
        var states = await _bench.StatesAsync(failing);
        Assert.True(states["skipped/endpoint_disabled"] > 0 && !states.ContainsKey("pending"), string.Join(", ", states));
        Assert.DoesNotContain(_receiver.Requests, r => r.Headers["X-SignalHub-Event"].StartsWith("endpoint.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_warning_tells_which_endpoint_why_and_until_when()
    {
        await using var listener = await WebhookReceiver.StartAsync();
        var failing = await _bench.AddEndpointAsync(_receiver.Url);
        await _bench.AddEndpointAsync(listener.Url, events: ["endpoint.failing"]);
        var since = _bench.Clock.GetUtcNow() - TimeSpan.FromDays(2.5);
        await _bench.ExecuteAsync(
            "update webhook_endpoints set consecutive_failures = 30, failed_deliveries = 24, failing_since = $2 where id = $1", failing, since);
        _receiver.Otherwise(WebhookReceiver.Status(500));
        await QueueAsync(failing, 1);

        await _bench.Node.DeliverDueAsync();

        var told = JsonDocument.Parse(Assert.Single(listener.Requests).Body).RootElement;
        var data = told.GetProperty("data");
        Assert.Equal("endpoint.failing", told.GetProperty("event").GetString());
        Assert.Equal(Ids.Text(Ids.Endpoint, failing), data.GetProperty("id").GetString());
        Assert.Equal((_receiver.Url, 31, 25), (data.GetProperty("url").GetString(),
            data.GetProperty("consecutive_failures").GetInt32(), data.GetProperty("failed_deliveries").GetInt32()));
        Assert.Equal(since + TimeSpan.FromDays(5), data.GetProperty("disables_at").GetDateTimeOffset());
        Assert.Equal(JsonValueKind.Null, data.GetProperty("disabled_reason").ValueKind);
    }

    [Fact]
    public async Task An_answer_of_410_is_told_to_the_others_too()
    {
        await using var listener = await WebhookReceiver.StartAsync();
        var gone = await _bench.AddEndpointAsync(_receiver.Url);
        await _bench.AddEndpointAsync(listener.Url, events: ["endpoint.disabled"]);
        _receiver.Otherwise(WebhookReceiver.Status(410));
        await QueueAsync(gone, 3);

        await _bench.Node.DeliverDueAsync();
        await _bench.Node.DeliverDueAsync();

        var told = JsonDocument.Parse(Assert.Single(listener.Requests).Body).RootElement;
        Assert.Equal("gone_410", told.GetProperty("data").GetProperty("disabled_reason").GetString());
    }

    [Theory]
    [InlineData(5.0, 50, false, HealthNotice.Disable)]
    [InlineData(5.0, 50, true, HealthNotice.Disable)]
    [InlineData(5.0, 49, false, HealthNotice.Failing)]
    [InlineData(4.9, 5_000, true, HealthNotice.None)]
    [InlineData(2.5, 25, false, HealthNotice.Failing)]
    [InlineData(2.5, 25, true, HealthNotice.None)]
    [InlineData(2.4, 5_000, false, HealthNotice.None)]
    [InlineData(90, 24, false, HealthNotice.None)]
    public void Time_and_number_have_to_be_reached_both(double days, int failed, bool warned, HealthNotice expected) =>
        Assert.Equal(expected, Breaker.Judge(TimeSpan.FromDays(days), failed, warned));

    private Task<bool> IsEnabledAsync(Guid endpoint) => _bench.ScalarAsync<bool>("select enabled from webhook_endpoints where id = $1", endpoint);

    private async Task QueueAsync(Guid endpoint, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _bench.QueueAsync(endpoint);
        }
    }
}
