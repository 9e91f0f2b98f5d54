using Microsoft.AspNetCore.Http.HttpResults;

namespace SignalHub.Http;

/// <summary>
/// <c>/metrics</c>: open as the health routes are, because it is made of numbers over all workspaces. Where even those are
/// nobody's business, the proxy in front keeps the path inside.
/// </summary>
public static class MetricsApi
{
    public static void AddSignalHubMetrics(this WebApplicationBuilder builder) => builder.Services.AddSingleton<MetricsText>();

    public static IEndpointRouteBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        // Made now: what is recorded before the first question counts too.
        routes.ServiceProvider.GetRequiredService<MetricsText>();
        routes.MapGet("/metrics", Metrics).WithName("metrics").ExcludeFromDescription();
        return routes;
    }

    /// <summary>What the process counted and measured since its start, for Prometheus.</summary>
    internal static ContentHttpResult Metrics(MetricsText metrics) => TypedResults.Text(metrics.Write(), MetricsText.ContentType);
}
