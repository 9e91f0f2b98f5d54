using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>Test sends and rotations, seen by a real receiver.</summary>
public sealed class SigningEndpointsTests : IAsyncLifetime
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
    public async Task A_test_send_is_signed_answered_with_its_attempt_and_kept_in_the_log()
    {
        _receiver.Answer(WebhookReceiver.Status(202, "thanks", ("X-Trace", "42")));
        var endpoint = await _bench.CreateAsync(new { url = _receiver.Url, enabled = false, signature_header = "X-Acme-Signature" });

        var sent = (await _bench.PostAsync($"/webhooks/endpoints/{endpoint.Id()}/test")).Expect(HttpStatusCode.OK);

        Assert.Equal(("delivered", "test", 202, "thanks"), (sent.Text("state"), sent.Text("trigger"), sent.GetProperty("status_code").GetInt32(), sent.Text("response_body")));
        Assert.Equal(("42", "127.0.0.1"), (sent.GetProperty("response_headers").Text("X-Trace"), sent.Text("resolved_ip")));
        Assert.Equal("null", sent.GetProperty("error_class").GetRawText());
        var request = Assert.Single(_receiver.Requests);
        Assert.Equal(sent.Text("event_id"), request.Headers["webhook-id"]);
        Assert.Equal("test", request.Headers["X-SignalHub-Event"]);
        Assert.Equal(V1(endpoint.Text("secret")!, request), request.Headers["webhook-signature"]);
        Assert.Equal(Hex(endpoint.Text("secret")!, request), request.Headers["X-Acme-Signature"]);
        Assert.Equal("product_usage", JsonElement.Parse(request.Body).GetProperty("data").Text("signal_type"));

        var logged = (await _bench.GetAsync($"/webhooks/deliveries/{sent.Text("delivery_id")}")).Expect(HttpStatusCode.OK);
        var attempt = Assert.Single(logged.GetProperty("attempt_log").EnumerateArray());
        Assert.All(attempt.EnumerateObject(), member => Assert.Equal(member.Value.GetRawText(), sent.GetProperty(member.Name).GetRawText()));
        Assert.Equal(Encoding.UTF8.GetString(request.Body), logged.GetProperty("body").GetRawText());
        Assert.DoesNotContain(endpoint.Text("secret")!, logged.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_send_to_a_failing_receiver_is_a_200_that_says_what_failed()
    {
        _receiver.Answer(WebhookReceiver.Status(503, "down"));
        var id = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();

        var sent = (await _bench.PostAsync($"/webhooks/endpoints/{id}/test")).Expect(HttpStatusCode.OK);

        Assert.Equal(("failed", "http_status", 503), (sent.Text("state"), sent.Text("error_class"), sent.GetProperty("status_code").GetInt32()));
        Assert.Equal(0, (await _bench.GetAsync($"/webhooks/endpoints/{id}")).Expect(HttpStatusCode.OK).GetProperty("consecutive_failures").GetInt32());
    }

    [Fact]
    public async Task A_test_send_passes_the_same_guard()
    {
        // Saved when it was allowed, sent when it no longer is.
        var id = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        await _bench.ExecuteAsync("update webhook_endpoints set url = 'https://10.1.2.3/'");

        var sent = (await _bench.PostAsync($"/webhooks/endpoints/{id}/test")).Expect(HttpStatusCode.OK);

        Assert.Equal(("failed", "blocked_address"), (sent.Text("state"), sent.Text("error_class")));
        Assert.Empty(_receiver.Requests);
    }

    [Fact]
    public async Task Both_secrets_sign_during_the_grace_and_only_the_new_one_after_it()
    {
        var created = await _bench.CreateAsync(new { url = _receiver.Url });
        var (id, old) = (created.Id(), created.Text("secret")!);

        var rotated = (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate")).Expect(HttpStatusCode.Created);
        var fresh = rotated.Text("secret")!;
        Assert.NotEqual(old, fresh);
        Assert.Equal("2026-03-15T09:26:53Z", rotated.Text("previous_secret_expires_at"));

        var during = await SendTestAsync(id);
        Assert.Equal([V1(fresh, during), V1(old, during)], during.Headers["webhook-signature"].Split(' '));
        Assert.Equal(Hex(old, during), during.Headers["X-SignalHub-Signature"]);

        _bench.Clock.Advance(TimeSpan.FromHours(24));
        var after = await SendTestAsync(id);
        Assert.Equal(V1(fresh, after), after.Headers["webhook-signature"]);
        Assert.Equal(Hex(fresh, after), after.Headers["X-SignalHub-Signature"]);
        Assert.Equal("null", (await _bench.GetAsync($"/webhooks/endpoints/{id}")).Expect(HttpStatusCode.OK).GetProperty("previous_secret_expires_at").GetRawText());
    }

    [Fact]
    public async Task Finishing_a_rotation_ends_the_grace_at_once_and_may_be_repeated()
    {
        var id = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();
        var rotated = (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", new { grace_period_hours = 168, secret = "my own secret" })).Expect(HttpStatusCode.Created);
        Assert.Equal("my own secret", rotated.Text("secret"));

        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate/finish")).Expect(HttpStatusCode.OK);
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate/finish")).Expect(HttpStatusCode.OK);

        var request = await SendTestAsync(id);
        Assert.Equal(Hex("my own secret", request), request.Headers["X-SignalHub-Signature"]);
        Assert.DoesNotContain(' ', request.Headers["webhook-signature"]);
    }

    [Fact]
    public async Task A_rotation_without_grace_forgets_the_old_secret()
    {
        var id = (await _bench.CreateAsync(new { url = _receiver.Url })).Id();

        var rotated = (await _bench.PostAsync($"/webhooks/endpoints/{id}/rotate", new { grace_period_hours = 0 })).Expect(HttpStatusCode.Created);

        Assert.Equal("null", rotated.GetProperty("previous_secret_expires_at").GetRawText());
        Assert.True(await _bench.ScalarAsync<bool>("select previous_secret is null from webhook_endpoints"));
        var request = await SendTestAsync(id);
        Assert.Equal(V1(rotated.Text("secret")!, request), request.Headers["webhook-signature"]);
    }

    private async Task<ReceivedRequest> SendTestAsync(string id)
    {
        (await _bench.PostAsync($"/webhooks/endpoints/{id}/test")).Expect(HttpStatusCode.OK);
        return _receiver.Requests[^1];
    }

    /// <summary>Standard Webhooks, written from its text: HMAC-SHA256 over id.timestamp.body with the decoded secret.</summary>
    private static string V1(string secret, ReceivedRequest request)
    {
        var key = secret.StartsWith("whsec_", StringComparison.Ordinal) ? Convert.FromBase64String(secret["whsec_".Length..]) : Encoding.ASCII.GetBytes(secret);
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}."), .. request.Body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
    }

    private static string Hex(string secret, ReceivedRequest request) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), request.Body));
}
