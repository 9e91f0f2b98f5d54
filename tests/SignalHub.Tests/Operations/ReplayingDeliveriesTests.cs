using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Jobs;
using SignalHub.Operations.Replay;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Operations;

public sealed class ReplayingDeliveriesTests : IAsyncLifetime
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
    public async Task What_a_disabled_endpoint_missed_is_counted_and_sent_under_the_ids_it_was_listed_with()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, enabled = false });
        await IngestAsync(3);
        var skipped = await DeliveriesAsync($"?endpoint_id={endpoint}&state=skipped");
        Assert.Equal(["endpoint_disabled", "endpoint_disabled", "endpoint_disabled"], skipped.Select(d => (string?)d["reason"]));
        var enabled = await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(3, (int)enabled["skipped"]!);

        var counted = await ReplayAsync(endpoint, new { status = "skipped", dry_run = true }, HttpStatusCode.OK);
        Assert.Equal((3, true), ((int)counted["count"]!, (bool)counted["dry_run"]!));
        var job = await FinishAsync(await ReplayAsync(endpoint, new { status = "skipped" }));
        await _app.DeliverDueAsync();

        Assert.Equal(("succeeded", 3, 3), ((string?)job["state"], (int)job["progress"]!["done"]!, (int)job["progress"]!["affected"]!));
        Assert.Equal(Ids(skipped, "event_id"), Received("webhook-id"));
        Assert.Equal(Ids(skipped, "id"), Received("X-SignalHub-Delivery"));
        Assert.Equal(Ids(skipped, "id"), Ids(await DeliveriesAsync("?state=delivered"), "id"));
        Assert.Empty(await DeliveriesAsync("?state=skipped"));
    }

    [Fact]
    public async Task A_newer_endpoint_gets_past_events_under_the_ids_that_others_got_them_with()
    {
        await NewEndpointAsync(new { url = _receiver.Url });
        await IngestAsync(2);
        await _app.DeliverDueAsync();
        await using var later = await WebhookReceiver.StartAsync();
        var newer = await NewEndpointAsync(new { url = later.Url });

        Assert.Equal(2, (int)(await ReplayAsync(newer, new { dry_run = true }, HttpStatusCode.OK))["by_status"]!["missing"]!);
        await FinishAsync(await ReplayAsync(newer, new { }));
        await _app.DeliverDueAsync();

        Assert.Equal(Received("webhook-id"), later.Requests.Select(r => r.Headers["webhook-id"]).Order());
        Assert.Equal(_receiver.Requests.Select(r => Convert.ToBase64String(r.Body)).Order(), later.Requests.Select(r => Convert.ToBase64String(r.Body)).Order());
        Assert.Equal(0, (int)(await ReplayAsync(newer, new { status = "missing", dry_run = true }, HttpStatusCode.OK))["count"]!);
    }

    [Fact]
    public async Task Detected_signals_are_made_again_with_the_bytes_and_ids_they_were_sent_with()
    {
        async Task NewProjectAsync(object project) => await _acme.Client.PostAsync("/projects", project).JsonAsync(HttpStatusCode.Created);
        await NewProjectAsync(new { name = "All", recommended_action = "{{person.title}} {{company.domain}} {{icp.code}} {{signal.context.team_size}}" });
        await NewProjectAsync(new { name = "Small", when = "signal.context.team_size < 5", priorities = new[] { new { when = "true", priority = "low" } } });
        string[] detected = ["signal.detected"];
        await NewEndpointAsync(new { url = _receiver.Url, events = detected });
        await IngestAsync(2);
        await _acme.IngestAsync(Sample.Qualified(7, context: new { team_size = 2 }));
        await _acme.IngestAsync(Sample.Qualified(8, backfill: true));
        await _app.DeliverDueAsync();
        Assert.Equal(4, _receiver.Requests.Count);
        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        await using var later = await WebhookReceiver.StartAsync();
        var newer = await NewEndpointAsync(new { url = later.Url, events = detected });
        var onlyLow = await NewEndpointAsync(new { url = later.Url, events = detected, filter = new { priorities = new[] { "low" } } });

        Assert.Equal(1, (int)(await ReplayAsync(onlyLow, new { status = "missing", dry_run = true }, HttpStatusCode.OK))["count"]!);
        // As if nobody had listened: the events are made from the signals once more.
        await _app.QueryAsync<object>("delete from webhook_events");
        await FinishAsync(await ReplayAsync(newer, new { status = "missing" }));
        await _app.DeliverDueAsync();

        Assert.Equal(Received("webhook-id"), later.Requests.Select(r => r.Headers["webhook-id"]).Order());
        string Body(ReceivedRequest request)
        {
            // Contacts are those known when the body is made, which are more by now.
            var body = JsonNode.Parse(request.Body)!.AsObject();
            body.Remove("contacts");
            return body.ToJsonString();
        }
        Assert.Equal(_receiver.Requests.Select(Body).Order(), later.Requests.Select(Body).Order());
    }

    [Fact]
    public async Task An_event_that_nobody_listened_to_is_made_from_the_signal_and_has_the_id_it_would_have_had()
    {
        await IngestAsync(2);
        await _acme.IngestAsync(Sample.Qualified(8, backfill: true));
        await _acme.IngestAsync(Sample.Signal("nobody@gmail.com"));
        var first = await NewEndpointAsync(new { url = _receiver.Url });
        await FinishAsync(await ReplayAsync(first, new { status = "missing" }));
        await _app.DeliverDueAsync();
        await using var later = await WebhookReceiver.StartAsync();
        var second = await NewEndpointAsync(new { url = later.Url });
        await FinishAsync(await ReplayAsync(second, new { status = "missing" }));
        await _app.DeliverDueAsync();

        Assert.Equal(2, _receiver.Requests.Count);
        Assert.Equal(Received("webhook-id"), later.Requests.Select(r => r.Headers["webhook-id"]).Order());
        var body = JsonNode.Parse(_receiver.Requests[0].Body)!;
        Assert.Equal("signal.qualified", (string?)body["event"]);
        Assert.Equal(_receiver.Requests[0].Headers["webhook-id"], (string?)body["id"]);
        Assert.True((bool)body["data"]!["qualified"]!);
        Assert.All(["lead", "account", "contact"], member => Assert.NotNull(body["data"]![member]));
    }

    [Fact]
    public async Task A_newer_endpoint_gets_only_what_its_filter_lets_through()
    {
        await IngestAsync(1);
        await _acme.IngestAsync(Sample.Qualified(2, type: "company_change"));
        await _acme.IngestAsync(Sample.Qualified(3, context: new { team_size = 12, plan_tier = "pro" }));
        _app.Clock.Advance(TimeSpan.FromSeconds(1));

        async Task<int> CountAsync(object filter) =>
            (int)(await ReplayAsync(await NewEndpointAsync(new { url = _receiver.Url, filter }), new { dry_run = true }, HttpStatusCode.OK))["count"]!;

        Assert.Equal(3, await CountAsync(new { }));
        Assert.Equal(1, await CountAsync(new { signal_types = new[] { "company_change" } }));
        Assert.Equal(1, await CountAsync(new { when = "signal.context.plan_tier == 'pro'" }));
        Assert.Equal(3, await CountAsync(new { when = "icp.qualified and person.email_class == 'work' and company.domain == 'company.com'" }));
        Assert.Equal(0, await CountAsync(new { priorities = new[] { "high" } }));
    }

    [Fact]
    public async Task Range_state_and_type_choose_what_is_sent_again()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, retry_policy = "custom", schedule = new[] { 1 } });
        await IngestAsync(1);
        _app.Clock.Advance(TimeSpan.FromHours(1));
        var noon = _app.Clock.GetUtcNow();
        await _acme.IngestAsync(Sample.Qualified(2, type: "company_change"));
        await _app.DeliverDueAsync();
        _receiver.Otherwise(WebhookReceiver.Status(500));
        await _acme.IngestAsync(Sample.Qualified(3));
        await _app.DeliverDueAsync();
        _app.Clock.Advance(TimeSpan.FromMinutes(1));
        await _app.DeliverDueAsync();

        async Task<int> CountAsync(object asked) => (int)(await ReplayAsync(endpoint, asked, HttpStatusCode.OK))["count"]!;

        Assert.Equal(3, await CountAsync(new { dry_run = true }));
        Assert.Equal(1, await CountAsync(new { dry_run = true, status = "failed" }));
        Assert.Equal(2, await CountAsync(new { dry_run = true, status = "delivered" }));
        Assert.Equal(2, await CountAsync(new { dry_run = true, since = noon }));
        Assert.Equal(1, await CountAsync(new { dry_run = true, until = noon }));
        Assert.Equal(1, await CountAsync(new { dry_run = true, signal_type = "companyChange" }));
        Assert.Equal(0, await CountAsync(new { dry_run = true, signal_type = "company_change", status = "failed" }));
        _receiver.Otherwise(WebhookReceiver.Status(200));
        await FinishAsync(await ReplayAsync(endpoint, new { status = "failed" }));
        await _app.DeliverDueAsync();
        Assert.Equal(3, (await DeliveriesAsync("?state=delivered")).Count);
        var again = Assert.Single(await DeliveriesAsync("?min_attempts=3"));
        var log = (await _acme.GetAsync($"/webhooks/deliveries/{again["id"]}"))["attempt_log"]!.AsArray();
        Assert.Equal(["schedule", "schedule", "replay"], log.Select(a => (string?)a!["trigger"]));
    }

    [Fact]
    public async Task What_somebody_cancelled_is_not_brought_back_by_asking_for_everything()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url });
        await IngestAsync(2);
        var cancelled = (string)(await DeliveriesAsync("?state=pending"))[0]["id"]!;
        await _acme.Client.PostAsync($"/webhooks/deliveries/{cancelled}/cancel", new { }).JsonAsync(HttpStatusCode.OK);
        await _app.DeliverDueAsync();

        Assert.Equal(1, (int)(await ReplayAsync(endpoint, new { dry_run = true }, HttpStatusCode.OK))["count"]!);
        await FinishAsync(await ReplayAsync(endpoint, new { }));
        await _app.DeliverDueAsync();

        Assert.Equal(2, _receiver.Requests.Count);
        Assert.DoesNotContain(cancelled, Received("X-SignalHub-Delivery"));
        using var test = await _acme.NewKeyAsync("test", "read", "manage");
        await test.PostAsync($"/webhooks/deliveries/{cancelled}/cancel", new { }).ProblemAsync(403, "live_key_required");
        using var reader = await _acme.NewKeyAsync("live", "read");
        await reader.PostAsync($"/webhooks/deliveries/{cancelled}/cancel", new { }).ProblemAsync(403, "missing_scope");
    }

    [Fact]
    public async Task A_job_keeps_its_pace_goes_on_after_a_restart_and_ends()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, enabled = false });
        await IngestAsync(3);
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        var job = (string)(await ReplayAsync(endpoint, new { status = "skipped", max_per_second = 1 }))["id"]!;

        Assert.Equal(1, (await _app.RunJobsAsync()).Turns);
        Assert.Equal(0, (await _app.RunJobsAsync()).Turns);
        var first = await _acme.GetAsync($"/jobs/{job}");
        Assert.Equal(("running", 3, 1), ((string?)first["state"], (int)first["progress"]!["total"]!, (int)first["progress"]!["done"]!));
        await _app.RestartAsync();
        for (var second = 0; second < 3; second++)
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
            await _app.RunJobsAsync();
        }

        using var client = _app.WithKey(_acme.Key);
        var done = await client.GetAsync(new Uri($"/jobs/{job}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(("succeeded", 3), ((string?)done["state"], (int)done["progress"]!["affected"]!));
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from delivery_queue"));
        await client.PostAsync($"/jobs/{job}/cancel", new { }).ProblemAsync(409, "conflict");
    }

    [Fact]
    public async Task A_cancelled_job_queues_nothing_more_and_cancelling_again_changes_nothing()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, enabled = false });
        await IngestAsync(3);
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        var job = (string)(await ReplayAsync(endpoint, new { status = "skipped", max_per_second = 1 }))["id"]!;
        await _app.RunJobsAsync();

        var cancelled = await _acme.Client.PostAsync($"/jobs/{job}/cancel", new { }).JsonAsync(HttpStatusCode.OK);
        _app.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, (await _app.RunJobsAsync()).Turns);
        var again = await _acme.Client.PostAsync($"/jobs/{job}/cancel", new { }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("cancelled", (string?)cancelled["state"]);
        Assert.Equal(cancelled.ToJsonString(), again.ToJsonString());
        Assert.Equal((1, 2), ((await DeliveriesAsync("?state=pending")).Count, (await DeliveriesAsync("?state=skipped")).Count));
    }

    [Fact]
    public async Task A_turn_whose_node_died_is_done_by_another_and_the_dead_ones_late_write_is_refused()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, enabled = false });
        await IngestAsync(3);
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        var id = (string)(await ReplayAsync(endpoint, new { status = "skipped" }))["id"]!;
        var taken = await _app.Services.GetRequiredService<JobStore>().ClaimAsync([Replays.Kind], JobRunner.Lease, CancellationToken.None);
        await using var other = await _app.SecondNodeAsync();

        Assert.Equal(0, (await other.RunJobsAsync()).Turns);
        _app.Clock.Advance(JobRunner.Lease);
        Assert.Equal(1, (await other.RunJobsAsync()).Turns);
        await _app.DeliverDueAsync();
        await _app.Services.GetRequiredService<Replays>().RunAsync(taken!, CancellationToken.None);
        await _app.DeliverDueAsync();

        var job = await _acme.GetAsync($"/jobs/{id}");
        Assert.Equal(("succeeded", 3, 3), ((string?)job["state"], (int)job["progress"]!["done"]!, (int)job["progress"]!["affected"]!));
        Assert.Equal(3, _receiver.Requests.Count);
    }

    [Fact]
    public async Task Two_nodes_share_a_job_and_queue_each_delivery_once()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url, enabled = false });
        await IngestAsync(12);
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        var id = (string)(await ReplayAsync(endpoint, new { max_per_second = 2 }))["id"]!;
        await using var other = await _app.SecondNodeAsync();

        for (var state = "running"; state is "queued" or "running"; state = (string)(await _acme.GetAsync($"/jobs/{id}"))["state"]!)
        {
            await Task.WhenAll(_app.RunJobsAsync(), other.RunJobsAsync());
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        await _app.DeliverDueAsync();

        Assert.Equal(12, (int)(await _acme.GetAsync($"/jobs/{id}"))["progress"]!["affected"]!);
        Assert.Equal(12, Received("X-SignalHub-Delivery").Distinct().Count());
        Assert.Equal(12, _receiver.Requests.Count);
    }

    [Fact]
    public async Task A_job_whose_endpoint_is_disabled_meanwhile_fails_and_says_so()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url });
        await IngestAsync(1);
        await _app.DeliverDueAsync();
        var id = (string)(await ReplayAsync(endpoint, new { }))["id"]!;
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { enabled = false }).JsonAsync(HttpStatusCode.OK);

        await _app.RunJobsAsync();

        var job = await _acme.GetAsync($"/jobs/{id}");
        Assert.Equal("failed", (string?)job["state"]);
        Assert.Contains("disabled", (string?)job["error"], StringComparison.Ordinal);
        await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/replay", new { }).ProblemAsync(409, "endpoint_disabled");
    }

    [Fact]
    public async Task Bad_requests_foreign_workspaces_and_test_keys_are_refused()
    {
        var endpoint = await NewEndpointAsync(new { url = _receiver.Url });
        var path = $"/webhooks/endpoints/{endpoint}/replay";
        await _acme.Client.PostAsync(path, new { status = "lost" }).ProblemAsync(422, "invalid_value");
        await _acme.Client.PostAsync(path, new { since = "2026-03-15T00:00:00Z", until = "2026-03-14T00:00:00Z" }).ProblemAsync(422, "invalid_value");
        await _acme.Client.PostAsync(path, new { since = "yesterday" }).ProblemAsync(422, "invalid_type");
        await _acme.Client.PostAsync(path, new { max_per_second = 0 }).ProblemAsync(422, "out_of_range");
        await _acme.Client.PostAsync(path, new { signal_type = "!!" }).ProblemAsync(422, "invalid_value");
        await _acme.Client.PostAsync(path, new { stauts = "any" }).ProblemAsync(400, "unknown_field");
        await _acme.Client.PostAsync("/webhooks/endpoints/ep_none/replay", new { }).ProblemAsync(404, "not_found");
        await _acme.Client.GetAsync(new Uri("/jobs/job_none", UriKind.Relative)).ProblemAsync(404, "not_found");
        using var test = await _acme.NewKeyAsync("test", "read", "manage");
        await test.PostAsync(path, new { }).ProblemAsync(403, "live_key_required");
        using var globex = await _app.NewWorkspaceAsync("Globex");
        await globex.Client.PostAsync(path, new { }).ProblemAsync(404, "not_found");
        var job = (string)(await ReplayAsync(endpoint, new { }))["id"]!;
        await globex.Client.GetAsync(new Uri($"/jobs/{job}", UriKind.Relative)).ProblemAsync(404, "not_found");
        await globex.Client.PostAsync($"/jobs/{job}/cancel", new { }).ProblemAsync(404, "not_found");
        Assert.Equal([job], (await _acme.GetAsync($"/jobs?endpoint_id={endpoint}"))["data"]!.AsArray().Select(j => (string)j!["id"]!));
    }

    private async Task<string> NewEndpointAsync(object endpoint) => (string)(await _acme.NewEndpointAsync(endpoint))["id"]!;

    private async Task IngestAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.True((bool)(await _acme.IngestAsync(Sample.Qualified(100 + i)))["qualified"]!);
            _app.Clock.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    private Task<JsonNode> ReplayAsync(string endpoint, object asked, HttpStatusCode status = HttpStatusCode.Accepted) =>
        _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/replay", asked).JsonAsync(status);

    /// <summary>Runs a job that needs no pause to its end.</summary>
    private async Task<JsonNode> FinishAsync(JsonNode job)
    {
        for (var i = 0; i < 5; i++)
        {
            await _app.RunJobsAsync();
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        return await _acme.GetAsync($"/jobs/{job["id"]}");
    }

    private async Task<List<JsonNode>> DeliveriesAsync(string query) =>
        [.. (await _acme.GetAsync($"/webhooks/deliveries{query}"))["data"]!.AsArray().Select(d => d!)];

    private IEnumerable<string> Received(string header) => _receiver.Requests.Select(r => r.Headers[header]).Order();

    private static IEnumerable<string> Ids(IEnumerable<JsonNode> deliveries, string member) => deliveries.Select(d => (string)d[member]!).Order();
}
