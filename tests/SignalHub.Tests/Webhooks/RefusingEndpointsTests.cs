using System.Net;
using System.Text.Json;

namespace SignalHub.Tests.Webhooks;

/// <summary>Bad input of the endpoint routes: each answer is a problem that names the field.</summary>
public sealed class RefusingEndpointsTests : IClassFixture<RefusingEndpointsTests.Bench>
{
    private readonly EndpointBench _bench;

    public RefusingEndpointsTests(Bench bench) => _bench = bench.Endpoints;

    /// <summary>The default settings of production: https and public addresses only.</summary>
    public sealed class Bench : IAsyncLifetime
    {
        internal EndpointBench Endpoints { get; private set; } = null!;

        public async Task InitializeAsync() => Endpoints = await EndpointBench.StartAsync(("AllowHttp", "false"));

        public async Task DisposeAsync() => await Endpoints.DisposeAsync();
    }

    public static TheoryData<string, int, string, string?> BadBodies() => new()
    {
        { "", 400, "body_required", null },
        { "null", 400, "body_not_object", null },
        { "[]", 400, "body_not_object", null },
        { "{", 400, "malformed_json", null },
        { """{"url":"https://a.example/","url":"https://b.example/"}""", 400, "duplicate_member", "/url" },
        { """{"url":"https://a.example/","urll":1}""", 400, "unknown_field", "/urll" },
        { """{"url":"https://a.example/","filter":{"types":[]}}""", 400, "unknown_field", "/filter/types" },
        { "{}", 422, "field_required", "/url" },
        { """{"url":null}""", 422, "field_required", "/url" },
        { """{"url":""}""", 422, "field_required", "/url" },
        { """{"url":7}""", 422, "invalid_type", "/url" },
        { """{"url":"not a url"}""", 422, "invalid_url", "/url" },
        { """{"url":"/relative"}""", 422, "invalid_url", "/url" },
        { """{"url":"ftp://a.example/"}""", 422, "invalid_url", "/url" },
        { """{"url":"http://a.example/"}""", 422, "invalid_url", "/url" },
        { """{"url":"https://user:pass@a.example/"}""", 422, "invalid_url", "/url" },
        { """{"url":"https://localhost/"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://127.0.0.1/"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://10.0.0.5:8443/x"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://169.254.169.254/latest/meta-data"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://[::1]/"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://[::ffff:127.0.0.1]/"}""", 422, "blocked_address", "/url" },
        { """{"url":"https://2130706433/"}""", 422, "invalid_url", "/url" },
        { With("events", "[]"), 422, "invalid_value", "/events" },
        { With("events", """["signal.qualified","signal.qualfied"]"""), 422, "invalid_value", "/events/1" },
        { With("events", $"[{string.Join(',', Enumerable.Range(0, 9).Select(i => $"\"{i}\""))}]"), 422, "too_long", "/events" },
        { With("events", "[null]"), 422, "invalid_value", "/events/0" },
        { With("events", "\"signal.qualified\""), 422, "invalid_type", "/events" },
        { With("secret", "\"short\""), 422, "invalid_value", "/secret" },
        { With("secret", "\"whsec_not base64\""), 422, "invalid_value", "/secret" },
        { With("secret", "\"pässwörter\""), 422, "invalid_value", "/secret" },
        { With("secret", $"\"{new string('s', 257)}\""), 422, "invalid_value", "/secret" },
        { With("signature_header", "\"\""), 422, "invalid_value", "/signature_header" },
        { With("signature_header", "\"X Signature\""), 422, "invalid_value", "/signature_header" },
        { With("signature_header", "\"content-type\""), 422, "invalid_value", "/signature_header" },
        { With("signature_header", "\"Webhook-Signature\""), 422, "invalid_value", "/signature_header" },
        { With("signature_header", "\"Host\""), 422, "invalid_value", "/signature_header" },
        { With("signature_header", $"\"X-{new string('a', 63)}\""), 422, "invalid_value", "/signature_header" },
        { With("timeout_seconds", "0"), 422, "out_of_range", "/timeout_seconds" },
        { With("timeout_seconds", "31"), 422, "out_of_range", "/timeout_seconds" },
        { With("timeout_seconds", "1.5"), 422, "invalid_type", "/timeout_seconds" },
        { With("timeout_seconds", "\"10\""), 422, "invalid_type", "/timeout_seconds" },
        { With("retry_policy", "\"often\""), 422, "invalid_value", "/retry_policy" },
        { With("retry_policy", "\"custom\""), 422, "field_required", "/schedule" },
        { With("retry_policy", "\"short\",\"schedule\":[1]"), 422, "invalid_value", "/schedule" },
        { With("schedule", "[]"), 422, "invalid_value", "/schedule" },
        { With("schedule", "[0]"), 422, "invalid_value", "/schedule" },
        { With("schedule", "[86401]"), 422, "invalid_value", "/schedule" },
        { With("max_per_second", "0"), 422, "out_of_range", "/max_per_second" },
        { With("ordered", "true,\"retry_policy\":\"standard\""), 422, "invalid_value", "/ordered" },
        { With("ordered", "true,\"schedule\":[3000,700]"), 422, "invalid_value", "/ordered" },
        { With("enabled", "\"yes\""), 422, "invalid_type", "/enabled" },
        { With("description", $"\"{new string('d', 501)}\""), 422, "too_long", "/description" },
        { With("description", "\"a\\u0000b\""), 422, "unsupported_character", "/description" },
        { With("filter", "[]"), 422, "invalid_type", "/filter" },
        { With("filter", """{"signal_types":["..."]}"""), 422, "invalid_value", "/filter/signal_types/0" },
        { With("filter", """{"signal_types":[null]}"""), 422, "invalid_value", "/filter/signal_types/0" },
        { With("filter", """{"sources":["segment",""]}"""), 422, "invalid_value", "/filter/sources/1" },
        { With("filter", """{"priorities":["urgent"]}"""), 422, "invalid_value", "/filter/priorities/0" },
        { With("filter", """{"when":"sgnals.x > 1"}"""), 422, "invalid_condition", "/filter/when" },
        { With("filter", """{"when":5}"""), 422, "invalid_type", "/filter/when" },
    };

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task A_bad_body_gets_a_problem_that_names_the_field(string body, int status, string code, string? pointer)
    {
        var problem = (await _bench.PostAsync("/webhooks/endpoints", body)).ExpectProblem(status, code, pointer);

        var detail = problem.Text("detail")!;
        Assert.True(pointer is null || detail.Contains(pointer, StringComparison.Ordinal), $"The detail does not name the field: {detail}");
        Assert.Equal(0L, await _bench.ScalarAsync<long>("select count(*) from webhook_endpoints where url <> 'https://kept.example/'"));
    }

    [Fact]
    public async Task All_bad_fields_are_listed()
    {
        var problem = (await _bench.PostAsync("/webhooks/endpoints", """{"url":"x","timeout_seconds":99,"events":["nope"]}""")).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Equal(["/url", "/events/0", "/timeout_seconds"], problem.GetProperty("errors").EnumerateArray().Select(e => e.Text("pointer")!));
    }

    [Fact]
    public async Task A_bad_condition_is_answered_with_its_position()
    {
        var problem = (await _bench.PostAsync("/webhooks/endpoints", With("filter", """{"when":"signals.context.team_size ="}"""))).ExpectProblem(422, "invalid_condition", "/filter/when");

        Assert.Equal(JsonValueKind.Number, problem.GetProperty("start").ValueKind);
        Assert.Equal(1, problem.GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task A_doubtful_condition_is_saved_with_a_warning()
    {
        var created = await _bench.CreateAsync(JsonSerializer.Deserialize<JsonElement>("""{"url":"https://kept.example/","filter":{"when":"icp.scor > 1"}}"""));

        Assert.Equal("unknown_field", Assert.Single(created.GetProperty("warnings").EnumerateArray()).Text("code"));
    }

    [Fact]
    public async Task A_change_is_checked_as_a_creation_is_and_changes_nothing_when_refused()
    {
        var id = (await _bench.CreateAsync(new { url = "https://kept.example/" })).Id();

        (await _bench.PatchAsync(id, """{"url":"https://192.168.1.1/"}""")).ExpectProblem(422, "blocked_address", "/url");
        (await _bench.PatchAsync(id, """{"url":null}""")).ExpectProblem(422, "field_required", "/url");
        (await _bench.PatchAsync(id, """{"id":"ep_1"}""")).ExpectProblem(400, "unknown_field", "/id");
        (await _bench.PatchAsync(id, """{"enabled":3}""")).ExpectProblem(422, "invalid_type", "/enabled");
        (await _bench.SendAsync(HttpMethod.Put, $"/webhooks/endpoints/{id}", "{}")).ExpectProblem(422, "field_required", "/url");
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", """{"grace_period_hours":169}""")).ExpectProblem(422, "out_of_range", "/grace_period_hours");
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", """{"grace_period_hours":-1,"secret":"x"}""")).ExpectProblem(422, "out_of_range", "/grace_period_hours");
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", """{"secret":"x"}""")).ExpectProblem(422, "invalid_value", "/secret");
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", """{"grace":1}""")).ExpectProblem(400, "unknown_field", "/grace");

        var read = (await _bench.GetAsync($"/webhooks/endpoints/{id}")).Expect(HttpStatusCode.OK);
        Assert.Equal("https://kept.example/", read.Text("url"));
        Assert.Equal("null", read.GetProperty("previous_secret_expires_at").GetRawText());
    }

    [Theory]
    [InlineData("state=sent")]
    [InlineData("event=signal")]
    [InlineData("endpoint_id=5")]
    [InlineData("signal_id=ep_00000000000000000000000000")]
    [InlineData("limit=0")]
    [InlineData("cursor=abc")]
    public async Task A_bad_filter_of_the_delivery_list_is_refused(string query)
    {
        (await _bench.GetAsync($"/webhooks/deliveries?{query}")).ExpectProblem(400, query.StartsWith("cursor", StringComparison.Ordinal) ? "invalid_cursor" : "invalid_query");
    }

    private static string With(string field, string json) => $$"""{"url":"https://a.example/","{{field}}":{{json}}}""";
}
