using System.Net;
using System.Text;
using System.Text.Json;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class ReadingDeliveriesTests : IAsyncLifetime
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
    public async Task A_delivery_is_written_with_its_event_sent_and_shown_with_body_and_attempts()
    {
        _receiver.Answer(WebhookReceiver.Status(500, "oops"));
        var endpoint = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        var raised = await _bench.RaiseAsync();

        var pending = Assert.Single(await ListAsync(""));
        Assert.Equal(("pending", 0), (pending.Text("state"), pending.GetProperty("attempts").GetInt32()));
        await _bench.DeliverDueAsync();
        _bench.Clock.Advance(TimeSpan.FromSeconds(10));
        await _bench.DeliverDueAsync();

        var shown = (await _bench.GetAsync($"/webhooks/deliveries/{pending.Id()}")).Expect(HttpStatusCode.OK);
        Assert.Equal(("delivered", "signal.qualified", endpoint, 2), (shown.Text("state"), shown.Text("event"), shown.Text("endpoint_id"), shown.GetProperty("attempts").GetInt32()));
        Assert.Equal((Ids.Text(Ids.Event, raised.Id), Ids.Text(Ids.Signal, raised.SignalId)), (shown.Text("event_id"), shown.Text("signal_id")));
        Assert.Equal("2026-03-14T09:26:53Z", shown.Text("created_at"));
        Assert.Equal("null", shown.GetProperty("next_attempt_at").GetRawText());
        Assert.Equal(Encoding.UTF8.GetString(raised.Body), shown.GetProperty("body").GetRawText());
        Assert.Equal(["1 schedule 500 http_status oops", "2 schedule 200  "], shown.GetProperty("attempt_log").EnumerateArray().Select(a =>
            $"{a.GetProperty("attempt")} {a.Text("trigger")} {a.GetProperty("status_code")} {a.Text("error_class")} {a.Text("response_body")}"));
        Assert.All(_receiver.Requests, request => Assert.Equal(raised.Body, request.Body));
        var listed = Assert.Single(await ListAsync("?state=delivered")).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetRawText());
        Assert.All(listed, member => Assert.Equal(member.Value, shown.GetProperty(member.Key).GetRawText()));
    }

    [Fact]
    public async Task Pages_over_queue_and_history_are_the_whole_list_newest_first()
    {
        var endpoint = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        var raised = new List<string>();
        for (var i = 0; i < 9; i++)
        {
            // Three at the same millisecond, so that pages also end inside of one.
            var made = await _bench.RaiseAsync();
            raised.Add(Ids.Text(Ids.Event, made.Id));
            if (i % 3 == 2)
            {
                _bench.Clock.Advance(TimeSpan.FromSeconds(1));
            }
            if (i == 4)
            {
                await _bench.DeliverDueAsync();
            }
        }

        var pages = new List<JsonElement>();
        for (var next = $"/webhooks/deliveries?limit=2&endpoint_id={endpoint}"; next is not null;)
        {
            var page = (await _bench.GetAsync(next)).Expect(HttpStatusCode.OK);
            pages.AddRange(page.GetProperty("data").EnumerateArray());
            next = page.Text("next");
        }

        Assert.Equal(raised.Order(StringComparer.Ordinal), pages.Select(d => d.Text("event_id")!).Order(StringComparer.Ordinal));
        Assert.Equal(pages.Select(d => d.Id()).OrderDescending(StringComparer.Ordinal), pages.Select(d => d.Id()));
        Assert.Equal(5, pages.Count(d => d.Text("state") == "delivered"));
    }

    [Fact]
    public async Task Filters_choose_by_endpoint_state_signal_and_event()
    {
        var first = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        var second = (await _bench.CreateAsync(new { url = _receiver.Url, enabled = false })).Id();
        var raised = await _bench.RaiseAsync();
        await _bench.RaiseAsync();
        await _bench.DeliverDueAsync();
        await _bench.RaiseAsync();

        Assert.Equal(6, (await ListAsync("")).Count);
        Assert.Equal(3, (await ListAsync($"?endpoint_id={first}")).Count);
        Assert.Equal(["pending"], (await ListAsync("?state=pending")).Select(d => d.Text("state")!));
        Assert.Equal(2, (await ListAsync($"?state=delivered&endpoint_id={first}")).Count);
        Assert.Equal(3, (await ListAsync($"?state=skipped&endpoint_id={second}&event=signal.qualified")).Count);
        Assert.Empty(await ListAsync("?event=lead.created"));
        Assert.Empty(await ListAsync("?state=failed"));
        Assert.Equal(2, (await ListAsync($"?signal_id={Ids.Text(Ids.Signal, raised.SignalId)}&state=&event=")).Count);
    }

    [Fact]
    public async Task A_retry_moves_an_ended_delivery_back_under_the_same_id()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500));
        await _bench.CreateAsync(new { url = _receiver.Url, schedule = new[] { 1 } });
        await _bench.RaiseAsync();
        await _bench.DeliverDueAsync();
        _bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await _bench.DeliverDueAsync();
        var failed = Assert.Single(await ListAsync("?state=failed"));
        Assert.Equal("exhausted", failed.Text("reason"));

        _receiver.Otherwise(WebhookReceiver.Status(200));
        var answer = await _bench.PostAsync($"/webhooks/deliveries/{failed.Id()}/retry");
        var queued = answer.Expect(HttpStatusCode.Accepted);
        Assert.Equal(("pending", failed.Id(), failed.Text("event_id")), (queued.Text("state"), queued.Id(), queued.Text("event_id")));
        Assert.Equal("2026-03-14T09:26:55Z", queued.Text("next_attempt_at"));
        await _bench.DeliverDueAsync();

        var shown = (await _bench.GetAsync($"/webhooks/deliveries/{failed.Id()}")).Expect(HttpStatusCode.OK);
        Assert.Equal(("delivered", 3), (shown.Text("state"), shown.GetProperty("attempts").GetInt32()));
        Assert.Equal(["schedule", "schedule", "manual"], shown.GetProperty("attempt_log").EnumerateArray().Select(a => a.Text("trigger")!));
        Assert.Single(_receiver.Requests.Select(r => r.Headers["webhook-id"]).Distinct());
    }

    [Fact]
    public async Task A_retry_makes_a_waiting_delivery_due_now_and_wakes_the_dispatcher()
    {
        _receiver.Answer(WebhookReceiver.Status(500));
        await _bench.CreateAsync(new { url = _receiver.Url, schedule = new[] { 3_600 } });
        await _bench.RaiseAsync();
        await _bench.DeliverDueAsync();
        var waiting = Assert.Single(await ListAsync("?state=pending"));

        (await _bench.PostAsync($"/webhooks/deliveries/{waiting.Id()}/retry")).Expect(HttpStatusCode.Accepted);

        Assert.Equal(1, (await _bench.DeliverDueAsync()).Delivered);
    }

    [Fact]
    public async Task A_retry_for_a_disabled_endpoint_is_refused_until_it_is_enabled()
    {
        var endpoint = (await _bench.CreateAsync(new { url = _receiver.Url, enabled = false })).Id();
        await _bench.RaiseAsync();
        var skipped = Assert.Single(await ListAsync("?state=skipped")).Id();

        (await _bench.PostAsync($"/webhooks/deliveries/{skipped}/retry")).ExpectProblem(409, "endpoint_disabled");
        await _bench.PatchAsync(endpoint, new { enabled = true });
        (await _bench.PostAsync($"/webhooks/deliveries/{skipped}/retry")).Expect(HttpStatusCode.Accepted);

        Assert.Equal(1, (await _bench.DeliverDueAsync()).Delivered);
    }

    [Fact]
    public async Task A_delivery_that_is_being_sent_cannot_be_retried()
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _receiver.Answer(WebhookReceiver.When(released.Task));
        await _bench.CreateAsync(new { url = _receiver.Url });
        await _bench.RaiseAsync();
        var sending = _bench.DeliverDueAsync();
        await _receiver.WaitForAsync(1);

        (await _bench.PostAsync($"/webhooks/deliveries/{Assert.Single(await ListAsync("")).Id()}/retry")).ExpectProblem(409, "conflict");

        released.SetResult();
        Assert.Equal(new DispatchCounts(Claimed: 1, Delivered: 1), await sending);
    }

    [Fact]
    public async Task An_answer_of_410_disables_the_endpoint_and_says_why()
    {
        _receiver.Answer(WebhookReceiver.Status(410));
        var endpoint = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        await _bench.RaiseAsync();

        await _bench.DeliverDueAsync();

        var shown = (await _bench.GetAsync($"/webhooks/endpoints/{endpoint}")).Expect(HttpStatusCode.OK);
        Assert.Equal((false, "gone_410"), (shown.GetProperty("enabled").GetBoolean(), shown.Text("disabled_reason")));
        Assert.Equal("gone_410", Assert.Single(await ListAsync("?state=failed")).Text("reason"));
    }

    [Fact]
    public async Task Another_workspaces_delivery_is_not_found_and_not_retried()
    {
        await _bench.CreateAsync(new { url = _receiver.Url });
        await _bench.RaiseAsync();
        var id = Assert.Single(await ListAsync("")).Id();
        var other = await _bench.AddWorkspaceAsync();

        (await _bench.GetAsync($"/webhooks/deliveries/{id}", other)).ExpectProblem(404, "not_found");
        (await _bench.PostAsync($"/webhooks/deliveries/{id}/retry", null, other)).ExpectProblem(404, "not_found");
        (await _bench.GetAsync("/webhooks/deliveries/dlv_x")).ExpectProblem(404, "not_found");
        (await _bench.PostAsync("/webhooks/deliveries/dlv_zzzzzzzzzzzzzzzzzzzzzzzzzz/retry")).ExpectProblem(404, "not_found");
        Assert.Empty((await _bench.GetAsync("/webhooks/deliveries", other)).Expect(HttpStatusCode.OK).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task The_same_event_written_twice_fails_the_second_transaction()
    {
        await _bench.CreateAsync(new { url = _receiver.Url });
        var made = await _bench.RaiseAsync();
        await using var connection = await _bench.Database.OpenAsync(default);
        await using var batch = new Npgsql.NpgsqlBatch(connection);
        SignalHub.Webhooks.OutboxStore.AddTo(batch, [made], []);

        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => batch.ExecuteNonQueryAsync());

        Assert.Equal("23505", refused.SqlState);
    }

    private async Task<IReadOnlyList<JsonElement>> ListAsync(string query) =>
        [.. (await _bench.GetAsync($"/webhooks/deliveries{query}")).Expect(HttpStatusCode.OK).GetProperty("data").EnumerateArray()];
}
