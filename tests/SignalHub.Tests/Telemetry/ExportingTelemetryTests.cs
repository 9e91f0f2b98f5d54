using Microsoft.Extensions.DependencyInjection;
using SignalHub.Telemetry;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Telemetry;

/// <summary>Traces and metrics as a collector gets them, switched on by the standard settings alone.</summary>
[Collection(TracesCollection.Name)]
public sealed class ExportingTelemetryTests
{
    private const string Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string Http = "http/protobuf";

    [Theory]
    [InlineData(Http)]
    [InlineData("grpc")]
    public async Task A_collector_sees_one_trace_of_a_signal_from_its_request_to_its_delivery(string protocol)
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc: protocol != Http);
        await using var app = await SignalHubApp.StartAsync((TelemetryExport.Endpoint, collector.Url), (Protocol, protocol), ("OTEL_SERVICE_NAME", "hub-of-tests"));
        using var spans = new Spans(); // after the exporter, so that it hears of each later
        using var workspace = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await workspace.NewEndpointAsync(new { url = receiver.Url });

        var signal = (string)(await workspace.IngestAsync(Sample.Qualified(1)))["signal_capture_id"]!;
        await app.DeliverDueAsync();
        await spans.SingleAsync("POST /signals");
        app.Services.GetRequiredService<TelemetryExport>().Flush();

        var ofSignal = collector.Spans.Where(span => span.Tags.GetValueOrDefault("signalhub.signal.id") == signal).ToList();
        Assert.Equal(["POST webhook", "signalhub.intake"], ofSignal.Select(span => span.Name).Order(StringComparer.Ordinal));
        Assert.All(ofSignal, span => Assert.Equal(("hub-of-tests", "SignalHub"), (span.Service, span.Scope)));
        var trace = Assert.Single(ofSignal.Select(span => span.TraceId).Distinct());
        var request = Assert.Single(collector.Spans, span => span.TraceId == trace && span.Name == "POST /signals");
        var intake = ofSignal.Single(span => span.Name == "signalhub.intake");
        Assert.Equal((request.SpanId, intake.SpanId), (intake.ParentId, ofSignal.Single(span => span != intake).ParentId));
        Assert.All(["signalhub.signals", "signalhub.deliveries", "http.server.request.duration", "dotnet.gc.collections"], name => Assert.Contains(name, collector.Metrics));
    }

    [Fact]
    public async Task A_sampler_that_takes_nothing_leaves_no_spans()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var app = await SignalHubApp.StartAsync((TelemetryExport.Endpoint, collector.Url), (Protocol, Http), ("OTEL_TRACES_SAMPLER", "always_off"));
        using var workspace = await app.NewWorkspaceAsync();
        await workspace.NewEndpointAsync(new { url = "http://127.0.0.1:9/" });

        await workspace.IngestAsync(Sample.Qualified(1));
        app.Services.GetRequiredService<TelemetryExport>().Flush();

        Assert.Empty(collector.Spans);
        Assert.Equal(1, await app.QueryAsync<long>("select count(*) from webhook_events where traceparent is null"));
        Assert.Contains("signalhub.signals", collector.Metrics);
    }

    [Fact]
    public async Task The_end_of_the_process_sends_what_has_gathered()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using (var app = await SignalHubApp.StartAsync((TelemetryExport.TracesEndpoint, $"{collector.Url}/v1/traces"), (Protocol, Http)))
        {
            using var spans = new Spans();
            using var workspace = await app.NewWorkspaceAsync();
            await spans.SingleAsync("POST /workspaces/");
        }

        Assert.Contains(collector.Spans, span => span is { Name: "POST /workspaces/", Service: "signalhub" });
        Assert.Empty(collector.Metrics);
    }

    [Theory]
    [InlineData]
    [InlineData("OTEL_SDK_DISABLED", "true", TelemetryExport.Endpoint, "http://127.0.0.1:9")]
    [InlineData("OTEL_TRACES_EXPORTER", "none", TelemetryExport.Endpoint, "http://127.0.0.1:9", "OTEL_METRICS_EXPORTER", "none")]
    public async Task Unless_it_is_switched_on_nobody_listens(params string[] settings)
    {
        await using var app = await SignalHubApp.StartAsync([.. settings.Chunk(2).Select(pair => (pair[0], pair[1]))]);

        Assert.False(Traces.Source.HasListeners());
    }
}
