using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace SignalHub.Telemetry;

/// <summary>
/// Sends traces and metrics by OTLP, as the standard variables of OpenTelemetry say
/// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Without an endpoint among them nothing is
/// set up, nobody listens, and tracing costs nothing. The packages that would do this in one line are not available where this is built.
/// </summary>
internal sealed class TelemetryExport(IConfiguration configuration) : IHostedService, IDisposable
{
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    public const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    public const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    private const string Disabled = "OTEL_SDK_DISABLED";
    private const string TracesExporter = "OTEL_TRACES_EXPORTER";
    private const string MetricsExporter = "OTEL_METRICS_EXPORTER";
    private const string ServiceName = "signalhub";

    // A collector that is away must not hold up the end of the process.
    private const int ShutdownMilliseconds = 5_000;

    private static readonly string[] _sources = [Traces.SourceName, "Microsoft.AspNetCore"];
    private static readonly string[] _meters = ["SignalHub.*", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    private TracerProvider? _traces;
    private MeterProvider? _metrics;
    private readonly Lock _lock = new();
    private Task? _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if ("true".Equals(Text(Disabled), StringComparison.OrdinalIgnoreCase))
        {
            return Task.CompletedTask;
        }
        if (IsOn(TracesEndpoint, TracesExporter))
        {
            _traces = StartTraces();
        }
        if (IsOn(MetricsEndpoint, MetricsExporter))
        {
            _metrics = StartMetrics();
        }
        return Task.CompletedTask;
    }

    /// <summary>
    /// Begun first, so it ends last: what the end of the others told is sent too. Whoever stops the host a second time meanwhile waits
    /// for the same end, or it would be disposed of in the middle.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _stopping ??= Task.Run(() =>
            {
                _traces?.Shutdown(ShutdownMilliseconds);
                _metrics?.Shutdown(ShutdownMilliseconds);
            }, CancellationToken.None);
        }
    }

    /// <summary>Sends what has gathered, now; for tests.</summary>
    internal void Flush()
    {
        _traces?.ForceFlush();
        _metrics?.ForceFlush();
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private TracerProvider StartTraces() => Sdk.CreateTracerProviderBuilder()
        .ConfigureServices(services => services.AddSingleton(configuration))
        .ConfigureResource(Describe)
        .AddSource(_sources)
        .AddOtlpExporter(exporter => SendTo(exporter, TracesEndpoint))
        .Build();

    private MeterProvider StartMetrics() => Sdk.CreateMeterProviderBuilder()
        .ConfigureServices(services => services.AddSingleton(configuration))
        .ConfigureResource(Describe)
        .AddMeter(_meters)
        .AddOtlpExporter((exporter, _) => SendTo(exporter, MetricsEndpoint))
        .Build();

    /// <summary>The package reads the common variables; an address for one kind alone is used as it is, without a path added.</summary>
    private void SendTo(OtlpExporterOptions exporter, string endpoint)
    {
        if (Text(endpoint) is { } url)
        {
            exporter.Endpoint = new Uri(url);
        }
    }

    /// <summary>Our name unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another: of two, the later counts.</summary>
    private static void Describe(ResourceBuilder resource) => resource.Clear()
        .AddService(ServiceName, serviceVersion: typeof(TelemetryExport).Assembly.GetName().Version!.ToString(3))
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();

    private bool IsOn(string endpoint, string exporter) =>
        (Text(endpoint) ?? Text(Endpoint)) is not null && !"none".Equals(Text(exporter), StringComparison.OrdinalIgnoreCase);

    private string? Text(string name) => configuration[name]?.Trim() is { Length: > 0 } text ? text : null;
}

public static class TelemetryServices
{
    /// <summary>To be called before anything else that runs in the background is added.</summary>
    public static void AddSignalHubTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TelemetryExport>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<TelemetryExport>());
    }
}
