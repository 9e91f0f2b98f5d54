using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using SignalHub.Signals.Batch;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

public sealed class SendingBatchesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Each_signal_is_answered_in_its_place_and_stored_as_if_it_came_alone()
    {
        var answer = await SendAsync(HttpStatusCode.OK, Sample.Qualified(1), Sample.Qualified(2), Sample.Signal("free@gmail.com"));

        Assert.Equal((3, 0, 0), Counts(answer));
        Assert.Equal([0, 1, 2], answer["results"]!.AsArray().Select(r => (int)r!["index"]!));
        Assert.Equal(["captured", "captured", "captured"], Statuses(answer));
        var first = answer["results"]![0]!;
        Assert.True((bool)first["qualified"]!);
        Assert.Null(first["error"]);
        var read = await _acme.GetAsync($"/signals/{first["signal_capture_id"]}");
        Assert.Equal("person1@company.com", (string?)read["identity"]!["email"]);
        Assert.Equal((string?)first["matched_record_id"], (string?)read["lead_id"]);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from accounts where domain = 'company.com'"));
    }

    [Fact]
    public async Task Lines_do_as_well_and_a_broken_one_harms_no_other()
    {
        var good = JsonLine(Sample.Qualified(1));
        using var response = await _acme.Client.PostTextAsync(
            "/signals/batch", $"{good}\r\n\n{{\"signal_type\": \n{JsonLine(new { signal_type = "custom_event" })}\n{JsonLine(Sample.Qualified(2))}", "application/x-ndjson");

        var answer = await response.JsonAsync(HttpStatusCode.MultiStatus);
        Assert.Equal((2, 0, 2), Counts(answer));
        Assert.Equal(["captured", "rejected", "rejected", "captured"], Statuses(answer));
        Assert.Equal("malformed_json", (string?)answer["results"]![1]!["error"]!["code"]);
        Assert.Equal("/2/source", (string?)answer["results"]![2]!["error"]!["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_refused_signal_is_named_by_its_place_and_its_problem()
    {
        var answer = await SendAsync(HttpStatusCode.MultiStatus, Sample.Qualified(1), new { signal_type = "custom_event", source = "app" }, 7, Sample.Signal("a@b.com"));

        Assert.Equal(["captured", "rejected", "rejected", "captured"], Statuses(answer));
        var error = answer["results"]![1]!["error"]!;
        Assert.Equal(422, (int)error["status"]!);
        Assert.Contains("/signals/1/occurred_at", error["errors"]!.AsArray().Select(e => (string?)e!["pointer"]));
        Assert.Equal("body_not_object", (string?)answer["results"]![2]!["error"]!["code"]);
        Assert.Null(answer["results"]![1]!["signal_capture_id"]);
    }

    [Fact]
    public async Task What_the_gate_refuses_in_one_signal_stays_with_that_signal()
    {
        var good = JsonLine(Sample.Qualified(1));
        var answer = await _acme.Client.PostTextAsync("/signals/batch",
            $"{{\"signals\":[{good},{{\"source\":\"a\",\"source\":\"b\"}},{{\"context\":{{\"a\":\"\\u0000\"}}}},{{\"context\":{{\"n\":1e999}}}}]}}").JsonAsync(HttpStatusCode.MultiStatus);

        Assert.Equal(["duplicate_member", "unsupported_character", "number_out_of_range"],
            answer["results"]!.AsArray().Skip(1).Select(r => (string?)r!["error"]!["code"]));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task The_same_signal_twice_is_a_duplicate_inside_a_batch_and_between_batches()
    {
        var first = await SendAsync(HttpStatusCode.OK, Sample.Qualified(1), Sample.Qualified(1), Sample.Qualified(2));
        Assert.Equal(["captured", "duplicate", "captured"], Statuses(first));

        var again = await SendAsync(HttpStatusCode.OK, Sample.Qualified(2), Sample.Qualified(1));

        Assert.Equal((0, 2, 0), Counts(again));
        Assert.Equal((string?)first["results"]![0]!["signal_capture_id"], (string?)again["results"]![1]!["signal_capture_id"]);
        Assert.Equal(2L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(2L, await _app.CountedTodayAsync());
    }

    [Fact]
    public async Task All_rejected_is_a_422_in_the_shape_of_a_batch()
    {
        var answer = await SendAsync(HttpStatusCode.UnprocessableEntity, new { source = "app" }, new { });

        Assert.Equal((0, 0, 2), Counts(answer));
        Assert.Equal("field_required", (string?)answer["results"]![0]!["error"]!["code"]);
    }

    [Fact]
    public async Task The_quota_takes_the_first_that_fit_and_says_when_the_rest_does()
    {
        await using var app = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "3"));
        var acme = await app.NewWorkspaceAsync();
        using var response = await acme.Client.PostAsync("/signals/batch",
            new { signals = new object[] { Sample.Qualified(1), new { }, Sample.Qualified(2), Sample.Qualified(3), Sample.Qualified(4) } });

        var answer = await response.JsonAsync(HttpStatusCode.MultiStatus);
        Assert.Equal(["captured", "rejected", "captured", "captured", "rejected"], Statuses(answer));
        Assert.Equal("quota_exceeded", (string?)answer["results"]![4]!["error"]!["code"]);
        Assert.InRange((int)response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 61);
        await acme.Client.PostAsync("/signals/batch", new { signals = new[] { Sample.Qualified(9) } }).ProblemAsync(429, "quota_exceeded");
        Assert.Equal(3L, await app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task Duplicates_and_refused_ones_cost_nothing_of_the_quota()
    {
        await using var app = await SignalHubApp.StartAsync(("RateLimits:PerMinute", "3"));
        var acme = await app.NewWorkspaceAsync();
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await acme.Client.PostAsync("/signals/batch", new { signals = new object[] { Sample.Qualified(1), new { } } }).JsonAsync(HttpStatusCode.MultiStatus);
        }

        await acme.Client.PostAsync("/signals/batch", new { signals = new object[] { Sample.Qualified(2), Sample.Qualified(3) } }).JsonAsync(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("", 400, "body_required")]
    [InlineData("{\"signals\":[", 400, "malformed_json")]
    [InlineData("{\"signals\":[{}]}x", 400, "malformed_json")]
    [InlineData("[{}]", 400, "body_not_object")]
    [InlineData("{\"signals\":[],\"signals\":[{}]}", 400, "duplicate_member")]
    [InlineData("{\"signals\":{}}", 422, "invalid_type")]
    [InlineData("{\"signals\":[]}", 422, "field_required")]
    [InlineData("{\"other\":[{}]}", 422, "field_required")]
    public async Task A_body_that_is_no_batch_is_refused_as_a_whole(string body, int status, string code) =>
        await _acme.Client.PostTextAsync("/signals/batch", body).ProblemAsync(status, code);

    [Fact]
    public async Task Too_many_signals_too_many_bytes_and_a_rehearsal_are_refused_as_a_whole()
    {
        await _acme.Client.PostTextAsync("/signals/batch", $"{{\"signals\":[{string.Join(',', Enumerable.Repeat("{}", 1_001))}]}}").ProblemAsync(422, "too_long");
        await _acme.Client.PostTextAsync("/signals/batch", $"{{\"signals\":[\"{new string('x', 5 * 1024 * 1024)}\"]}}").ProblemAsync(413, "body_too_large");
        await _acme.Client.PostAsync("/signals/batch?dry_run=true", new { signals = new[] { Sample.Qualified(1) } }).ProblemAsync(400, "invalid_query");
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task The_header_key_is_ignored_with_a_warning_and_keys_in_the_signals_count()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/signals/batch")
        {
            Content = new StringContent($"{{\"signals\":[{Keyed("a", 1)},{Keyed("b", 2)},{Keyed("a", 1)},{Keyed("a", 2)}]}}", Encoding.UTF8, "application/json"),
            Headers = { { "Idempotency-Key", "one" } },
        };
        var answer = await _acme.Client.SendAsync(request).JsonAsync(HttpStatusCode.MultiStatus);

        Assert.Equal("header_ignored", (string?)answer["warnings"]![0]!["code"]);
        Assert.Equal(["captured", "captured", "duplicate", "rejected"], Statuses(answer));
        Assert.Equal("idempotency_key_reused", (string?)answer["results"]![3]!["error"]!["code"]);
    }

    [Fact]
    public async Task Of_two_signals_with_one_key_the_first_of_the_request_is_taken_whoever_they_are_about()
    {
        var signals = Enumerable.Range(0, 60).Select(i => Keyed($"key-{i / 2}", i));

        var answer = await _acme.Client.PostTextAsync("/signals/batch", $"{{\"signals\":[{string.Join(',', signals)}]}}").JsonAsync(HttpStatusCode.MultiStatus);

        Assert.Equal(Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? "captured" : "rejected"), Statuses(answer));
    }

    [Fact]
    public async Task A_thousand_in_one_request_are_taken()
    {
        var answer = await SendAsync(HttpStatusCode.OK, [.. Enumerable.Range(0, BatchBody.MaxItems).Select(i => Sample.Qualified(i))]);

        Assert.Equal((1_000, 0, 0), Counts(answer));
        Assert.Equal(1_000L, await _app.QueryAsync<long>("select count(distinct lead_id) from signals"));
    }

    [Fact]
    public async Task A_test_key_sends_test_signals_and_a_key_without_the_scope_sends_none()
    {
        using var test = await _acme.NewKeyAsync("test", "ingest", "read");
        using var reader = await _acme.NewKeyAsync("live", "read");

        await test.PostAsync("/signals/batch", new { signals = new[] { Sample.Qualified(1) } }).JsonAsync(HttpStatusCode.OK);
        await reader.PostAsync("/signals/batch", new { signals = new[] { Sample.Qualified(1) } }).ProblemAsync(403, "missing_scope");

        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from signals where mode = 'test'"));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from leads"));
    }

    private Task<JsonNode> SendAsync(HttpStatusCode status, params object[] signals) => _acme.Client.PostAsync("/signals/batch", new { signals }).JsonAsync(status);

    private static (int, int, int) Counts(JsonNode answer) => ((int)answer["captured"]!, (int)answer["duplicates"]!, (int)answer["rejected"]!);

    private static IEnumerable<string?> Statuses(JsonNode answer) => answer["results"]!.AsArray().Select(r => (string?)r!["status"]);

    private static string JsonLine(object signal) => System.Text.Json.JsonSerializer.Serialize(signal);

    private static string Keyed(string key, int person) =>
        $"{{\"signal_type\":\"custom_event\",\"source\":\"app\",\"occurred_at\":\"2026-03-14T08:30:00Z\",\"identity\":{{\"email\":\"p{person}@acme.com\"}},\"idempotency_key\":\"{key}\"}}";
}
