using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Tests.Webhooks;

namespace SignalHub.Tests.Projects;

/// <summary>The webhook that seed 003 describes, consumed as it is described there.</summary>
public sealed class DetectingSignalsTests(SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private const string Secret = "a-secret-token-of-our-own";

    private readonly SignalHubApp _app = shared.App;
    private TestWorkspace _acme = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task The_webhook_described_in_seed_003_can_be_consumed_as_described_there()
    {
        await _acme.Client.PutAsync("/accounts/company.com",
            new { name = "Company Ltd", attributes = new { tax_id = "7707083893", industry = "software" } }).JsonAsync(HttpStatusCode.Created);
        await _acme.IngestAsync(new
        {
            signal_type = "custom_event",
            source = "crm",
            occurred_at = "2026-03-13T08:30:00Z",
            identity = new { email = "ceo@company.com", first_name = "Carla", last_name = "Chief", title = "CEO", phone = "+49 30 1234" },
        });
        var project = await NewProjectAsync(new { name = "Growth", recommended_action = "Call {{contact.first_name}} of {{company.name}} about {{signal.event_name}}." });
        await _acme.NewEndpointAsync(new
        {
            url = _receiver.Url,
            events = new[] { "signal.detected" },
            filter = new { projects = new[] { project }, priorities = new[] { "high", "medium" } },
            secret = Secret,
            signature_header = "X-Siggnal-Signature",
            retry_policy = "short",
        });

        var captured = await _acme.IngestAsync(Sample.Seed());
        await _app.DeliverDueAsync();

        var request = Assert.Single(_receiver.Requests);
        Assert.True(SeedVerification.Node(request.Body, request.Headers["X-Siggnal-Signature"], Secret));
        Assert.Equal("signal.detected", request.Headers["X-SignalHub-Event"]);
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        var body = JsonNode.Parse(request.Body)!.AsObject();
        var now = SignalHub.Http.Json.Instant(_app.Clock.GetUtcNow());
        Assert.Equal(
            ["signal_id", "project_id", "company", "event", "priority", "relevance_explanation", "recommended_action", "contacts"], body.Select(m => m.Key));
        Assert.Equal((string?)captured["signal_capture_id"], (string?)body["signal_id"]);
        Assert.Equal(project, (string?)body["project_id"]);
        Assert.Equal("""{"name":"Company Ltd","tax_id":"7707083893","industry":"software"}""", body["company"]!.ToJsonString());
        Assert.Equal(
            $$"""{"type":"custom_event","description":"Custom event \"user_invited_teammate\": plan_tier free, team_size 12.","detected_at":"{{now}}"}""",
            body["event"]!.ToJsonString(SignalHub.Http.Json.Options));
        Assert.Equal("high", (string?)body["priority"]);
        Assert.StartsWith("Qualified: the account fits Mid-market SaaS", (string?)body["relevance_explanation"], StringComparison.Ordinal);
        var explained = await _acme.GetAsync($"/signals/{(string)captured["signal_capture_id"]!}/qualification");
        Assert.Equal((string?)explained["relevance_explanation"], (string?)body["relevance_explanation"]);
        Assert.Equal("Call  of Company Ltd about user_invited_teammate.", (string?)body["recommended_action"]);
        Assert.Equal(
            """[{"name":null,"role":"VP Engineering","email":"person@company.com","phone":null},{"name":"Carla Chief","role":"CEO","email":"ceo@company.com","phone":"+49 30 1234"}]""",
            body["contacts"]!.ToJsonString(SignalHub.Http.Json.Options));
    }

    [Fact]
    public async Task A_receiver_that_never_answers_200_gets_three_retries_and_then_the_log_shows_the_failure()
    {
        _receiver.Otherwise(WebhookReceiver.Status(500));
        var endpoint = await ListenAsync(new { retry_policy = "short" });
        await NewProjectAsync(new { name = "All" });
        await _acme.IngestAsync(Sample.Seed());

        foreach (var wait in (int[])[0, 12, 72, 432])
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(wait));
            await _app.DeliverDueAsync();
        }
        _app.Clock.Advance(TimeSpan.FromDays(1));
        await _app.DeliverDueAsync();

        Assert.Equal(["1", "2", "3", "4"], _receiver.Requests.Select(r => r.Headers["X-SignalHub-Attempt"]));
        Assert.Single(_receiver.Requests.Select(r => Encoding.UTF8.GetString(r.Body)).Distinct());
        var failed = (await _acme.GetAsync($"/webhooks/deliveries?endpoint_id={endpoint}&state=failed"))["data"]!.AsArray().Single()!;
        Assert.Equal(("signal.detected", "exhausted", 4), ((string?)failed["event"], (string?)failed["reason"], (int)failed["attempts"]!));
        Assert.Equal(10, (int)(await _acme.GetAsync($"/webhooks/endpoints/{endpoint}"))["timeout_seconds"]!);
    }

    [Fact]
    public async Task Nothing_goes_to_plain_http_or_to_addresses_that_are_not_public()
    {
        await using var strict = await SignalHubApp.StartAsync(("Webhooks:AllowHttp", "false"), ("Webhooks:AllowedNetworks:0", "198.18.0.0/15"));
        using var workspace = await strict.NewWorkspaceAsync();
        object Detected(string url) => new { url, events = new[] { "signal.detected" } };

        await workspace.Client.PostAsync("/webhooks/endpoints", Detected("http://example.com/hook")).ProblemAsync(422, "invalid_url");
        await workspace.Client.PostAsync("/webhooks/endpoints", Detected("https://127.0.0.1/hook")).ProblemAsync(422, "blocked_address");
        await workspace.Client.PostAsync("/webhooks/endpoints", Detected("https://169.254.169.254/latest")).ProblemAsync(422, "blocked_address");
        // A name is judged by what it resolves to, when something is sent.
        var named = (string)(await workspace.NewEndpointAsync(Detected("https://localhost/hook")))["id"]!;
        var sent = await workspace.Client.PostAsync($"/webhooks/endpoints/{named}/test", new { }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(("failed", "blocked_address"), ((string?)sent["state"], (string?)sent["error_class"]));
    }

    [Fact]
    public async Task A_test_send_has_the_shape_of_the_real_thing()
    {
        var endpoint = await ListenAsync(new { secret = Secret, signature_header = "X-Siggnal-Signature" });

        var sent = await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/test", new { }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("delivered", (string?)sent["state"]);
        var request = Assert.Single(_receiver.Requests);
        Assert.True(SeedVerification.Node(request.Body, request.Headers["X-Siggnal-Signature"], Secret));
        Assert.Equal("test", request.Headers["X-SignalHub-Event"]);
        var sample = (await _acme.GetAsync("/hooks/sample?event=signal.detected")).AsArray().Single()!.AsObject();
        Assert.Equal(sample.Select(m => m.Key), JsonNode.Parse(request.Body)!.AsObject().Select(m => m.Key));
        Assert.All(sample, member => Assert.NotNull(member.Value));
    }

    [Fact]
    public async Task Each_project_that_matches_raises_its_own_event_with_its_own_priority()
    {
        await ListenAsync(new { });
        var byType = await NewProjectAsync(new { name = "By type", signal_types = new[] { "Custom event" }, priorities = new[] { new { when = "signal.context.team_size > 100", priority = "high" }, new { when = "true", priority = "low" } } });
        var byCondition = await NewProjectAsync(new { name = "By condition", when = "signal.context.plan_tier == 'free' and icp.score >= 1", priorities = new[] { new { when = "signal.context.team_size > 10", priority = "medium" } } });
        await NewProjectAsync(new { name = "Other source", sources = new[] { "billing" } });
        var bySource = await NewProjectAsync(new { name = "By source", sources = new[] { "YOUR-SYSTEM-NAME" } });

        await _acme.IngestAsync(Sample.Seed());
        await _app.DeliverDueAsync();

        var bodies = _receiver.Requests.Select(r => JsonNode.Parse(r.Body)!).ToDictionary(b => (string)b["project_id"]!, b => (string)b["priority"]!);
        Assert.Equal(new Dictionary<string, string> { [byType] = "low", [byCondition] = "medium", [bySource] = "high" }, bodies);
        Assert.Equal(3, _receiver.Requests.Select(r => r.Headers["webhook-id"]).Distinct().Count());
    }

    [Fact]
    public async Task A_signal_that_does_not_qualify_is_detected_all_the_same_but_backfill_test_mode_and_duplicates_are_not()
    {
        await ListenAsync(new { });
        await NewProjectAsync(new { name = "All" });
        using var test = await _acme.NewKeyAsync("test", "ingest");

        await _acme.IngestAsync(Sample.Signal("someone@gmail.com"));
        await _acme.Client.PostAsync("/signals", Sample.Signal("someone@gmail.com")).JsonAsync(HttpStatusCode.OK);
        await _acme.IngestAsync(Sample.Qualified(1, backfill: true));
        await test.PostAsync("/signals", Sample.Qualified(2)).JsonAsync(HttpStatusCode.Created);
        await _app.DeliverDueAsync();

        var body = JsonNode.Parse(Assert.Single(_receiver.Requests).Body)!;
        Assert.NotEqual("high", (string?)body["priority"]);
        Assert.StartsWith("Not qualified", (string?)body["relevance_explanation"], StringComparison.Ordinal);
        Assert.Equal("Contact the person: someone@gmail.com.", (string?)body["recommended_action"]);
        Assert.Equal("""{"name":null,"tax_id":null,"industry":null}""", body["company"]!.ToJsonString());
        Assert.Equal("someone@gmail.com", (string?)body["contacts"]!.AsArray().Single()!["email"]);
    }

    [Fact]
    public async Task Contacts_are_the_person_of_the_signal_then_those_who_decide_ten_at_most()
    {
        await ListenAsync(new { });
        for (var i = 0; i < 12; i++)
        {
            await _acme.IngestAsync(new
            {
                signal_type = "custom_event",
                source = "crm",
                occurred_at = "2026-03-13T08:30:00Z",
                identity = new { email = $"p{i}@company.com", title = i == 5 ? "Chief Executive Officer" : i == 7 ? "Sales Director" : "Engineer" },
            });
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        await NewProjectAsync(new { name = "All" });

        await _acme.IngestAsync(Sample.Signal("me@company.com"));
        await _app.DeliverDueAsync();

        var emails = JsonNode.Parse(Assert.Single(_receiver.Requests).Body)!["contacts"]!.AsArray().Select(c => (string)c!["email"]!).ToList();
        Assert.Equal(10, emails.Count);
        Assert.Equal(["me@company.com", "p5@company.com", "p7@company.com", "p11@company.com", "p10@company.com"], emails.Take(5));
    }

    [Fact]
    public async Task An_action_with_missing_values_has_gaps_one_without_any_is_suggested_and_an_endless_one_is_cut()
    {
        await ListenAsync(new { });
        var gaps = await NewProjectAsync(new { name = "Gaps", recommended_action = "Ask {{contact.first_name}}{{lead.nothing}} about {{signal.context.blob.deep}}!" });
        var empty = await NewProjectAsync(new { name = "Empty", recommended_action = "{{contact.first_name}}" });
        var endless = await NewProjectAsync(new { name = "Endless", recommended_action = string.Concat(Enumerable.Repeat("{{signal.context.blob}}", 80)) });

        await _acme.IngestAsync(Sample.Qualified(1, context: new { blob = "{{signal.context.blob}}" + new string('ä', 100_000) }));
        await _app.DeliverDueAsync();

        var actions = _receiver.Requests.Select(r => JsonNode.Parse(r.Body)!).ToDictionary(b => (string)b["project_id"]!, b => (string)b["recommended_action"]!);
        Assert.Equal("Ask  about !", actions[gaps]);
        Assert.Equal("Contact the person (VP Engineering): person1@company.com.", actions[empty]);
        Assert.Equal(4_000, actions[endless].Length);
        Assert.StartsWith("{{signal.context.blob}}ä", actions[endless], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_of_one_batch_know_the_people_that_the_batch_brought()
    {
        await ListenAsync(new { });
        await NewProjectAsync(new { name = "All", sources = new[] { "last" } });

        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => _acme.IngestAsync(Sample.Signal($"p{i}@batch.com"))));
        await _acme.IngestAsync(Sample.Signal("last@batch.com", source: "last"));
        await _app.DeliverDueAsync();

        var emails = JsonNode.Parse(Assert.Single(_receiver.Requests).Body)!["contacts"]!.AsArray().Select(c => (string)c!["email"]!).ToList();
        Assert.Equal("last@batch.com", emails[0]);
        Assert.Equal(["last@batch.com", .. Enumerable.Range(0, 5).Select(i => $"p{i}@batch.com")], emails.Order());
    }

    [Fact]
    public async Task A_workspace_without_listeners_reads_no_contacts_and_freezes_no_events()
    {
        await _acme.NewEndpointAsync(new { url = _receiver.Url, events = new[] { "signal.qualified" } });
        await NewProjectAsync(new { name = "All" });

        await _acme.IngestAsync(Sample.Seed());

        Assert.Equal("signal.qualified", await EventsAsync());
    }

    [Fact]
    public async Task Priorities_and_projects_filter_other_events_of_signals_too()
    {
        var mine = await NewProjectAsync(new { name = "Mine", when = "signal.context.team_size > 10", priorities = new[] { new { when = "true", priority = "medium" } } });
        var other = await NewProjectAsync(new { name = "Other", when = "signal.context.team_size > 100" });
        var medium = await QualifiedWithAsync(new { priorities = new[] { "medium" } });
        var high = await QualifiedWithAsync(new { priorities = new[] { "high" } });
        var low = await QualifiedWithAsync(new { priorities = new[] { "low" } });
        var inMine = await QualifiedWithAsync(new { projects = new[] { mine } });
        var inOther = await QualifiedWithAsync(new { projects = new[] { other } });

        var dry = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Seed()).JsonAsync(HttpStatusCode.OK);
        var signal = (string)(await _acme.IngestAsync(Sample.Seed()))["signal_capture_id"]!;

        var told = dry["endpoints"]!.AsArray().ToDictionary(e => (string)e!["id"]!, e => string.Join("; ", e!["reasons"]!.AsArray().Select(r => (string)r!)));
        Assert.Equal("", told[medium]);
        Assert.Equal($"priority medium of {mine} is not in filter.priorities", told[high]);
        Assert.Equal($"priority medium of {mine} is not in filter.priorities", told[low]);
        Assert.Equal("", told[inMine]);
        Assert.Equal("no project that matches is in filter.projects", told[inOther]);
        var got = (await _acme.GetAsync("/webhooks/deliveries"))["data"]!.AsArray().Select(d => (string)d!["endpoint_id"]!).ToHashSet();
        Assert.Equal([medium, inMine], got.OrderBy(id => id == inMine));
        foreach (var (endpoint, fires, part) in ((string, bool, string)[])[(medium, true, ""), (high, false, "priorities"), (inMine, true, ""), (inOther, false, "projects")])
        {
            var explained = await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/explain", new { signal_id = signal }).JsonAsync(HttpStatusCode.OK);
            Assert.Equal(fires, (bool)explained["would_fire"]!);
            Assert.Equal(fires ? [] : [part], explained["parts"]!.AsArray().Where(p => !(bool)p!["matched"]!).Select(p => (string)p!["part"]!));
            Assert.Equal($"[\"{mine}\"]", explained["parts"]!.AsArray().Single(p => (string)p!["part"]! == "projects")!["value"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task A_dry_run_and_explain_show_detected_events()
    {
        var project = await NewProjectAsync(new { name = "All", when = "signal.source == 'your-system-name'" });
        var endpoint = await ListenAsync(new { filter = new { projects = new[] { project } } });

        var dry = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Seed()).JsonAsync(HttpStatusCode.OK);
        Assert.True((bool)dry["endpoints"]![0]!["would_fire"]!, dry.ToJsonString());
        Assert.Equal("", await EventsAsync());
        var signal = (string)(await _acme.IngestAsync(Sample.Seed()))["signal_capture_id"]!;

        var told = await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/explain", new { signal_id = signal }).JsonAsync(HttpStatusCode.OK);

        Assert.True((bool)told["would_fire"]!, told.ToJsonString());
        Assert.Equal("pending", (string?)told["deliveries"]![0]!["state"]);
    }

    [Fact]
    public async Task A_new_project_counts_from_the_next_signal_on_and_a_deleted_one_no_more()
    {
        await ListenAsync(new { });
        await _acme.IngestAsync(Sample.Qualified(1));
        var project = await NewProjectAsync(new { name = "All" });
        await _acme.IngestAsync(Sample.Qualified(2));
        using (var deleted = await _acme.Client.DeleteAsync(new Uri($"/projects/{project}", UriKind.Relative)))
        {
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }
        await _acme.IngestAsync(Sample.Qualified(3));

        Assert.Equal("signal.detected", await EventsAsync());
    }

    /// <summary>Types of all events of the workspace.</summary>
    private Task<string?> EventsAsync() => _app.QueryAsync<string>(
        $"select coalesce(string_agg(type, ',' order by created_at), '') from webhook_events where workspace_id = '{(Ids.TryParse(Ids.Workspace, _acme.Id, out var id) ? id : default)}'");

    private async Task<string> NewProjectAsync(object project) =>
        (string)(await _acme.Client.PostAsync("/projects", project).JsonAsync(HttpStatusCode.Created))["id"]!;

    /// <summary>An endpoint for signal.detected; <paramref name="more"/> adds or replaces fields.</summary>
    private async Task<string> ListenAsync(object more)
    {
        var endpoint = new JsonObject { ["url"] = _receiver.Url, ["events"] = new JsonArray("signal.detected") };
        foreach (var (name, value) in JsonSerializer.SerializeToNode(more)!.AsObject())
        {
            endpoint[name] = value?.DeepClone();
        }
        return (string)(await _acme.NewEndpointAsync(endpoint))["id"]!;
    }

    private async Task<string> QualifiedWithAsync(object filter) =>
        (string)(await _acme.NewEndpointAsync(new { url = _receiver.Url, events = new[] { "signal.qualified" }, filter }))["id"]!;
}
