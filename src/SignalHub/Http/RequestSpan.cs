using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using SignalHub.Telemetry;

namespace SignalHub.Http;

/// <summary>
/// Names the span that the server makes of each request, as the request log names the request: by method, route template and
/// status. Never by its path, which may hold the token of an inbound source, nor by its query.
/// </summary>
internal static class RequestSpan
{
    private const string RequestId = "signalhub.request.id";

    /// <param name="route">The template; null when none matched.</param>
    /// <param name="workspaceId"><c>ws_…</c> of the key that was used.</param>
    public static void Describe(HttpContext context, string method, string? route, int status, string? workspaceId)
    {
        // There is an activity for the log's sake even when nobody listens.
        if (!Traces.Source.HasListeners() || context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } span)
        {
            return;
        }
        span.DisplayName = route is null ? method : $"{method} {route}";
        span.SetTag(Traces.HttpMethod, method)
            .SetTag(Traces.HttpRoute, route)
            .SetTag(Traces.UrlScheme, context.Request.Scheme)
            .SetTag(Traces.HttpStatus, status)
            .SetTag(Traces.WorkspaceId, workspaceId)
            .SetTag(RequestId, context.TraceIdentifier);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag(Traces.ErrorType, status.ToString(System.Globalization.CultureInfo.InvariantCulture)).SetStatus(ActivityStatusCode.Error);
        }
    }
}
