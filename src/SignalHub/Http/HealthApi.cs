using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace SignalHub.Http;

/// <summary>How the process is, as an answer.</summary>
/// <param name="Status"><c>live</c> or <c>ready</c>.</param>
public sealed record HealthResponse(string Status);

/// <summary>For whatever watches the process: open, not counted against limits.</summary>
public static class HealthApi
{
    // Monitors ask with either.
    private static readonly string[] _asked = [HttpMethods.Get, HttpMethods.Head];

    // As old as an answer may be.
    private const int RetryAfterSeconds = 1;

    public static WebApplicationBuilder AddSignalHubHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks();
        builder.Services.AddSingleton<Readiness>();
        return builder;
    }

    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/health/live", _asked, Live).WithTags("Health");
        routes.MapMethods("/health/ready", _asked, ReadyAsync).WithTags("Health").Produces<HealthResponse>().ProducesProblems(503);
        return routes;
    }

    /// <summary>Whether the process answers.</summary>
    internal static Ok<HealthResponse> Live() => TypedResults.Ok(new HealthResponse("live"));

    /// <summary>Whether the process can commit to the database now. At most a second old.</summary>
    internal static async Task<IResult> ReadyAsync(Readiness readiness) => await readiness.CheckAsync()
        ? TypedResults.Ok(new HealthResponse("ready"))
        : new Problem(ProblemCodes.NotReady, "The service cannot commit to its database now.") { RetryAfterSeconds = RetryAfterSeconds };
}

/// <summary>Asks the checks at most once a second, however many ask it; those who come while it asks wait for that answer.</summary>
public sealed class Readiness(HealthCheckService checks, TimeProvider clock)
{
    private static readonly TimeSpan _age = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<bool>? _answer;
    private long _asked;

    public Task<bool> CheckAsync()
    {
        lock (_gate)
        {
            if (_answer is null || (_answer.IsCompleted && clock.GetElapsedTime(_asked) >= _age))
            {
                _asked = clock.GetTimestamp();
                _answer = AskAsync();
            }
            return _answer;
        }
    }

    // Not cancelled by the request that happened to start it: others wait for the answer too.
    private async Task<bool> AskAsync() => (await checks.CheckHealthAsync(CancellationToken.None)).Status == HealthStatus.Healthy;
}
