using System.Data.Common;

namespace SignalHub.Http;

/// <summary>Turns whatever went wrong outside a handler into a problem: bad bindings, unknown routes, wrong methods, exceptions.</summary>
public static class ErrorHandling
{
    private const int DatabaseRetryAfterSeconds = 2;

    /// <summary>First in the pipeline: everything behind it answers problem+json, whatever happens.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                if (context.RequestAborted.IsCancellationRequested)
                {
                    // Nobody is there to read an answer; 499 is for the request log.
                    context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                    return;
                }
                context.Response.Headers.Remove("Content-Length");
                await ToProblem(context, e).ExecuteAsync(context);
                return;
            }
            if (!context.Response.HasStarted && ForBareStatus(context) is { } problem)
            {
                await problem.ExecuteAsync(context);
            }
        });
    }

    private static Problem ToProblem(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case ProblemException known:
                return known.Problem;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new Problem(ProblemCodes.BodyTooLarge, "The body is larger than this route takes: send less.");
            case BadHttpRequestException bad:
                return new Problem(bad.StatusCode == StatusCodes.Status415UnsupportedMediaType ? ProblemCodes.UnsupportedMediaType : ProblemCodes.BadRequest,
                    "The request could not be read: check its parameters and body.");
            // No SQLSTATE: the connection itself failed. 57P..: the server is shutting down or starting.
            case DbException { IsTransient: true } or DbException { SqlState: null } or TimeoutException:
            case DbException { SqlState: { } state } when state.StartsWith("57P", StringComparison.Ordinal):
                return Unavailable();
            default:
                Log(context).LogError(exception, "Unhandled exception in {Method} {Route}", context.Request.Method,
                    context.GetEndpoint()?.DisplayName ?? "(no route)");
                return new Problem(ProblemCodes.Internal, "The request failed on our side and changed nothing that was not answered. Report the request_id.");
        }
    }

    /// <summary>The database is away or restarting: a later try succeeds.</summary>
    public static Problem Unavailable() =>
        new(ProblemCodes.DatabaseUnavailable, "The database is not available at the moment: try again.") { RetryAfterSeconds = DatabaseRetryAfterSeconds };

    private static Problem? ForBareStatus(HttpContext context)
    {
        if (context.Response.ContentLength is > 0 || context.Response.ContentType is not null)
        {
            return null;
        }
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => new Problem(ProblemCodes.RouteNotFound,
                $"There is no route for {context.Request.Method} on this path: see /swagger."),
            StatusCodes.Status405MethodNotAllowed => new Problem(ProblemCodes.MethodNotAllowed,
                $"{context.Request.Method} is not possible here: allowed is {context.Response.Headers.Allow}."),
            StatusCodes.Status415UnsupportedMediaType => new Problem(ProblemCodes.UnsupportedMediaType,
                "Send the body as JSON with Content-Type: application/json."),
            StatusCodes.Status400BadRequest => new Problem(ProblemCodes.BadRequest, "The request could not be read: check its parameters."),
            _ => null,
        };
    }

    private static ILogger Log(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("SignalHub.Http");
}
