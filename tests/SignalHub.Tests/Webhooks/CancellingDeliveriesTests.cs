using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class CancellingDeliveriesTests : IAsyncLifetime
{
    private EndpointBench _bench = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _bench = await EndpointBench.StartAsync();
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_delivery_that_waits_is_ended_with_the_reason_and_never_sent_and_a_retry_takes_it_up_again()
    {
        _receiver.Answer(WebhookReceiver.Status(500));
        await _bench.CreateAsync(new { url = _receiver.Url, schedule = new[] { 3_600 } });
        await _bench.RaiseAsync();
        await _bench.DeliverDueAsync();
        var id = await OnlyAsync("pending");

        var cancelled = (await CancelAsync(id)).Expect(HttpStatusCode.OK);
        Assert.Equal((id, "cancelled", "cancelled_by_user", 1), (cancelled.Id(), cancelled.Text("state"), cancelled.Text("reason"), cancelled.GetProperty("attempts").GetInt32()));
        Assert.Equal(JsonValueKind.Null, cancelled.GetProperty("next_attempt_at").ValueKind);
        Assert.Equal(cancelled.GetRawText(), (await CancelAsync(id)).Expect(HttpStatusCode.OK).GetRawText());
        _bench.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(new DispatchCounts(), await _bench.DeliverDueAsync());
        Assert.Equal(id, await OnlyAsync("cancelled"));

        (await _bench.PostAsync($"/webhooks/deliveries/{id}/retry")).Expect(HttpStatusCode.Accepted);
        Assert.Equal(1, (await _bench.DeliverDueAsync()).Delivered);
        Assert.Equal(id, await OnlyAsync("delivered"));
    }

    [Fact]
    public async Task One_that_is_being_sent_is_left_to_its_outcome()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _receiver.Answer(WebhookReceiver.When(released.Task));
        await _bench.CreateAsync(new { url = _receiver.Url });
        await _bench.RaiseAsync();
        var sending = _bench.DeliverDueAsync();
        await _receiver.WaitForAsync(1);
        var id = await OnlyAsync("pending");

        var problem = (await CancelAsync(id)).ExpectProblem(409, "conflict");

        Assert.Contains("being sent", problem.Text("detail"), StringComparison.Ordinal);
        released.SetResult();
        Assert.Equal(new DispatchCounts(Claimed: 1, Delivered: 1), await sending);
        problem = (await CancelAsync(id)).ExpectProblem(409, "conflict");
        Assert.Contains("delivered", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claimer_whose_lease_is_over_cannot_undo_it()
    {
        await _bench.CreateAsync(new { url = _receiver.Url });
        await _bench.RaiseAsync();
        var id = await OnlyAsync("pending");
        using var node = new Node(_bench.Database, _bench.Clock, new EphemeralDataProtectionProvider());
        var late = Assert.Single(await node.Claims.ClaimAsync(Claims.All(), default));
        (await CancelAsync(id)).ExpectProblem(409, "conflict");

        _bench.Clock.Advance(TimeSpan.FromSeconds(91));
        (await CancelAsync(id)).Expect(HttpStatusCode.OK);
        var attempt = new AttemptResult { StartedAt = _bench.Clock.GetUtcNow(), Status = 200 };
        Assert.Empty(await node.Attempts.CompleteAsync([new Completion(late, attempt, new NextStep(Ending.Delivered, null), null, null)], default));

        Assert.Equal(id, await OnlyAsync("cancelled"));
        Assert.Equal(0L, await _bench.ScalarAsync<long>("select count(*) from delivery_queue"));
        Assert.Equal(1L, await _bench.ScalarAsync<long>("select count(*) from delivery_history"));
    }

    [Fact]
    public async Task Cancelling_and_claiming_at_once_never_gives_both()
    {
        const int Deliveries = 60;
        await _bench.CreateAsync(new { url = _receiver.Url });
        for (var i = 0; i < Deliveries; i++)
        {
            await _bench.RaiseAsync();
        }
        var ids = (await _bench.GetAsync($"/webhooks/deliveries?limit={Deliveries}")).Expect(HttpStatusCode.OK)
            .GetProperty("data").EnumerateArray().Select(d => d.Id()).ToList();

        var sending = _bench.DeliverDueAsync();
        var answers = await Task.WhenAll(ids.Select(async id => (Id: id, Answer: await CancelAsync(id))));
        var counts = await sending;

        var cancelled = answers.Where(a => a.Answer.Status == HttpStatusCode.OK).Select(a => a.Id).ToHashSet();
        Assert.Equal(Deliveries, counts.Delivered + cancelled.Count);
        Assert.Equal(counts.Delivered, _receiver.Requests.Count);
        Assert.DoesNotContain(_receiver.Requests, r => cancelled.Contains(r.Headers["X-SignalHub-Delivery"]));
    }

    [Fact]
    public async Task What_was_cancelled_lets_the_leads_next_one_go()
    {
        _receiver.Answer(WebhookReceiver.Status(500));
        await using var bench = await DeliveryBench.CreateAsync();
        var cancels = new CancelStore(bench.Database, bench.Clock);
        var lead = Ids.New(DateTimeOffset.UnixEpoch);
        var endpoint = await bench.AddEndpointAsync(_receiver.Url, "short", ordered: true);
        var (_, first) = await bench.QueueAsync(endpoint, "1", lead);
        await bench.QueueAsync(endpoint, "2", lead);
        await bench.Node.DeliverDueAsync();
        Assert.Single(_receiver.Requests);

        Assert.False(await cancels.CancelAsync(Guid.Empty, first, default));
        Assert.True(await cancels.CancelAsync(bench.Workspace, first, default));
        await bench.Node.DeliverDueAsync();

        Assert.Equal(["1", "2"], _receiver.Requests.Select(r => Encoding.UTF8.GetString(r.Body)));
    }

    [Fact]
    public async Task Another_workspaces_delivery_is_not_found_and_stays_as_it_is()
    {
        await _bench.CreateAsync(new { url = _receiver.Url });
        await _bench.RaiseAsync();
        var id = await OnlyAsync("pending");
        var other = await _bench.AddWorkspaceAsync();

        (await _bench.PostAsync($"/webhooks/deliveries/{id}/cancel", null, other)).ExpectProblem(404, "not_found");
        (await CancelAsync("dlv_x")).ExpectProblem(404, "not_found");
        (await CancelAsync("dlv_zzzzzzzzzzzzzzzzzzzzzzzzzz")).ExpectProblem(404, "not_found");

        Assert.Equal(1, (await _bench.DeliverDueAsync()).Delivered);
        (await _bench.PostAsync($"/webhooks/deliveries/{id}/cancel", null, other)).ExpectProblem(404, "not_found");
    }

    private Task<Answer> CancelAsync(string id) => _bench.PostAsync($"/webhooks/deliveries/{id}/cancel");

    /// <summary>The id of the one delivery of that state.</summary>
    private async Task<string> OnlyAsync(string state) =>
        Assert.Single((await _bench.GetAsync($"/webhooks/deliveries?state={state}")).Expect(HttpStatusCode.OK).GetProperty("data").EnumerateArray()).Id();
}
