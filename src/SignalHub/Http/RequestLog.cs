using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;

namespace SignalHub.Http;

/// <summary>What the layers below tell the log about a request; the key authentication fills it.</summary>
public sealed class RequestLogFields
{
    /// <summary>The public id (<c>ws_…</c>) of the workspace whose key was used.</summary>
    public string? WorkspaceId { get; set; }
}

/// <summary>
/// One line per request: id, workspace, method, route, status, milliseconds. The route is the template: a path may hold the
/// token of an inbound source or somebody's address, a query anything. No body, no key, no client address.
/// </summary>
public sealed class RequestLog(RequestDelegate next, ILogger<RequestLog> log)
{
    private const string NoRoute = "(no route)";
    private const string UnknownMethod = "(other)";

    // Asked every few seconds by whatever watches the process.
    private const string QuietPrefix = "/health/";

    public async Task InvokeAsync(HttpContext context)
    {
        var fields = new RequestLogFields();
        context.Features.Set(fields);
        var started = Stopwatch.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError; // what the server answers when an exception gets past us
        try
        {
            await next(context);
            status = context.Response.StatusCode;
        }
        finally
        {
            Write(context, fields, status, Stopwatch.GetElapsedTime(started));
        }
    }

    private void Write(HttpContext context, RequestLogFields fields, int status, TimeSpan elapsed)
    {
        var route = RouteOf(context);
        var level = route.StartsWith(QuietPrefix, StringComparison.Ordinal) ? LogLevel.Debug
            : status >= StatusCodes.Status500InternalServerError ? LogLevel.Warning
            : LogLevel.Information;
        log.Log(level, "{Method} {Route} {Status} in {ElapsedMs} ms, request {RequestId}, workspace {WorkspaceId}",
            MethodOf(context), route, status, Math.Round(elapsed.TotalMilliseconds, 1), context.TraceIdentifier, fields.WorkspaceId);
    }

    private static string RouteOf(HttpContext context)
    {
        // Handling an exception takes the endpoint off the request and keeps it here.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        return (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? NoRoute;
    }

    // A client may send any word as its method.
    private static string MethodOf(HttpContext context) => HttpMethods.GetCanonicalizedValue(context.Request.Method) switch
    {
        "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" or "TRACE" or "CONNECT" => HttpMethods.GetCanonicalizedValue(context.Request.Method),
        _ => UnknownMethod,
    };
}

public static class RequestLogMiddleware
{
    public static IApplicationBuilder UseRequestLog(this IApplicationBuilder app) => app.UseMiddleware<RequestLog>();
}
