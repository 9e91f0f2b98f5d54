using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Automations;

public sealed class ManagingAutomationsTests : IAsyncLifetime
{
    private const string Url = "http://127.0.0.1:9/hook";

    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task It_is_created_read_listed_replaced_changed_and_deleted()
    {
        var made = await _acme.NewAutomationAsync(new
        {
            name = " Trial ", description = "d", trigger = new { signal_types = new[] { "Product trial-started", "companyChange" } },
            when = "signal.context.plan == 'pro'", action = new { url = Url, headers = new { X_A = "{{signal.id}}" } }, limit = new { per = "lead", period_hours = 24 },
        });
        var id = (string)made["id"]!;
        Assert.StartsWith("whsec_", (string?)made["action"]!["secret"], StringComparison.Ordinal);
        Assert.Equal("""["product_trial_started","company_change"]""", made["trigger"]!["signal_types"]!.ToJsonString());
        Assert.Equal(("Trial", "X-SignalHub-Signature", 24), ((string)made["name"]!, (string)made["action"]!["signature_header"]!, (int)made["limit"]!["period_hours"]!));

        var read = await _acme.GetAsync($"/automations/{id}");
        Assert.Null(read["action"]!["secret"]);
        Assert.Equal(id, (string?)Assert.Single((await _acme.GetAsync("/automations"))["data"]!.AsArray())!["id"]);
        var put = await _acme.Client.PutAsync($"/automations/{id}", new { name = "Other", action = new { url = Url + "/2" } }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(("Other", Url + "/2", null, null), ((string)put["name"]!, (string)put["action"]!["url"]!, (string?)put["when"], (string?)put["limit"]));
        Assert.Equal((string?)made["action"]!["owned_endpoint_id"], (string?)put["action"]!["owned_endpoint_id"]);
        Assert.Null(put["action"]!["secret"]);
        var patched = await _acme.Client.PatchAsync($"/automations/{id}", new { enabled = false, when = "lead.qualified", action = new { headers = new { X_B = "b" } } })
            .JsonAsync(HttpStatusCode.OK);
        Assert.Equal((false, "lead.qualified", Url + "/2"), ((bool)patched["enabled"]!, (string)patched["when"]!, (string)patched["action"]!["url"]!));
        Assert.Equal("""{"X_B":"b"}""", patched["action"]!["headers"]!.ToJsonString());

        using var deleted = await _acme.Client.DeleteAsync(new Uri($"/automations/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await _acme.Client.GetAsync(new Uri($"/automations/{id}", UriKind.Relative)).ProblemAsync(404, "not_found");
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from webhook_endpoints"));
    }

    [Fact]
    public async Task The_endpoint_of_its_own_URL_is_hidden_but_can_be_watched_tested_and_given_another_secret()
    {
        var made = await _acme.NewAutomationAsync(new { name = "Own", action = new { url = Url } });
        var endpoint = (string)made["action"]!["owned_endpoint_id"]!;

        Assert.Empty((await _acme.GetAsync("/webhooks/endpoints"))["data"]!.AsArray());
        Assert.Equal("automation", (string?)(await _acme.GetAsync($"/webhooks/endpoints/{endpoint}"))["origin"]);
        await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/test", new { }).JsonAsync(HttpStatusCode.OK);
        var rotated = await _acme.Client.PostAsync($"/webhooks/endpoints/{endpoint}/rotate", new { }).JsonAsync(HttpStatusCode.Created);
        Assert.StartsWith("whsec_", (string?)rotated["secret"], StringComparison.Ordinal);
        await _acme.Client.DeleteAsync(new Uri($"/webhooks/endpoints/{endpoint}", UriKind.Relative)).ProblemAsync(409, "in_use");
        // It listens to nothing: the automation alone sends to it.
        await _acme.Client.PatchAsync($"/automations/{made["id"]}", new { enabled = false }).JsonAsync(HttpStatusCode.OK);
        await _acme.IngestAsync(Sample.Qualified(1));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from delivery_queue"));
        await _acme.Client.PostAsync("/automations", new { name = "Thief", action = new { endpoint_id = endpoint } }).ProblemAsync(422, "invalid_value");
    }

    [Fact]
    public async Task It_changes_between_a_URL_of_its_own_and_an_endpoint_of_the_workspace()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = Url }))["id"]!;
        var id = (string)(await _acme.NewAutomationAsync(new { name = "Both ways", action = new { url = Url } }))["id"]!;

        var named = await _acme.Client.PatchAsync($"/automations/{id}", new { action = new { endpoint_id = endpoint, url = (string?)null, signature_header = (string?)null } })
            .JsonAsync(HttpStatusCode.OK);

        Assert.Equal((endpoint, null, null), ((string)named["action"]!["endpoint_id"]!, (string?)named["action"]!["url"], (string?)named["action"]!["owned_endpoint_id"]));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from webhook_endpoints"));
        var own = await _acme.Client.PutAsync($"/automations/{id}", new { name = "Both ways", action = new { url = Url } }).JsonAsync(HttpStatusCode.OK);
        Assert.StartsWith("whsec_", (string?)own["action"]!["secret"], StringComparison.Ordinal);
        Assert.Equal(2L, await _app.QueryAsync<long>("select count(*) from webhook_endpoints"));
    }

    [Fact]
    public async Task Editing_it_enables_an_endpoint_that_its_receiver_had_disabled()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer(WebhookReceiver.Status(410));
        var id = await _acme.NewAutomationAsync(receiver.Url);
        await _acme.IngestAsync(Sample.Signal("a@acme.com"));
        await _app.DeliverDueAsync();
        var gone = await _acme.GetAsync($"/automations/{id}");
        Assert.Equal(("disabled", "gone_410"), ((string)gone["action"]!["endpoint_state"]!, (string)gone["action"]!["endpoint_disabled_reason"]!));

        await _acme.Client.PatchAsync($"/automations/{id}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("enabled", (string?)(await _acme.GetAsync($"/automations/{id}"))["action"]!["endpoint_state"]);
        await _acme.IngestAsync(Sample.Signal("b@acme.com"));
        await _app.DeliverDueAsync();
        Assert.Equal(2, receiver.Requests.Count);
    }

    [Theory]
    [InlineData("""{"name":"","action":{"url":"URL"}}""", "field_required", "/name")]
    [InlineData("""{"name":"a"}""", "field_required", "/action")]
    [InlineData("""{"name":"a","action":{}}""", "field_required", "/action/url")]
    [InlineData("""{"name":"a","action":{"type":"email","url":"URL"}}""", "invalid_value", "/action/type")]
    [InlineData("""{"name":"a","action":{"url":"URL","endpoint_id":"ep_01kt8q2v3x8e1b6m0r5c9d7f2g"}}""", "invalid_value", "/action/url")]
    [InlineData("""{"name":"a","action":{"endpoint_id":"ep_01kt8q2v3x8e1b6m0r5c9d7f2g"}}""", "invalid_value", "/action/endpoint_id")]
    [InlineData("""{"name":"a","action":{"endpoint_id":"sig_1"}}""", "invalid_value", "/action/endpoint_id")]
    [InlineData("""{"name":"a","action":{"url":"http://169.254.169.254/"}}""", "blocked_address", "/action/url")]
    [InlineData("""{"name":"a","action":{"url":"ftp://example.com"}}""", "invalid_url", "/action/url")]
    [InlineData("""{"name":"a","action":{"url":"URL","secret":"short"}}""", "invalid_value", "/action/secret")]
    [InlineData("""{"name":"a","action":{"url":"URL","signature_header":"Host"}}""", "invalid_value", "/action/signature_header")]
    [InlineData("""{"name":"a","action":{"url":"URL","headers":{"Host":"x"}}}""", "invalid_value", "/action/headers")]
    [InlineData("""{"name":"a","action":{"url":"URL","headers":{"X-SignalHub-Signature":"x"}}}""", "invalid_value", "/action/headers")]
    [InlineData("""{"name":"a","action":{"url":"URL","headers":{"X-A":"x","x-a":"y"}}}""", "invalid_value", "/action/headers")]
    [InlineData("""{"name":"a","action":{"url":"URL","headers":{"X-A":"Zoë"}}}""", "invalid_value", "/action/headers")]
    [InlineData("""{"name":"a","action":{"url":"URL","headers":{"X-A":"{{environment.PATH}}"}}}""", "invalid_template", "/action/headers")]
    [InlineData("""{"name":"a","action":{"url":"URL","body_template":"{{#each signal}}{{/each}}"}}""", "invalid_template", "/action/body_template")]
    [InlineData("""{"name":"a","action":{"url":"URL","body_template":"no JSON {{signal.id}}"}}""", "invalid_template", "/action/body_template")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"when":"signal.context.n >"}""", "invalid_condition", "/when")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"when":"sgnal.x > 1"}""", "invalid_condition", "/when")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"trigger":{"signal_types":["..."]}}""", "invalid_value", "/trigger/signal_types/0")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"trigger":{"signal_types":[null]}}""", "invalid_value", "/trigger/signal_types/0")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"limit":{"per":"account","period_hours":1}}""", "invalid_value", "/limit/per")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"limit":{"per":"lead"}}""", "field_required", "/limit/period_hours")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"limit":{"per":"lead","period_hours":0}}""", "out_of_range", "/limit/period_hours")]
    public async Task What_it_cannot_be_is_refused_with_the_place(string body, string code, string pointer)
    {
        var problem = await _acme.Client.PostTextAsync("/automations", body.Replace("URL", Url, StringComparison.Ordinal)).ProblemAsync(422, code);

        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
        Assert.StartsWith(pointer, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"a","action":{"url":"URL"},"trigers":{}}""", "/trigers")]
    [InlineData("""{"name":"a","action":{"url":"URL","method":"PUT"}}""", "/action/method")]
    [InlineData("""{"name":"a","action":{"url":"URL"},"trigger":{"types":[]}}""", "/trigger/types")]
    public async Task Unknown_fields_are_refused(string body, string pointer)
    {
        var problem = await _acme.Client.PostTextAsync("/automations", body.Replace("URL", Url, StringComparison.Ordinal)).ProblemAsync(400, "unknown_field");
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_condition_that_does_not_compile_is_told_with_its_position_when_made_and_when_changed()
    {
        var id = await _acme.NewAutomationAsync(Url);

        foreach (var sending in new[] { _acme.Client.PostAsync("/automations", new { name = "a", when = "signals.a > 1x", action = new { url = Url } }), _acme.Client.PatchAsync($"/automations/{id}", new { when = "signals.a > 1x" }) })
        {
            var problem = await sending.ProblemAsync(422, "invalid_condition");
            Assert.Equal(("bad_number", 12, 14), ((string)problem["condition_code"]!, (int)problem["start"]!, (int)problem["end"]!));
        }
        Assert.Null((await _acme.GetAsync($"/automations/{id}"))["when"]);
        var warned = await _acme.NewAutomationAsync(new { name = "a", when = "lead.icp_scor > 1", action = new { url = Url } });
        Assert.Equal("unknown_field", (string?)Assert.Single(warned["warnings"]!.AsArray())!["code"]);
    }

    [Fact]
    public async Task A_workspace_has_at_most_500_and_is_told_so()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = Url }))["id"]!;
        await _app.QueryAsync<object>($$"""
            insert into automations (workspace_id, id, name, signal_types, endpoint_id, owns_endpoint, enabled, created_at, updated_at)
            select w.id, gen_random_uuid(), 'n', '{}', e.id, false, true, now(), now()
              from generate_series(1, 499), workspaces w join webhook_endpoints e on e.workspace_id = w.id
            """);
        await _acme.NewAutomationAsync(new { name = "last", action = new { endpoint_id = endpoint } });

        var problem = await _acme.Client.PostAsync("/automations", new { name = "one more", action = new { url = Url } }).ProblemAsync(422, "too_many_automations");

        Assert.Contains("500 automations", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from webhook_endpoints"));
    }

    [Fact]
    public async Task Another_workspace_sees_and_reaches_nothing_of_it()
    {
        var id = await _acme.NewAutomationAsync(Url);
        var signal = await _acme.SignalIdAsync(Sample.Qualified(1));
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = Url }))["id"]!;
        using var globex = await _app.NewWorkspaceAsync("Globex");
        var theirs = await globex.NewAutomationAsync(Url);
        Uri Path(string rest = "") => new($"/automations/{id}{rest}", UriKind.Relative);

        Assert.Equal(theirs, (string?)Assert.Single((await globex.GetAsync("/automations"))["data"]!.AsArray())!["id"]);
        await globex.Client.GetAsync(Path()).ProblemAsync(404, "not_found");
        await globex.Client.GetAsync(Path("/runs")).ProblemAsync(404, "not_found");
        await globex.Client.PutAsync(Path().ToString(), new { name = "x", action = new { url = Url } }).ProblemAsync(404, "not_found");
        await globex.Client.PatchAsync(Path().ToString(), new { enabled = false }).ProblemAsync(404, "not_found");
        await globex.Client.DeleteAsync(Path()).ProblemAsync(404, "not_found");
        await globex.Client.PostAsync(Path("/test").ToString(), new { signal_id = signal }).ProblemAsync(404, "not_found");
        await globex.Client.PostAsync($"/automations/{theirs}/test", new { signal_id = signal }).ProblemAsync(404, "not_found");
        await globex.Client.PostAsync("/automations", new { name = "x", action = new { endpoint_id = endpoint } }).ProblemAsync(422, "invalid_value");
        await globex.IngestAsync(Sample.Qualified(1));
        Assert.Single(await _acme.RunsAsync(id));
        Assert.Single(await globex.RunsAsync(theirs));
        Assert.Empty((await globex.GetAsync($"/automations/{theirs}/runs?signal_id={signal}"))["data"]!.AsArray());
    }

    [Fact]
    public async Task Keys_need_the_scope_and_live_mode_and_queries_their_words()
    {
        var id = await _acme.NewAutomationAsync(Url);
        using var reader = await _acme.NewKeyAsync("live", "read");
        using var test = await _acme.NewKeyAsync("test", "read", "manage");

        await reader.PostAsync("/automations", new { name = "x", action = new { url = Url } }).ProblemAsync(403, "missing_scope");
        await test.GetAsync(new Uri("/automations", UriKind.Relative)).ProblemAsync(403, "live_key_required");
        await _acme.Client.GetAsync(new Uri($"/automations/{id}/runs?outcome=lost", UriKind.Relative)).ProblemAsync(400, "invalid_query");
        await _acme.Client.GetAsync(new Uri($"/automations/{id}/runs?outcom=fired", UriKind.Relative)).ProblemAsync(400, "invalid_query");
        await _acme.Client.GetAsync(new Uri($"/automations/{id}/runs?include=all", UriKind.Relative)).ProblemAsync(400, "invalid_query");
        await _acme.Client.GetAsync(new Uri($"/automations/{id}/runs?signal_id=x", UriKind.Relative)).ProblemAsync(400, "invalid_query");
        await _acme.Client.PostAsync($"/automations/{id}/test", new { }).ProblemAsync(422, "field_required");
        await _acme.Client.PostAsync($"/automations/{id}/test", new { signal_id = "lead_1" }).ProblemAsync(422, "invalid_value");
    }
}
