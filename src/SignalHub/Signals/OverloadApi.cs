using SignalHub.Signals.Intake;

namespace SignalHub.Signals;

/// <summary>
/// While too much waits, signals are refused before anything else is done for them: no key is looked up, no line is logged for each. At three
/// times of what can be stored, two of three requests end here, and what they cost is taken from the third.
/// </summary>
public static class OverloadApi
{
    private static readonly string[] _paths = ["/signals", "/signals/batch", "/v1/signals"];

    /// <summary>To be used before the request log. Requests in another spelling, or with a query, meet the same gate in their route.</summary>
    public static IApplicationBuilder UseOverloadRefusal(this IApplicationBuilder app)
    {
        var gate = app.ApplicationServices.GetRequiredService<IntakeGate>();
        var log = app.ApplicationServices.GetRequiredService<RefusalLog>();
        return app.Use((context, next) =>
        {
            if (gate.IsOpen || !TakesSignals(context.Request))
            {
                return next(context);
            }
            IntakeMetrics.CountRefused();
            log.Count();
            return gate.Refuse().ExecuteAsync(context);
        });
    }

    private static bool TakesSignals(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && !request.QueryString.HasValue && _paths.Contains(request.Path.Value, StringComparer.Ordinal);
}
