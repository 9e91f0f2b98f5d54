using System.Diagnostics;

namespace SignalHub.Telemetry;

/// <summary>
/// What this process traces, by System.Diagnostics: whoever listens to the source <c>SignalHub</c> gets it, and nobody listening
/// costs a look at a field. Spans carry ids and words of ours; never a body, a name, an address of a person, a path or a query.
/// </summary>
internal static class Traces
{
    public const string SourceName = "SignalHub";

    public const string WorkspaceId = "signalhub.workspace.id";
    public const string SignalId = "signalhub.signal.id";
    public const string EndpointId = "signalhub.endpoint.id";
    public const string EventId = "signalhub.event.id";
    public const string EventType = "signalhub.event.type";
    public const string DeliveryId = "signalhub.delivery.id";
    public const string Attempt = "signalhub.delivery.attempt";

    /// <summary>Of a signal: captured, duplicate, refused. Of a try: what it made of the delivery.</summary>
    public const string Outcome = "signalhub.outcome";

    // Names of the OpenTelemetry semantic conventions, https://opentelemetry.io/docs/specs/semconv/http/http-spans/
    public const string ErrorType = "error.type";
    public const string HttpMethod = "http.request.method";
    public const string HttpResend = "http.request.resend_count";
    public const string HttpRoute = "http.route";
    public const string HttpStatus = "http.response.status_code";
    public const string ServerAddress = "server.address";
    public const string ServerPort = "server.port";
    public const string UrlScheme = "url.scheme";

    public static ActivitySource Source { get; } = new(SourceName, typeof(Traces).Assembly.GetName().Version!.ToString(3));
}
