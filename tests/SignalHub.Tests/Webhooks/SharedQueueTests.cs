using System.Diagnostics;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

internal static class Claims
{
    /// <summary>A claim of whatever is due, as a node that holds nothing makes it.</summary>
    public static ClaimRequest All(int perEndpoint = 8, int room = 500) =>
        new(new Dictionary<EndpointKey, int>(), perEndpoint, room, TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(2));
}

public sealed class SharedQueueTests : IAsyncLifetime
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
    public async Task Two_dispatchers_share_the_work_and_nobody_gets_doubles()
    {
        var other = _bench.AddNode();
        var endpoints = new[] { await _bench.AddEndpointAsync(_receiver.Url), await _bench.AddEndpointAsync(_receiver.Url + "/b") };
        foreach (var endpoint in endpoints)
        {
            for (var i = 0; i < 60; i++)
            {
                await _bench.QueueAsync(endpoint);
            }
        }

        // The receiver holds back until both have sent something, so that neither can do it all.
        var both = new TaskCompletionSource();
        _receiver.Otherwise(WebhookReceiver.When(both.Task));
        var first = _bench.Node.DeliverDueAsync();
        await _receiver.WaitForAsync(16);
        var second = other.DeliverDueAsync();
        await _receiver.WaitForAsync(32);
        both.SetResult();
        var counts = await Task.WhenAll(first, second);

        Assert.Equal(120, counts[0].Delivered + counts[1].Delivered);
        Assert.All(counts, c => Assert.True(c.Delivered >= 16, $"a dispatcher delivered {c.Delivered}"));
        Assert.Equal(120, _receiver.Requests.Select(r => r.Headers["X-SignalHub-Delivery"]).Distinct().Count());
        Assert.Equal(120, _receiver.Requests.Count);
    }

    [Fact]
    public async Task An_expired_lease_goes_to_another_node_and_the_first_cannot_complete_any_more()
    {
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url));
        var late = Assert.Single(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));
        Assert.Empty(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));

        _bench.Clock.Advance(TimeSpan.FromSeconds(91));
        var current = Assert.Single(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));

        Assert.Equal((1, 2, 2), (late.Attempt, current.Attempt, current.Claims));
        Assert.Empty(await _bench.Node.Attempts.CompleteAsync([Delivered(late)], default));
        Assert.Equal(0, await _bench.Node.Claims.HandBackAsync([late.Row], default));
        Assert.Equal("pending", await _bench.StateAsync(delivery));
        Assert.Equal([delivery], await _bench.Node.Attempts.CompleteAsync([Delivered(current)], default));
        Assert.Empty(await _bench.Node.Attempts.CompleteAsync([Delivered(current)], default));
        Assert.Equal(1L, await _bench.ScalarAsync<long>("select count(*) from deliveries where id = $1", delivery));
        Assert.Equal(1L, await _bench.ScalarAsync<long>("select count(*) from delivery_attempts where delivery_id = $1", delivery));
    }

    [Fact]
    public async Task A_row_handed_back_is_due_again_and_keeps_its_place_in_the_schedule()
    {
        await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url));
        var claimed = Assert.Single(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));

        Assert.Equal(1, await _bench.Node.Claims.HandBackAsync([claimed.Row], default));

        var again = Assert.Single(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));
        Assert.Equal((2, 0, 1), (again.Attempt, again.Step, again.Claims));
    }

    [Fact]
    public async Task An_outcome_that_cannot_be_stored_does_not_hold_up_the_others()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        for (var i = 0; i < 8; i++)
        {
            await _bench.QueueAsync(endpoint);
        }
        var claimed = await _bench.Node.Claims.ClaimAsync(Claims.All(), default);
        var completions = claimed.Select(Delivered).ToArray();
        // PostgreSQL has no U+0000 in texts.
        completions[2] = completions[2] with { Attempt = completions[2].Attempt! with { Body = "a\0b" } };
        completions[5] = completions[5] with { Attempt = completions[5].Attempt! with { ResolvedIp = "a\0b" } };

        var written = await _bench.Node.Attempts.CompleteAsync(completions, default);

        Assert.Equal(claimed.Select(c => c.Id).Except([claimed[5].Id]).Order(), written.Order());
        Assert.Equal(new Dictionary<string, int> { ["delivered"] = 7, ["pending"] = 1 }, await _bench.StatesAsync(endpoint));
    }

    [Fact]
    public async Task A_payload_that_kills_every_claimer_ends()
    {
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url));
        for (var deaths = 0; deaths < 10; deaths++)
        {
            Assert.Single(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));
            _bench.Clock.Advance(TimeSpan.FromSeconds(91));
        }

        await _bench.Node.DeliverDueAsync();

        Assert.Equal("failed/exhausted", await _bench.StateAsync(delivery));
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task A_dead_endpoints_backlog_neither_delays_nor_slows_the_claim_of_others()
    {
        const int Backlog = 100_000;
        var dead = await _bench.AddEndpointAsync("http://127.0.0.1:1/");
        var healthy = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            healthy.Add(await _bench.AddEndpointAsync(_receiver.Url));
        }
        var without = await FastestClaimAsync();
        await _bench.QueueManyAsync(dead, Backlog, dueSince: TimeSpan.FromDays(1));
        foreach (var endpoint in healthy)
        {
            await _bench.QueueAsync(endpoint);
        }
        await _bench.ExecuteAsync("analyze delivery_queue");

        var claimed = await _bench.Node.Claims.ClaimAsync(Claims.All(room: 100), default);
        var with = await FastestClaimAsync();

        var byEndpoint = claimed.CountBy(c => c.Target.Key.EndpointId).ToDictionary();
        Assert.All(healthy, endpoint => Assert.Equal(1, byEndpoint[endpoint]));
        Assert.InRange(byEndpoint[dead], 1, 8);
        // Both in this run: a claim that walks the backlog takes hundreds of times as long, this one takes eight rows more.
        Assert.True(with < without * 25, $"the fastest of five claims took {with.TotalMilliseconds} ms, {without.TotalMilliseconds} ms without a backlog");
        // A claim writes only what it takes: all the rest is as it was.
        Assert.Equal(Backlog - byEndpoint[dead] - 5 * 8, await _bench.ScalarAsync<int>("select count(*)::int from delivery_queue where attempt = 0"));
    }

    private async Task<TimeSpan> FastestClaimAsync()
    {
        var fastest = TimeSpan.MaxValue;
        for (var again = 0; again < 5; again++)
        {
            var watch = Stopwatch.StartNew();
            await _bench.Node.Claims.ClaimAsync(Claims.All(room: 100), default);
            fastest = watch.Elapsed < fastest ? watch.Elapsed : fastest;
        }
        return fastest;
    }

    [Fact]
    public async Task A_hanging_endpoint_does_not_delay_the_others()
    {
        await using var slow = await WebhookReceiver.StartAsync();
        var released = new TaskCompletionSource();
        slow.Otherwise(WebhookReceiver.When(released.Task));
        var hanging = await _bench.AddEndpointAsync(slow.Url);
        var healthy = await _bench.AddEndpointAsync(_receiver.Url);
        for (var i = 0; i < 20; i++)
        {
            await _bench.QueueAsync(hanging);
        }
        await _bench.QueueAsync(healthy);

        var run = _bench.Node.DeliverDueAsync();
        await slow.WaitForAsync(8);
        await _receiver.WaitForAsync(1);
        await _bench.QueueAsync(healthy);
        _bench.Node.Signal.Wake();
        await _receiver.WaitForAsync(2);

        Assert.Equal(8, slow.Requests.Count);
        released.SetResult();
        Assert.Equal(22, (await run).Delivered);
    }

    [Fact]
    public async Task A_claim_goes_on_where_the_last_one_ended_and_a_sweep_finds_what_came_behind_it()
    {
        var (endpoint, ordered) = (await _bench.AddEndpointAsync(_receiver.Url), await _bench.AddEndpointAsync(_receiver.Url, ordered: true));
        var table = new LaneTable(new(), _bench.Clock);
        await QueueAtAsync(TimeSpan.Zero);
        table.Add(Claims.All(), await _bench.Node.Claims.ClaimAsync(table.NextClaim(sweeps: false), default));

        var late = await QueueAtAsync(TimeSpan.FromMilliseconds(-1_100));
        var soon = await QueueAtAsync(TimeSpan.FromMilliseconds(-900));
        var claimed = await _bench.Node.Claims.ClaimAsync(table.NextClaim(sweeps: false), default);
        var swept = await _bench.Node.Claims.ClaimAsync(table.NextClaim(sweeps: true), default);

        // What is ordered leaves rows behind by its nature: it is looked at from its front each time.
        Assert.Equal(new[] { soon.Ordered, soon.Unordered, late.Ordered }.Order(), claimed.Select(c => c.Id).Order());
        Assert.Equal([late.Unordered], swept.Select(c => c.Id));

        async Task<(Guid Unordered, Guid Ordered)> QueueAtAsync(TimeSpan due)
        {
            var ids = ((await _bench.QueueAsync(endpoint)).Delivery, (await _bench.QueueAsync(ordered)).Delivery);
            await _bench.ExecuteAsync("update delivery_queue set next_at = $1 where attempt = 0 and id = any ($2)",
                _bench.Clock.GetUtcNow() + due, new[] { ids.Item1, ids.Item2 });
            return ids;
        }
    }

    [Fact]
    public async Task What_is_claimed_while_the_breaker_opens_is_no_probe()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        for (var i = 0; i < 3; i++)
        {
            await _bench.QueueAsync(endpoint);
        }
        await AfterEachClaimAsync("update webhook_endpoints set consecutive_failures = 10");

        var claimed = await _bench.Node.Claims.ClaimAsync(Claims.All(), default);

        Assert.Equal([10, 10, 10], claimed.Select(c => c.Target.ConsecutiveFailures));
        Assert.DoesNotContain(claimed, c => c.IsProbe);
    }

    [Fact]
    public async Task What_is_claimed_while_its_endpoint_is_deleted_ends_without_waiting_for_its_lease()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        await _bench.QueueAsync(endpoint);
        await AfterEachClaimAsync("delete from webhook_endpoints");

        Assert.Empty(await _bench.Node.Claims.ClaimAsync(Claims.All(), default));
        var counts = await _bench.Node.DeliverDueAsync();

        Assert.Equal(new DispatchCounts(Skipped: 1), counts);
        Assert.Equal(new Dictionary<string, int> { ["skipped/endpoint_disabled"] = 1 }, await _bench.StatesAsync(endpoint));
    }

    /// <summary>What another session does at the worst moment: between a claim's statement and the one that reads the targets.</summary>
    private Task AfterEachClaimAsync(string sql) => _bench.ExecuteAsync($"""
        create function meanwhile() returns trigger language plpgsql as $$ begin {sql}; return null; end $$;
        create trigger meanwhile after update on delivery_queue for each statement execute function meanwhile()
        """);

    [Fact]
    public async Task What_did_not_begin_at_half_its_lease_is_handed_back()
    {
        var released = new TaskCompletionSource();
        _receiver.Otherwise(WebhookReceiver.When(released.Task));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, timeoutSeconds: 30);
        var node = _bench.AddNode(new() { InFlightPerEndpoint = 1, ClaimPerEndpoint = 1 });
        await _bench.QueueAsync(endpoint);
        var first = node.DeliverDueAsync();
        await _receiver.WaitForAsync(1);

        var table = new LaneTable(new() { InFlightPerEndpoint = 1 }, _bench.Clock);
        for (var i = 0; i < 3; i++)
        {
            await _bench.QueueAsync(endpoint);
        }
        table.Add(Claims.All(), await _bench.Node.Claims.ClaimAsync(Claims.All(), default));
        Assert.Single(table.BeginAll());
        _bench.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Empty(table.TakeUnbegun(all: false));
        _bench.Clock.Advance(TimeSpan.FromSeconds(25));

        Assert.Empty(table.BeginAll());
        Assert.Equal(2, await _bench.Node.Claims.HandBackAsync(table.TakeUnbegun(all: false), default));
        released.SetResult();
        await first;
    }

    [Fact]
    public async Task A_stopping_dispatcher_finishes_what_is_in_flight_and_hands_back_the_rest()
    {
        var released = new TaskCompletionSource();
        _receiver.Otherwise(WebhookReceiver.When(released.Task));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url);
        var node = _bench.AddNode(new() { InFlightPerEndpoint = 2, ClaimPerEndpoint = 8 });
        await WarmUpAsync(node, endpoint);
        for (var i = 0; i < 6; i++)
        {
            await _bench.QueueAsync(endpoint);
        }

        using var stop = new CancellationTokenSource();
        var run = node.Dispatcher.RunOnceAsync(stop.Token);
        await _receiver.WaitForAsync(3);
        await stop.CancelAsync();
        while (await _bench.ScalarAsync<long>("select count(*) from delivery_queue where claims = 0") < 4)
        {
            Assert.False(run.IsCompleted, "the dispatcher ended without handing back");
        }
        released.SetResult();
        var counts = await run;

        Assert.Equal((2, 4), (counts.Delivered, counts.HandedBack));
        Assert.Equal(4, (await _bench.Node.DeliverDueAsync()).Delivered);
        Assert.Equal(7, _receiver.Requests.Select(r => r.Headers["X-SignalHub-Delivery"]).Distinct().Count());
        Assert.Equal(7, _receiver.Requests.Count);
    }

    [Fact]
    public async Task Sends_that_outlast_the_shutdown_are_cut_off_and_sent_again_by_the_next_process()
    {
        _receiver.Answer(WebhookReceiver.When(new TaskCompletionSource().Task));
        var (_, delivery) = await _bench.QueueAsync(await _bench.AddEndpointAsync(_receiver.Url, timeoutSeconds: 30));

        var node = _bench.AddNode(new() { ShutdownGrace = TimeSpan.Zero });
        using var stop = new CancellationTokenSource();
        var run = node.Dispatcher.RunOnceAsync(stop.Token);
        await _receiver.WaitForAsync(1);
        await stop.CancelAsync();

        Assert.Equal(new DispatchCounts(Claimed: 1, HandedBack: 1), await run);
        Assert.Equal(1, (await _bench.AddNode().DeliverDueAsync()).Delivered);
        Assert.Equal("delivered", await _bench.StateAsync(delivery));
    }

    /// <summary>Lets the dispatcher learn that the endpoint is quick, so that it claims ahead of what it has in flight.</summary>
    private async Task WarmUpAsync(Node node, Guid endpoint)
    {
        _receiver.Answer(WebhookReceiver.Status(200));
        await _bench.QueueAsync(endpoint);
        Assert.Equal(1, (await node.DeliverDueAsync()).Delivered);
    }

    private Completion Delivered(ClaimedDelivery delivery) => new(
        delivery, new AttemptResult { StartedAt = _bench.Clock.GetUtcNow(), Status = 200 }, new NextStep(Ending.Delivered, null), null, null);
}
