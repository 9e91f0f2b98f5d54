using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals.V1;

public sealed class SendingV1SignalsTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private static object Overdue(string? occurredAt = null, string? key = null, int days = 12) => new
    {
        type = "Invoice overdue", source = "billing",
        account = new { domain = "northwind.com", name = "Northwind" },
        contact = new { email = "sam@northwind.com", first_name = "Sam", last_name = "Vimes" },
        properties = new { days }, occurred_at = occurredAt, idempotency_key = key,
    };

    private Task<JsonNode> SendAsync(object body) => _acme.Client.PostAsync("/v1/signals", body).JsonAsync(HttpStatusCode.Created);

    private static string Text(JsonNode node, string member) => (string)node[member]!;

    [Fact]
    public async Task A_signal_is_answered_with_the_type_as_sent_and_the_ids_of_company_and_person()
    {
        using var response = await _acme.Client.PostAsync("/v1/signals", Overdue());
        var signal = await response.JsonAsync(HttpStatusCode.Created);

        Assert.Equal(("Invoice overdue", "billing", "received"), (Text(signal, "type"), Text(signal, "source"), Text(signal, "status")));
        Assert.StartsWith("sig_", Text(signal, "id"), StringComparison.Ordinal);
        Assert.Equal(_app.Clock.GetUtcNow(), DateTimeOffset.Parse(Text(signal, "created_at"), System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal($"/v1/signals/{signal["id"]}", response.Headers.Location!.ToString());
        Assert.Empty(signal["warnings"]!.AsArray());
        Assert.Equal("northwind.com", Text(await _acme.GetAsync($"/accounts/{signal["account_id"]}"), "domain"));
        Assert.Equal("sam@northwind.com", Text(await _acme.GetAsync($"/contacts/{signal["contact_id"]}"), "email"));
        Assert.Equal("Sam", Text((await _acme.GetAsync($"/leads/{signal["matched_record_id"]}"))["contact"]!, "first_name"));
    }

    [Fact]
    public async Task It_reads_back_in_both_dialects()
    {
        var sent = await SendAsync(Overdue("2026-03-14T08:30:00+01:00"));

        var theirs = await _acme.GetAsync($"/v1/signals/{sent["id"]}");
        foreach (var member in new[] { "id", "type", "source", "status", "account_id", "contact_id", "created_at", "occurred_at", "matched_record_id" })
        {
            Assert.Equal(Text(sent, member), Text(theirs, member));
        }
        Assert.Equal("2026-03-14T07:30:00Z", Text(theirs, "occurred_at"));
        Assert.Equal("""{"domain":"northwind.com","name":"Northwind","linkedin_url":null}""", theirs["account"]!.ToJsonString());
        Assert.Equal("Vimes", Text(theirs["contact"]!, "last_name"));
        Assert.Equal(12, (int)theirs["properties"]!["days"]!);
        var ours = await _acme.GetAsync($"/signals/{sent["id"]}");
        Assert.Equal("invoice_overdue", Text(ours, "signal_type"));
        Assert.Equal("Northwind", Text(ours["identity"]!, "company_name"));
        Assert.Equal(12, (int)ours["context"]!["days"]!);
    }

    [Fact]
    public async Task A_signal_of_the_other_route_reads_back_too()
    {
        var captured = await _acme.IngestAsync(Sample.Signal("jane@acme.com", context: new { plan = "pro" }));

        var shown = await _acme.GetAsync($"/v1/signals/{captured["signal_capture_id"]}");

        Assert.Equal("custom_event", Text(shown, "type"));
        Assert.Equal("pro", Text(shown["properties"]!, "plan"));
        Assert.Null(shown["account"]);
        Assert.Equal("jane@acme.com", Text(shown["contact"]!, "email"));
    }

    [Fact]
    public async Task Other_workspaces_and_keys_that_may_not_read_see_nothing_of_it()
    {
        var sent = await SendAsync(Overdue());
        using var other = await _app.NewWorkspaceAsync("Other");
        using var ingest = await _acme.NewKeyAsync("live", "ingest");
        using var test = await _acme.NewKeyAsync("test", "ingest", "read");
        var path = new Uri($"/v1/signals/{sent["id"]}", UriKind.Relative);

        await other.Client.GetAsync(path).ProblemAsync(404, "not_found");
        await ingest.GetAsync(path).ProblemAsync(403, "missing_scope");
        await test.GetAsync(path).ProblemAsync(403, "live_key_required");
        await _app.Anonymous().PostAsync("/v1/signals", Overdue()).ProblemAsync(401, "key_required");
        // The same type, company and person in another workspace are another type, company and person.
        var theirs = await other.Client.PostAsync("/v1/signals", Overdue()).JsonAsync(HttpStatusCode.Created);
        Assert.NotEqual(Text(sent, "account_id"), Text(theirs, "account_id"));
        Assert.NotEqual(Text(sent, "contact_id"), Text(theirs, "contact_id"));
    }

    [Fact]
    public async Task Every_way_to_carry_the_key_works()
    {
        foreach (var (name, value) in new[] { ("Authorization", $"Bearer {_acme.Key}"), ("api_key", _acme.Key), ("X-Api-Key", _acme.Key) })
        {
            using var client = _app.Anonymous();
            client.DefaultRequestHeaders.Add(name, value);
            await client.PostAsync("/v1/signals", Overdue()).JsonAsync(HttpStatusCode.Created);
        }
    }

    [Fact]
    public async Task Without_a_time_the_same_body_twice_is_two_signals()
    {
        var first = await SendAsync(Overdue());
        var second = await SendAsync(Overdue());

        Assert.NotEqual(Text(first, "id"), Text(second, "id"));
        Assert.Equal(Text(first, "matched_record_id"), Text(second, "matched_record_id"));
        Assert.Equal(Text(first, "created_at"), Text(first, "occurred_at"));
    }

    [Fact]
    public async Task A_key_makes_a_retry_without_a_time_the_same_signal_whenever_it_comes()
    {
        var first = await SendAsync(Overdue(key: "invoice-7"));
        _app.Clock.Advance(TimeSpan.FromHours(3));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/signals") { Content = System.Net.Http.Json.JsonContent.Create(Overdue()) };
        request.Headers.Add("Idempotency-Key", "\"invoice-7\"");

        using var again = await _acme.Client.SendAsync(request);

        var second = await again.JsonAsync(HttpStatusCode.OK);
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal((Text(first, "id"), "received", Text(first, "created_at"), Text(first, "occurred_at")),
            (Text(second, "id"), Text(second, "status"), Text(second, "created_at"), Text(second, "occurred_at")));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task A_key_used_for_something_else_is_refused_in_the_senders_words()
    {
        await SendAsync(Overdue(key: "k"));

        var problem = await _acme.Client.PostAsync("/v1/signals", new
        {
            type = "other", source = "billing", contact = new { email = "ann@northwind.com" }, properties = new { days = 1 }, idempotency_key = "k",
        }).ProblemAsync(422, "idempotency_key_reused");

        Assert.Equal(["/type", "/account", "/contact", "/properties"], problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
        Assert.Contains("another type, account, contact, properties", Text(problem, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_event_is_one_signal_whichever_route_it_comes_by()
    {
        var ours = await _acme.IngestAsync(Sample.Signal("jane@acme.com", context: new { plan = "pro" }));
        var theirs = await _acme.Client.PostAsync("/v1/signals", new
        {
            type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", contact = new { email = "JANE@acme.com" },
            account = new { name = "Acme" }, properties = new { plan = "pro" },
        }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(Text(ours, "signal_capture_id"), Text(theirs, "id"));

        var first = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "a@acme.com" }, idempotency_key = "k",
        });
        var second = await _acme.Client.PostAsync("/v1/signals", new
        {
            type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", contact = new { email = "a@acme.com" }, idempotency_key = "k",
        }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(Text(first, "signal_capture_id"), Text(second, "id"));
    }

    [Fact]
    public async Task With_a_time_the_same_event_is_one_signal_and_other_properties_are_told()
    {
        var first = await SendAsync(Overdue("2026-03-14T08:00:00Z"));

        var second = await _acme.Client.PostAsync("/v1/signals", Overdue("2026-03-14T08:00:00Z", days: 13)).JsonAsync(HttpStatusCode.OK);

        Assert.Equal(Text(first, "id"), Text(second, "id"));
        Assert.True((bool)second["payload_differs"]!);
    }

    [Theory]
    [InlineData("""{"type":"t","source":"s"}""")]
    [InlineData("""{"type":"t","source":"s","account":{},"contact":{}}""")]
    [InlineData("""{"type":"t","source":"s","account":null,"contact":"","properties":null}""")]
    [InlineData("""{"type":"t","source":"s","account":{"name":" "},"contact":{"email":"","first_name":null}}""")]
    public async Task A_signal_about_nobody_is_stored_without_a_lead_or_a_score(string body)
    {
        var signal = await _acme.Client.PostTextAsync("/v1/signals", body).JsonAsync(HttpStatusCode.Created);

        foreach (var shown in new[] { signal, await _acme.GetAsync($"/v1/signals/{signal["id"]}") })
        {
            Assert.All(["account_id", "contact_id", "matched_record_id", "qualified"], member => Assert.Null(shown[member]));
            Assert.Equal("""{"icp_code":null,"icp_score":null,"persona_code":null,"persona_score":null}""", shown["qualification"]!.ToJsonString());
        }
        Assert.Empty(signal["warnings"]!.AsArray());
        Assert.Empty((await _acme.GetAsync("/leads"))["data"]!.AsArray());
        await _acme.Client.GetAsync(new Uri($"/signals/{signal["id"]}/qualification", UriKind.Relative)).ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task A_signal_about_nobody_qualifies_by_no_ICP_and_fires_nothing()
    {
        await _acme.Client.PostAsync("/icps", new
        {
            code = "Anything", qualify_at = 0, criteria = new[] { new { id = "a", label = "Any", mode = "filter", when = "signal.source == 's'" } },
        }).JsonAsync(HttpStatusCode.Created);
        await _acme.NewEndpointAsync(new { url = "http://127.0.0.1:9/", events = new[] { "signal.qualified", "lead.created" } });

        var nobody = await SendAsync(new { type = "t", source = "s" });
        var somebody = await SendAsync(new { type = "t", source = "s", account = new { name = "Acme" } });

        Assert.Null(nobody["qualified"]);
        Assert.True((bool)somebody["qualified"]!);
        Assert.All((await _acme.GetAsync("/webhooks/deliveries"))["data"]!.AsArray(), d => Assert.Equal((string)somebody["id"]!, (string)d!["signal_id"]!));
    }

    [Fact]
    public async Task Identifiers_that_cannot_be_used_are_warnings_in_the_senders_words()
    {
        var signal = await SendAsync(new
        {
            type = "t", source = "s", account = new { domain = "localhost", name = "n/a", size = 3 }, contact = new { email = "jane at acme" }, extra = 1,
        });

        Assert.Equal(
            ["/account/domain", "/account/name", "/account/size", "/contact/email", "/extra"],
            signal["warnings"]!.AsArray().Select(w => (string)w!["pointer"]!).Order(StringComparer.Ordinal));
        Assert.Contains(signal["warnings"]!.AsArray(), w => ((string)w!["detail"]!).StartsWith("contact.email has", StringComparison.Ordinal));
        Assert.Contains(signal["warnings"]!.AsArray(), w => ((string)w!["detail"]!).Contains("into properties", StringComparison.Ordinal));
        Assert.Null(signal["matched_record_id"]);
        Assert.Equal(signal["warnings"]!.ToJsonString(), (await _acme.GetAsync($"/v1/signals/{signal["id"]}"))["warnings"]!.ToJsonString());
    }

    [Theory]
    [InlineData("{}", "field_required", "/type", "/source")]
    [InlineData("""{"type":"","source":" "}""", "field_required", "/type", "/source")]
    [InlineData("""{"signal_type":"t","source":"s"}""", "field_required", "/type")]
    [InlineData("""{"type":7,"source":"s","account":[],"contact":"jane","properties":3}""", "invalid_type", "/type", "/account", "/contact", "/properties")]
    [InlineData("""{"type":"t","source":"s","contact":{"email":3}}""", "invalid_type", "/contact/email")]
    [InlineData("""{"type":"!?","source":"s"}""", "invalid_value", "/type")]
    [InlineData("""{"type":"t","source":"s","occurred_at":"yesterday"}""", "invalid_timestamp", "/occurred_at")]
    [InlineData("""{"type":"t","source":"s","occurred_at":"2026-03-14T12:00:00Z"}""", "occurred_at_in_future", "/occurred_at")]
    public async Task Bad_fields_are_refused_all_at_once_with_pointers_into_what_was_sent(string body, string code, params string[] pointers)
    {
        var problem = await _acme.Client.PostTextAsync("/v1/signals", body).ProblemAsync(422, code);

        Assert.Equal(pointers, problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
        Assert.StartsWith(pointers[0], Text(problem, "detail"), StringComparison.Ordinal);
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from signal_types where origin = 'auto'"));
    }

    [Theory]
    [InlineData("", 400, "body_required")]
    [InlineData("{", 400, "malformed_json")]
    [InlineData("[]", 400, "body_not_object")]
    [InlineData("""{"type":"t","type":"u","source":"s"}""", 400, "duplicate_member")]
    [InlineData("""{"type":"t\u0000","source":"s"}""", 422, "unsupported_character")]
    public async Task Bodies_that_cannot_be_read_are_refused_as_by_the_other_route(string body, int status, string code) =>
        await _acme.Client.PostTextAsync("/v1/signals", body).ProblemAsync(status, code);

    [Fact]
    public async Task A_dry_run_tells_what_would_happen_and_writes_nothing_not_even_the_type()
    {
        var told = await _acme.Client.PostAsync("/v1/signals?dry_run=true", new
        {
            type = "Brand new", source = "s", account = new { name = "ACME  Corp", domain = "nonsense" },
        }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal(("dry_run", "captured"), (Text(told, "status"), Text(told, "would_be")));
        Assert.Equal("""[{"kind":"company_name","key":"acme corp"}]""", told["identity"]!["keys"]!.ToJsonString());
        Assert.Equal("/account/domain", Text(told["warnings"]![0]!, "pointer"));
        Assert.Equal(0L, await _app.QueryAsync<long>(
            "select (select count(*) from signals) + (select count(*) from accounts) + (select count(*) from signal_types where origin = 'auto')"));
    }

    [Fact]
    public async Task A_test_key_creates_nothing_but_the_test_signal()
    {
        using var test = await _acme.NewKeyAsync("test", "ingest", "read");

        var sent = await test.PostAsync("/v1/signals", Overdue()).JsonAsync(HttpStatusCode.Created);

        Assert.All(["account_id", "contact_id", "matched_record_id"], member => Assert.Null(sent[member]));
        Assert.Equal(0L, await _app.QueryAsync<long>(
            "select (select count(*) from accounts) + (select count(*) from contacts) + (select count(*) from leads) + (select count(*) from signal_types where origin = 'auto')"));
        Assert.Equal("test", Text(await test.GetAsync(new Uri($"/v1/signals/{sent["id"]}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK), "mode"));
    }

    [Fact]
    public async Task It_costs_the_same_quota_as_the_other_route()
    {
        await using var app = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "2"));
        using var small = await app.NewWorkspaceAsync();
        await small.IngestAsync(Sample.Signal("jane@acme.com"));
        using var second = await small.Client.PostAsync("/v1/signals", Overdue());
        Assert.Equal("0", second.Headers.GetValues("X-RateLimit-Remaining").Single());

        await small.Client.PostAsync("/v1/signals", Overdue()).ProblemAsync(429, "quota_exceeded");
    }
}
