using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Telemetry;

/// <summary>One trace from the request that brings a signal to each try of its deliveries.</summary>
[Collection(TracesCollection.Name)]
public sealed class TracingSignalsTests
{
    private const string Request = "POST /signals";
    private const string Intake = "signalhub.intake";
    private const string Delivery = "POST webhook";
    private const string CallersTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task A_signal_is_followed_from_the_callers_trace_to_each_try()
    {
        using var spans = new Spans();
        await using var app = await SignalHubApp.StartAsync();
        using var workspace = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer(WebhookReceiver.Status(503, "person1@company.com is unknown here"));
        var secretPath = new UriBuilder(receiver.Url) { Path = "/hooks/s3cr3t-path", Query = "?token=s3cr3t-query" }.Uri;
        var endpoint = await workspace.NewEndpointAsync(new { url = secretPath });
        workspace.Client.DefaultRequestHeaders.Add("traceparent", $"00-{CallersTrace}-00f067aa0ba902b7-01");

        var signal = await workspace.IngestAsync(Sample.Qualified(1));
        await app.DeliverDueAsync();
        app.Clock.Advance(TimeSpan.FromSeconds(10));
        await app.DeliverDueAsync();

        var request = await spans.SingleAsync(Request);
        var intake = Assert.Single(spans.Named(Intake));
        Assert.Equal(("00f067aa0ba902b7", request.SpanId), (request.ParentSpanId.ToHexString(), intake.ParentSpanId));
        Assert.Equal((201, "/signals", workspace.Id), (request.GetTagItem("http.response.status_code"), request.GetTagItem("http.route"), request.GetTagItem("signalhub.workspace.id")));
        Assert.Equal(("captured", 1), (intake.GetTagItem("signalhub.outcome"), intake.GetTagItem("signalhub.intake.batch_size")));
        Assert.Equal("taken", Assert.Single(intake.Events).Name);
        var tries = spans.Named(Delivery);
        Assert.Equal(2, tries.Count);
        Assert.All([request, intake, .. tries], span => Assert.Equal(CallersTrace, span.TraceId.ToHexString()));
        Assert.All([intake, .. tries], span => Assert.Equal((string)signal["signal_capture_id"]!, span.GetTagItem("signalhub.signal.id")));
        Assert.All(tries, span =>
        {
            Assert.Equal((ActivityKind.Client, intake.SpanId), (span.Kind, span.ParentSpanId));
            Assert.Equal((string)endpoint["id"]!, span.GetTagItem("signalhub.endpoint.id"));
            Assert.Equal(("POST", "127.0.0.1", secretPath.Port), (span.GetTagItem("http.request.method"), span.GetTagItem("server.address"), span.GetTagItem("server.port")));
        });
        Assert.Equal((1, null, 503, "retried", "http_status", ActivityStatusCode.Error), Told(tries[0]));
        Assert.Equal((2, 1, 200, "delivered", null, ActivityStatusCode.Unset), Told(tries[1]));
        Assert.All(spans.All.SelectMany(span => span.TagObjects.Select(tag => $"{tag.Value}").Append(span.DisplayName).Append($"{span.StatusDescription}")), text =>
            Assert.All(["s3cr3t", "company.com", "@"], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal)));
        Assert.All(receiver.Requests, sent => Assert.All(["traceparent", "tracestate", "baggage", "request-id", "correlation-context"], header => Assert.False(sent.Headers.ContainsKey(header), header)));
    }

    [Fact]
    public async Task What_somebody_sends_again_is_a_trace_of_its_own_with_a_link()
    {
        using var spans = new Spans();
        await using var app = await SignalHubApp.StartAsync();
        using var workspace = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await workspace.NewEndpointAsync(new { url = receiver.Url });
        await workspace.IngestAsync(Sample.Qualified(1));
        await app.DeliverDueAsync();
        var delivery = (string)(await workspace.GetAsync("/webhooks/deliveries"))["data"]![0]!["id"]!;

        await workspace.Client.PostAsync($"/webhooks/deliveries/{delivery}/retry", new { }).JsonAsync(HttpStatusCode.Accepted);
        await app.DeliverDueAsync();

        var intake = Assert.Single(spans.Named(Intake));
        var again = spans.Named(Delivery)[1];
        Assert.NotEqual(intake.TraceId, again.TraceId);
        Assert.Equal((intake.TraceId, intake.SpanId), (Assert.Single(again.Links).Context.TraceId, again.Links.Single().Context.SpanId));
    }

    [Fact]
    public async Task A_test_send_belongs_to_the_request_that_asked_for_it()
    {
        using var spans = new Spans();
        await using var app = await SignalHubApp.StartAsync();
        using var workspace = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var endpoint = (string)(await workspace.NewEndpointAsync(new { url = receiver.Url }))["id"]!;

        await workspace.Client.PostAsync($"/webhooks/endpoints/{endpoint}/test", new { }).JsonAsync(HttpStatusCode.OK);

        var request = await spans.SingleAsync("POST /webhooks/endpoints/{id}/test");
        Assert.Equal(request.SpanId, Assert.Single(spans.Named(Delivery)).ParentSpanId);
    }

    [Fact]
    public async Task Of_a_request_that_is_not_sampled_nothing_is_kept()
    {
        using var spans = new Spans(ActivitySamplingResult.PropagationData);
        await using var app = await SignalHubApp.StartAsync();
        using var workspace = await app.NewWorkspaceAsync();
        await workspace.NewEndpointAsync(new { url = "http://127.0.0.1:9/" });

        await workspace.IngestAsync(Sample.Qualified(1));

        Assert.Equal(1, await app.QueryAsync<long>("select count(*) from webhook_events where traceparent is null"));
    }

    [Fact]
    public void With_nobody_listening_the_intake_makes_nothing_for_it()
    {
        var item = (IntakeItem)RuntimeHelpers.GetUninitializedObject(typeof(IntakeItem));
        List<IntakeItem> batch = [item];
        Assert.Null(Trace());

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            Trace();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        string? Trace()
        {
            using var span = IntakeSpan.Begin(item);
            IntakeSpan.TakenIn(batch);
            IntakeSpan.End(span, null!);
            return IntakeSpan.TraceparentOf(item);
        }
    }

    private static (object? Attempt, object? Resend, object? Status, object? Outcome, object? Error, ActivityStatusCode Code) Told(Activity span) => (
        span.GetTagItem("signalhub.delivery.attempt"), span.GetTagItem("http.request.resend_count"), span.GetTagItem("http.response.status_code"),
        span.GetTagItem("signalhub.outcome"), span.GetTagItem("error.type"), span.Status);
}
