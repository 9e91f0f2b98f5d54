using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;
using SignalHub.Tests.Webhooks;

namespace SignalHub.Tests.Automations;

/// <summary>A signal meets a condition, a webhook goes out.</summary>
public sealed class FiringAutomationsTests : IAsyncLifetime
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
    public async Task The_body_has_exactly_the_fields_of_seed_001_and_its_verification_accepts_it()
    {
        var made = await _acme.NewAutomationAsync(new
        {
            name = "High-intent trial → notify sales",
            trigger = new { signal_types = new[] { "Custom Event" } },
            when = "signal.properties.plan == 'pro_trial'",
            action = new { type = "webhook", url = _receiver.Url, secret = "a secret of ours", signature_header = "X-Stairoids-Signature" },
        });
        var signal = await _acme.IngestAsync(new
        {
            signal_type = "Custom Event",
            source = "internal_app",
            occurred_at = "2026-03-14T08:30:00Z",
            identity = new { email = "jane.doe@acmecorp.com", company_domain = "acmecorp.com", company_name = "Acme Corp", first_name = "Jane", last_name = "Doe" },
            context = new { plan = "pro_trial", trial_ends_at = "2026-09-15T00:00:00Z" },
        });

        await _app.DeliverDueAsync();

        var sent = Assert.Single(_receiver.Requests);
        var body = JsonNode.Parse(sent.Body)!;
        Assert.Equal(["event", "automation_id", "automation_name", "triggered_at", "account", "contact", "signal"], Names(body));
        Assert.Equal(["id", "name", "domain"], Names(body["account"]!));
        Assert.Equal(["id", "email", "first_name", "last_name"], Names(body["contact"]!));
        Assert.Equal(["id", "type", "source", "properties", "created_at"], Names(body["signal"]!));
        Assert.Equal("automation.action_triggered", (string?)body["event"]);
        Assert.Equal((string?)made["id"], (string?)body["automation_id"]);
        Assert.StartsWith("auto_", (string?)body["automation_id"], StringComparison.Ordinal);
        Assert.Equal("High-intent trial → notify sales", (string?)body["automation_name"]);
        Assert.Equal((string?)signal["account_id"], (string?)body["account"]!["id"]);
        Assert.Equal("acmecorp.com", (string?)body["account"]!["domain"]);
        Assert.Equal("Jane", (string?)body["contact"]!["first_name"]);
        Assert.Equal((string?)signal["signal_capture_id"], (string?)body["signal"]!["id"]);
        Assert.Equal("Custom Event", (string?)body["signal"]!["type"]);
        Assert.Equal("""{"plan":"pro_trial","trial_ends_at":"2026-09-15T00:00:00Z"}""", body["signal"]!["properties"]!.ToJsonString());
        Assert.Equal("automation.action_triggered", sent.Headers["X-SignalHub-Event"]);
        Assert.True(SeedVerification.Node(sent.Body, sent.Headers["X-Stairoids-Signature"], "a secret of ours"));
        Assert.True(SeedVerification.Python(sent.Body, sent.Headers["X-Stairoids-Signature"], "a secret of ours"));
    }

    [Fact]
    public async Task It_fires_once_for_a_signal_however_often_that_is_sent_and_its_deliveries_are_in_the_log()
    {
        var automation = await _acme.NewAutomationAsync(_receiver.Url);
        var signal = await _acme.SignalIdAsync(Sample.Qualified(1));
        await _acme.Client.PostAsync("/signals", Sample.Qualified(1)).JsonAsync(HttpStatusCode.OK);
        await _app.RestartAsync();
        using var again = _app.WithKey(_acme.Key);
        await again.PostAsync("/signals", Sample.Qualified(1)).JsonAsync(HttpStatusCode.OK);
        await _app.DeliverDueAsync();

        Assert.Single(_receiver.Requests);
        using var after = new TestWorkspace(_app, _acme.Id, _acme.Key);
        var run = Assert.Single(await after.RunsAsync(automation))!;
        Assert.Equal((true, "fired", signal), ((bool)run["fired"]!, (string)run["outcome"]!, (string)run["signal_id"]!));
        var delivery = await after.GetAsync($"/webhooks/deliveries/{run["delivery_id"]}");
        Assert.Equal(("delivered", "automation.action_triggered"), ((string)delivery["state"]!, (string)delivery["event"]!));
        Assert.Equal((string?)run["event_id"], (string?)delivery["event_id"]);
    }

    [Fact]
    public async Task An_endpoint_that_it_names_gets_it_whatever_that_listens_to_and_others_if_they_listen()
    {
        await using var listener = await WebhookReceiver.StartAsync();
        var named = await _acme.NewEndpointAsync(new { url = _receiver.Url, events = new[] { "lead.updated" }, filter = new { sources = new[] { "elsewhere" } } });
        await _acme.NewEndpointAsync(new { url = listener.Url, events = new[] { "automation.action_triggered" }, filter = new { when = "signal.context.team_size == 12" } });
        await _acme.NewAutomationAsync(new { name = "Named", action = new { endpoint_id = (string?)named["id"], body_template = """{"text":"{{signal.source}}"}""" } });

        await _acme.IngestAsync(Sample.Qualified(1));
        await _acme.IngestAsync(Sample.Qualified(2, context: new { team_size = 1 }));
        await _app.DeliverDueAsync();

        Assert.Equal(["""{"text":"app"}""", """{"text":"app"}"""], _receiver.Requests.Select(r => System.Text.Encoding.UTF8.GetString(r.Body)));
        var heard = JsonNode.Parse(Assert.Single(listener.Requests).Body)!;
        Assert.Equal("Named", (string?)heard["automation_name"]);
        Assert.NotEqual(listener.Requests[0].Headers["webhook-id"], _receiver.Requests[0].Headers["webhook-id"]);
    }

    [Fact]
    public async Task An_endpoint_for_Slack_gets_the_usual_body_as_a_message_and_a_body_of_a_template_as_it_is()
    {
        var slack = (string)(await _acme.NewEndpointAsync(new { url = _receiver.Url, format = "slack" }))["id"]!;
        await _acme.NewAutomationAsync(new { name = "Plain one", action = new { endpoint_id = slack, headers = new { X_A = "a" } } });
        await _acme.NewAutomationAsync(new { name = "Own", action = new { endpoint_id = slack, body_template = """{"blocks":"{{signal.source}}"}""" } });

        await _acme.IngestAsync(Sample.Signal("a@acme.com"));
        await _app.DeliverDueAsync();

        var bodies = _receiver.Requests.Select(r => System.Text.Encoding.UTF8.GetString(r.Body)).ToList();
        Assert.Equal(2, bodies.Count);
        Assert.Contains("""{"blocks":"app"}""", bodies);
        var message = JsonNode.Parse(Assert.Single(bodies, b => b.Contains("Plain one", StringComparison.Ordinal)))!;
        Assert.NotNull(message["text"]);
        Assert.Null(message["automation_id"]);
    }

    [Theory]
    [InlineData("signal.context.team_size > 10", true)]
    [InlineData("signal.context.team_size > 100", false)]
    [InlineData("signal.context.missing == 1", false)]
    [InlineData("lead.signal_count == 1 and lead.qualified", true)]
    [InlineData("person.seniority == 'vp' and company.domain == 'company.com'", true)]
    [InlineData("icp.score >= 1 and has(persona.code)", true)]
    [InlineData("icp.score > 100", false)]
    public async Task The_condition_looks_at_signal_lead_person_company_icp_and_persona(string when, bool fires)
    {
        var automation = await _acme.NewAutomationAsync(_receiver.Url, when);

        var signal = await _acme.SignalIdAsync(Sample.Qualified(1));

        Assert.Equal(fires ? 1 : 0, (await _acme.RunsAsync(automation)).Count);
        Assert.Equal(fires, (bool)(await _acme.TryAutomationAsync(automation, signal))["would_fire"]!);
        Assert.Equal(fires ? 1L : 0L, await _app.QueryAsync<long>("select count(*) from delivery_queue"));
    }

    [Fact]
    public async Task Body_and_headers_take_values_of_the_signal_and_missing_ones_are_empty()
    {
        await _acme.NewAutomationAsync(new
        {
            name = "Slack \"team\"",
            action = new
            {
                url = _receiver.Url,
                headers = new Dictionary<string, string>
                {
                    ["X-Plan"] = "plan={{signal.properties.plan}};{{signal.properties.none}}",
                    ["X-Name"] = "{{contact.first_name}}",
                    ["Authorization"] = "Bearer static",
                },
                body_template = """{"text":"{{person.first_name}} of {{company.domain}} at {{icp.score}}: {{automation.name}}","none":"{{signal.context.none}}","all":{{json signal.context}},"nothing":{{json lead.stage}}}""",
            },
        });

        var signal = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:30:00Z",
            identity = new { email = "zoe@acme.com", first_name = "Zoë", last_name = "Doe" },
            context = new { plan = "pro\r\nX-Evil: 1", tags = new[] { "a\"b" } },
        });
        await _app.DeliverDueAsync();

        var sent = Assert.Single(_receiver.Requests);
        var body = JsonNode.Parse(sent.Body)!;
        Assert.Equal($"Zoë of acme.com at {signal["qualification"]!["icp_score"]}: Slack \"team\"", (string?)body["text"]);
        Assert.Equal("", (string?)body["none"]);
        Assert.Equal("a\"b", (string?)body["all"]!["tags"]![0]);
        Assert.Null(body["nothing"]);
        Assert.Equal("plan=pro%0D%0AX-Evil: 1;", sent.Headers["X-Plan"]);
        Assert.False(sent.Headers.ContainsKey("X-Evil"));
        Assert.Equal("Zo%C3%AB", sent.Headers["X-Name"]);
        Assert.Equal("Bearer static", sent.Headers["Authorization"]);
        var delivery = (await _acme.GetAsync("/webhooks/deliveries"))["data"]![0]!;
        var logged = (await _acme.GetAsync($"/webhooks/deliveries/{delivery["id"]}"))["attempt_log"]![0]!["request_headers"]!;
        Assert.Equal("Zo%C3%AB", (string?)logged["X-Name"]);
        Assert.Equal("(not shown)", (string?)logged["Authorization"]);
    }

    [Theory]
    [InlineData("""{"plan":{{signal.context.plan}}}""", "not JSON")]
    [InlineData("""{"a":[{{json signal.context}},{{json signal.context}},{{json signal.context}},{{json signal.context}}]}""", "larger than 256 KB")]
    public async Task A_template_that_fails_ends_its_delivery_and_the_signal_is_taken_in(string template, string why)
    {
        var made = await _acme.NewAutomationAsync(new { name = "Broken", action = new { url = _receiver.Url, body_template = template } });
        var automation = (string)made["id"]!;

        var signal = await _acme.SignalIdAsync(Sample.Qualified(1, context: new { plan = "pro", long_text = new string('x', 100_000) }));
        await _app.DeliverDueAsync();

        Assert.Empty(_receiver.Requests);
        var run = Assert.Single(await _acme.RunsAsync(automation))!;
        Assert.Equal((true, "template_error"), ((bool)run["fired"]!, (string)run["outcome"]!));
        Assert.Contains(why, (string?)run["reasons"]![0], StringComparison.Ordinal);
        await AssertTemplateErrorAsync((string)run["delivery_id"]!, why);
        var tried = await _acme.TryAutomationAsync(automation, signal);
        Assert.Contains(why, (string?)tried["request"]!["template_error"], StringComparison.Ordinal);
        // The receiver is not to blame, and asking again changes nothing about the frozen event.
        Assert.Equal(0, (int)(await _acme.GetAsync($"/webhooks/endpoints/{made["action"]!["owned_endpoint_id"]}"))["consecutive_failures"]!);
        await _acme.Client.PostAsync($"/webhooks/deliveries/{run["delivery_id"]}/retry", new { }).JsonAsync(HttpStatusCode.Accepted);
        await _app.DeliverDueAsync();
        await AssertTemplateErrorAsync((string)run["delivery_id"]!, why);
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task A_body_of_256_KB_is_sent_and_a_template_that_repeats_itself_a_thousand_times_is_cut_short_in_memory()
    {
        await _acme.NewAutomationAsync(new { name = "Long", action = new { url = _receiver.Url, body_template = """{"text":"{{signal.context.long_text}}"}""" } });
        await _acme.NewAutomationAsync(new
        {
            name = "Bomb",
            action = new { url = _receiver.Url, body_template = "[" + string.Join(',', Enumerable.Repeat("{{json signal}}", 5_000)) + "]" },
        });

        await _acme.IngestAsync(Sample.Qualified(1, context: new { long_text = new string('x', 250_000) }));
        await _app.DeliverDueAsync();

        Assert.InRange(Assert.Single(_receiver.Requests).Body.Length, 250_000, 256 * 1024);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from deliveries where reason = 'template_error'"));
    }

    [Fact]
    public async Task Disabled_ones_backfill_and_test_signals_fire_nothing_and_autoqualify_does_not_matter()
    {
        var disabled = await _acme.NewAutomationAsync(new { name = "Off", enabled = false, action = new { url = _receiver.Url } });
        var enabled = await _acme.NewAutomationAsync(_receiver.Url, "icp.score >= 1");
        using var test = await _acme.NewKeyAsync("test", "ingest");

        await test.PostAsync("/signals", Sample.Qualified(1)).JsonAsync(HttpStatusCode.Created);
        var backfilled = await _acme.SignalIdAsync(Sample.Qualified(2, backfill: true));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from automation_runs"));
        await _acme.Client.PatchAsync("/signal-types/custom_event", new { autoqualify = false }).JsonAsync(HttpStatusCode.OK);
        var quiet = await _acme.IngestAsync(Sample.Qualified(3));

        Assert.Null(quiet["qualified"]);
        Assert.Equal((string?)quiet["signal_capture_id"], (string?)Assert.Single(await _acme.RunsAsync(enabled))!["signal_id"]);
        Assert.Empty(await _acme.RunsAsync((string)disabled["id"]!));
        Assert.Contains("backfill", (string?)(await _acme.TryAutomationAsync(enabled, backfilled))["reasons"]![0], StringComparison.Ordinal);
        Assert.Contains("disabled", (string?)(await _acme.TryAutomationAsync((string)disabled["id"]!, backfilled))["reasons"]![1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_endpoint_gets_skipped_deliveries_and_a_deleted_one_none_but_both_are_told()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = _receiver.Url, enabled = false }))["id"]!;
        var automation = (string)(await _acme.NewAutomationAsync(new { name = "Named", action = new { endpoint_id = endpoint } }))["id"]!;
        await _acme.IngestAsync(Sample.Signal("a@acme.com"));
        var skipped = await _acme.GetAsync($"/webhooks/deliveries?endpoint_id={endpoint}");
        Assert.Equal("skipped", (string?)Assert.Single(skipped["data"]!.AsArray())!["state"]);
        using var deleted = await _acme.Client.DeleteAsync(new Uri($"/webhooks/endpoints/{endpoint}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        await _acme.IngestAsync(Sample.Signal("b@acme.com"));

        Assert.Equal(["no_endpoint", "fired"], (await _acme.RunsAsync(automation)).Select(r => (string)r!["outcome"]!));
        Assert.Equal("deleted", (string?)(await _acme.GetAsync($"/automations/{automation}"))["action"]!["endpoint_state"]);
    }

    [Fact]
    public async Task A_type_triggers_with_its_first_signal_and_a_signal_about_nobody_fires_without_a_lead_to_limit_it()
    {
        await _acme.NewAutomationAsync(new
        {
            name = "Demo", trigger = new { signal_types = new[] { "demo_requested" } }, action = new { url = _receiver.Url }, limit = new { per = "lead", period_hours = 24 },
        });

        for (var i = 0; i < 2; i++)
        {
            await _acme.Client.PostAsync("/v1/signals", new { type = "Demo-Requested", source = "website", properties = new { i } }).JsonAsync(HttpStatusCode.Created);
        }
        await _app.DeliverDueAsync();

        Assert.Equal(2, _receiver.Requests.Count);
        var body = JsonNode.Parse(_receiver.Requests[0].Body)!;
        Assert.Equal("Demo-Requested", (string?)body["signal"]!["type"]);
        Assert.Null(body["account"]);
        Assert.Null(body["contact"]);
    }

    [Fact]
    public async Task A_dry_run_says_of_each_automation_whether_it_would_fire_and_why_not()
    {
        var fires = await _acme.NewAutomationAsync(_receiver.Url, "signal.context.team_size > 10");
        var not = await _acme.NewAutomationAsync(_receiver.Url, "signal.context.plan_tier == 'enterprise'");
        var limited = await _acme.NewAutomationAsync(_receiver.Url, limit: new { per = "lead", period_hours = 24 });
        var other = (string)(await _acme.NewAutomationAsync(new { name = "Other", trigger = new { signal_types = new[] { "not_seen_yet" } }, action = new { url = _receiver.Url } }))["id"]!;
        await _acme.IngestAsync(Sample.Signal("person1@company.com"));

        var dry = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Qualified(1)).JsonAsync(HttpStatusCode.OK);

        var told = dry["automations"]!.AsArray().ToDictionary(a => (string)a!["id"]!, a => a!);
        Assert.Equal(new[] { fires, not, limited, other }.Order(), told.Keys.Order());
        Assert.True((bool)told[fires]["would_fire"]!);
        Assert.Empty(told[fires]["reasons"]!.AsArray());
        Assert.Equal("when is false: signal.context.plan_tier is free", (string?)Assert.Single(told[not]["reasons"]!.AsArray()));
        Assert.Contains("at most once in 24 hours", (string?)Assert.Single(told[limited]["reasons"]!.AsArray()), StringComparison.Ordinal);
        Assert.Equal("custom_event is not in trigger.signal_types.", (string?)Assert.Single(told[other]["reasons"]!.AsArray()));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from automation_runs"));
    }

    [Fact]
    public async Task A_trial_shows_parts_and_request_and_sends_nothing()
    {
        var automation = (string)(await _acme.NewAutomationAsync(new
        {
            name = "Trial", when = "signal.context.team_size > 100",
            action = new { url = _receiver.Url, headers = new { X_Plan = "{{signal.context.plan_tier}}" }, body_template = """{"n":{{json signal.context.team_size}}}""" },
        }))["id"]!;
        var signal = await _acme.SignalIdAsync(Sample.Qualified(1));

        var tried = await _acme.TryAutomationAsync(automation, signal);

        Assert.False((bool)tried["would_fire"]!);
        Assert.Equal(["signal", "enabled", "trigger", "when", "limit", "endpoint"], tried["parts"]!.AsArray().Select(p => (string)p!["part"]!));
        var when = Assert.Single(tried["parts"]!.AsArray(), p => !(bool)p!["matched"]!)!;
        Assert.Equal("""{"signal.context.team_size":12}""", when["value"]!.ToJsonString());
        Assert.Equal(_receiver.Url, (string?)tried["request"]!["url"]);
        Assert.Equal("free", (string?)tried["request"]!["headers"]!["X_Plan"]);
        Assert.Equal("""{"n":12}""", tried["request"]!["body"]!.ToJsonString());
        Assert.Null(tried["run"]);
        await _app.DeliverDueAsync();
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task Runs_tell_on_demand_why_it_did_not_fire_page_by_page()
    {
        var automation = await _acme.NewAutomationAsync(_receiver.Url, "signal.context.n > 1");
        for (var i = 0; i < 5; i++)
        {
            _app.Clock.Advance(TimeSpan.FromSeconds(1));
            await _acme.IngestAsync(Sample.Signal("a@acme.com", minute: i, context: new { n = i }));
        }

        var first = await _acme.GetAsync($"/automations/{automation}/runs?include=not_fired&limit=3");
        var second = await _acme.GetAsync($"/automations/{automation}/runs?include=not_fired&limit=3&cursor={first["next_cursor"]}");

        var all = first["data"]!.AsArray().Concat(second["data"]!.AsArray()).ToList();
        Assert.Equal(["fired", "fired", "fired", "not_fired", "not_fired"], all.Select(r => (string)r!["outcome"]!));
        Assert.Equal("when is false: signal.context.n is 1", (string?)all[3]!["reasons"]![0]);
        Assert.Equal(3, (await _acme.RunsAsync(automation)).Count);
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from automation_runs"));
    }

    private async Task AssertTemplateErrorAsync(string deliveryId, string why)
    {
        var delivery = await _acme.GetAsync($"/webhooks/deliveries/{deliveryId}");
        Assert.Equal(("failed", "template_error", "template_error"), ((string)delivery["state"]!, (string)delivery["reason"]!, (string)delivery["last_error_class"]!));
        Assert.Contains(why, (string?)delivery["attempt_log"]!.AsArray()[^1]!["error_detail"], StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(JsonNode node) => node.AsObject().Select(m => m.Key);
}
