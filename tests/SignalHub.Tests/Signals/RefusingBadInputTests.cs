using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>Whatever is sent, the answer is calm, says what to change, and changes nothing.</summary>
public sealed class RefusingBadInputTests(RefusingBadInputTests.Service service) : IClassFixture<RefusingBadInputTests.Service>
{
    private const string Good = """
        "signal_type":"custom_event","source":"app","occurred_at":"2026-03-14T08:00:00Z","identity":{"email":"jane@acme.com"}
        """;

    [Theory]
    [InlineData("", 400, "body_required")]
    [InlineData("  \n", 400, "body_required")]
    [InlineData("null", 400, "body_not_object")]
    [InlineData("[]", 400, "body_not_object")]
    [InlineData("\"text\"", 400, "body_not_object")]
    [InlineData("12", 400, "body_not_object")]
    [InlineData("true", 400, "body_not_object")]
    [InlineData("{", 400, "malformed_json")]
    [InlineData("{\"a\":}", 400, "malformed_json")]
    [InlineData("{\"a\":NaN}", 400, "malformed_json")]
    [InlineData("{\"a\":Infinity}", 400, "malformed_json")]
    [InlineData("{\"a\":01}", 400, "malformed_json")]
    [InlineData("{} {}", 400, "malformed_json")]
    [InlineData("{'a':1}", 400, "malformed_json")]
    [InlineData("{\"a\":1,\"a\":2}", 400, "duplicate_member")]
    [InlineData("{\"context\":{\"x\":{\"y\":1,\"y\":1}}}", 400, "duplicate_member")]
    [InlineData("{\"context\":{\"x\":\"\\ud800\"}}", 422, "unsupported_character")]
    [InlineData("{\"context\":{\"x\":\"\\udc00\\ud800\"}}", 422, "unsupported_character")]
    [InlineData("{\"context\":{\"x\":\"a\\u0000b\"}}", 422, "unsupported_character")]
    [InlineData("{\"context\":{\"a\\u0000b\":1}}", 422, "unsupported_character")]
    [InlineData("{\"context\":{\"x\":1e999}}", 422, "number_out_of_range")]
    [InlineData("{\"context\":{\"x\":1e131071}}", 422, "number_out_of_range")]
    [InlineData("{\"context\":{\"x\":12345678901234567890123456789012345678901234567890123456789012345}}", 422, "number_out_of_range")]
    [InlineData("{}", 422, "field_required")]
    public async Task A_body_that_is_not_a_signal(string body, int status, string code) =>
        await service.Acme.Client.PostTextAsync("/signals", body).ProblemAsync(status, code);

    [Theory]
    [InlineData("signal_type", "5", "invalid_type")]
    [InlineData("signal_type", "{}", "invalid_type")]
    [InlineData("signal_type", "\"\"", "field_required")]
    [InlineData("signal_type", "null", "field_required")]
    [InlineData("signal_type", "\"---\"", "unknown_signal_type")]
    [InlineData("source", "[]", "invalid_type")]
    [InlineData("source", "\"   \"", "field_required")]
    [InlineData("source", "LONG", "too_long")]
    [InlineData("event_name", "true", "invalid_type")]
    [InlineData("event_name", "LONG", "too_long")]
    [InlineData("idempotency_key", "7", "invalid_type")]
    [InlineData("idempotency_key", "LONG", "too_long")]
    [InlineData("backfill", "\"maybe\"", "invalid_type")]
    [InlineData("backfill", "1", "invalid_type")]
    [InlineData("context", "[]", "invalid_type")]
    [InlineData("context", "\"text\"", "invalid_type")]
    [InlineData("context", "DEEP", "too_deep")]
    [InlineData("context", "HUGE", "too_long")]
    [InlineData("identity", "\"jane@acme.com\"", "invalid_type")]
    [InlineData("identity", "{}", "identity_required")]
    [InlineData("identity", "null", "identity_required")]
    [InlineData("identity", "{\"email\":5}", "invalid_type")]
    [InlineData("identity", "{\"email\":\"nobody\"}", "identity_required")]
    [InlineData("identity", "{\"email\":\"LONGTEXT\"}", "identity_required")]
    [InlineData("identity", "{\"company_domain\":\"gmail.com\"}", "identity_required")]
    [InlineData("identity", "{\"linkedin_url\":\"https://...\"}", "identity_required")]
    [InlineData("identity", "{\"emails\":\"jane@acme.com\"}", "invalid_type")]
    [InlineData("identity", "{\"emails\":[\"a@b.co\",\"b@b.co\",\"c@b.co\",\"d@b.co\",\"e@b.co\",\"f@b.co\"]}", "out_of_range")]
    [InlineData("identity", "{\"email\":\"jane@acme.com\",\"first_name\":\"LONGTEXT\"}", "too_long")]
    [InlineData("occurred_at", "1789000000", "invalid_type")]
    [InlineData("occurred_at", "\"yesterday\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"2026-03-14\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"2026-03-14T08:00:00\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"2026-02-30T08:00:00Z\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"2016-12-31T23:59:60Z\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"2026-03-14T08:00:00+25:00\"", "invalid_timestamp")]
    [InlineData("occurred_at", "\"0001-01-01T00:00:00Z\"", "occurred_at_too_old")]
    [InlineData("occurred_at", "\"1999-12-31T23:59:59Z\"", "occurred_at_too_old")]
    [InlineData("occurred_at", "\"9999-12-31T23:59:59Z\"", "occurred_at_in_future")]
    [InlineData("occurred_at", "\"2026-03-14T10:26:54Z\"", "occurred_at_in_future")]
    public async Task A_field_that_cannot_be_meant(string field, string value, string code)
    {
        value = value.Replace("LONGTEXT", new string('x', 10_000), StringComparison.Ordinal);
        value = value switch
        {
            "LONG" => $"\"{new string('x', 10_000)}\"",
            "DEEP" => string.Concat(Enumerable.Repeat("{\"a\":", 33)) + "1" + new string('}', 33),
            "HUGE" => $"{{\"a\":\"{new string('x', 256 * 1024)}\"}}",
            _ => value,
        };
        var good = System.Text.Json.Nodes.JsonNode.Parse($"{{{Good}}}")!.AsObject();
        good.Remove(field);
        var body = good.ToJsonString()[..^1] + $",\"{field}\":{value}}}";

        var problem = await service.Acme.Client.PostTextAsync("/signals", body).ProblemAsync(422, code);

        var pointer = (string)problem["errors"]![0]!["pointer"]!;
        Assert.StartsWith($"/{field}", pointer, StringComparison.Ordinal);
        Assert.Contains(field, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_failing_field_is_named_at_once()
    {
        var problem = await service.Acme.Client.PostTextAsync("/signals", """{"source":5,"occurred_at":"no","context":[],"identity":{}}""").ProblemAsync(422, "invalid_type");

        Assert.Equal(["/source", "/context", "/signal_type", "/occurred_at", "/identity"], problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
    }

    [Fact]
    public async Task An_unknown_type_is_named_together_with_the_other_fields()
    {
        var problem = await service.Acme.Client.PostTextAsync("/signals", """{"signal_type":"nope","source":"app","occurred_at":"no","identity":{}}""").ProblemAsync(422, "unknown_signal_type");

        Assert.Equal(["/signal_type", "/occurred_at", "/identity"], problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
    }

    [Theory]
    [InlineData("dry_run=1")]
    [InlineData("dry_run=")]
    [InlineData("dry_run=yes")]
    public async Task A_dry_run_that_is_neither_true_nor_false_is_named_and_writes_nothing(string query)
    {
        var problem = await service.Acme.Client.PostTextAsync("/signals?" + query, $$"""{{{Good}},"idempotency_key":"never"}""").ProblemAsync(400, "invalid_query");

        Assert.Contains("dry_run", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Thousands_of_unknown_fields_are_told_in_a_few_warnings()
    {
        var unknown = string.Concat(Enumerable.Range(0, 5_000).Select(i => $",\"u{i}\":1"));

        var captured = await service.Acme.Client.PostTextAsync("/signals", $$"""{{{Good}},"idempotency_key":"many-unknown"{{unknown}}}""").JsonAsync(HttpStatusCode.Created);

        Assert.InRange(captured["warnings"]!.AsArray().Count, 1, 60);
    }

    [Fact]
    public async Task Unknown_fields_are_dropped_and_named()
    {
        var captured = await service.Acme.Client.PostTextAsync("/signals", $$"""{{{Good}},"idempotency_key":"unknown-fields","sorce":"x"}""").JsonAsync(HttpStatusCode.Created);

        Assert.Contains(captured["warnings"]!.AsArray(), w => (string)w!["code"]! == "unknown_field" && (string)w["pointer"]! == "/sorce");
    }

    [Fact]
    public async Task A_bad_identifier_beside_a_good_one_is_a_warning()
    {
        var captured = await service.Acme.Client.PostTextAsync("/signals", """
            {"signal_type":"custom_event","source":"app","occurred_at":"2026-03-14T08:00:01Z","identity":{"email":"jane@acme.com","linkedin_url":"https://lnkd.in/x","company_domain":"Acme Inc"}}
            """).JsonAsync(HttpStatusCode.Created);

        Assert.Equal(["/identity/linkedin_url", "/identity/company_domain"], captured["warnings"]!.AsArray().Select(w => (string)w!["pointer"]!));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "signal_type=custom_event")]
    [InlineData("text/plain", "{}")]
    [InlineData("application/xml", "<a/>")]
    [InlineData("application/json; charset=utf-16", "{}")]
    [InlineData("multipart/form-data; boundary=x", "--x--")]
    public async Task Anything_but_json_in_utf8_is_415(string contentType, string body) =>
        await service.Acme.Client.PostTextAsync("/signals", body, contentType).ProblemAsync(415, "unsupported_media_type");

    [Fact]
    public async Task A_key_that_is_not_known_is_told_before_anything_of_the_body()
    {
        using var stranger = service.App.WithKey("sk_live_nobody");

        await stranger.PostTextAsync("/signals", "x", "text/plain").ProblemAsync(401, "invalid_key");
    }

    [Fact]
    public async Task An_encoding_that_is_not_known_is_415()
    {
        using var content = Encoded(Encoding.UTF8.GetBytes("{}"), "zstd");
        await service.Acme.Client.PostAsync(new Uri("/signals", UriKind.Relative), content).ProblemAsync(415, "unsupported_encoding");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Compressed_bodies_are_read(string encoding)
    {
        using var content = Encoded(Compress(Encoding.UTF8.GetBytes($$"""{{{Good}},"idempotency_key":"{{encoding}}"}"""), encoding), encoding);

        await service.Acme.Client.PostAsync(new Uri("/signals", UriKind.Relative), content).JsonAsync(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_bomb_is_413_by_what_it_expands_to(string encoding)
    {
        using var content = Encoded(Compress(new byte[20 * 1024 * 1024], encoding), encoding);

        await service.Acme.Client.PostAsync(new Uri("/signals", UriKind.Relative), content).ProblemAsync(413, "body_too_large");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_broken_compressed_stream_is_400(string encoding)
    {
        using var content = Encoded(Encoding.UTF8.GetBytes("zzz"), encoding);

        await service.Acme.Client.PostAsync(new Uri("/signals", UriKind.Relative), content).ProblemAsync(400, "malformed_json");
    }

    [Fact]
    public async Task Two_megabytes_are_413() =>
        await service.Acme.Client.PostTextAsync("/signals", "{\"context\":{\"x\":\"" + new string('x', 2 * 1024 * 1024) + "\"}}").ProblemAsync(413, "body_too_large");

    [Theory]
    [InlineData(1_000)]
    [InlineData(100_000)]
    public async Task Deep_nesting_is_refused_and_not_recursed_into(int depth)
    {
        var body = "{\"context\":" + string.Concat(Enumerable.Repeat("[", depth)) + string.Concat(Enumerable.Repeat("]", depth)) + "}";

        await service.Acme.Client.PostTextAsync("/signals", body).ProblemAsync(422, "too_deep");
    }

    [Theory]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/cloudevents+json")]
    [InlineData(null)]
    public async Task Json_by_another_name_and_with_a_byte_order_mark_is_read(string? contentType) =>
        await service.Acme.Client.PostTextAsync("/signals", "\uFEFF" + $$"""{{{Good}},"idempotency_key":"bom {{contentType}}"}""", contentType).JsonAsync(HttpStatusCode.Created);

    [Fact]
    public async Task Broken_utf8_is_400()
    {
        using var content = new ByteArrayContent([.. Encoding.UTF8.GetBytes("{\"source\":\""), 0xC3, 0x28, (byte)'"', (byte)'}']);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        await service.Acme.Client.PostAsync(new Uri("/signals", UriKind.Relative), content).ProblemAsync(400, "malformed_json");
    }

    [Theory]
    [InlineData("GET", "/nothing", 404, "route_not_found")]
    [InlineData("GET", "/signals/sig_short", 404, "not_found")]
    [InlineData("PUT", "/signals", 405, "method_not_allowed")]
    [InlineData("DELETE", "/me", 405, "method_not_allowed")]
    [InlineData("GET", "/signals?limit=0", 400, "invalid_query")]
    [InlineData("GET", "/signals?limit=abc", 400, "invalid_query")]
    [InlineData("GET", "/signals?cursor=abc", 400, "invalid_cursor")]
    [InlineData("GET", "/signals?typ=custom_event", 400, "invalid_query")]
    [InlineData("POST", "/signals?dry_run=maybe", 400, "invalid_query")]
    public async Task A_request_that_leads_nowhere(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));

        await service.Acme.Client.SendAsync(request).ProblemAsync(status, code);
    }

    private static ByteArrayContent Encoded(byte[] body, string encoding)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add(encoding);
        return content;
    }

    private static byte[] Compress(byte[] body, string encoding)
    {
        using var buffer = new MemoryStream();
        using (Stream stream = encoding == "gzip" ? new GZipStream(buffer, CompressionLevel.Optimal) : new BrotliStream(buffer, CompressionLevel.Fastest))
        {
            stream.Write(body);
        }
        return buffer.ToArray();
    }

    public sealed class Service : IAsyncLifetime
    {
        internal SignalHubApp App { get; private set; } = null!;

        internal TestWorkspace Acme { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            App = await SignalHubApp.StartAsync();
            Acme = await App.NewWorkspaceAsync();
        }

        public async Task DisposeAsync() => await App.DisposeAsync();
    }
}
