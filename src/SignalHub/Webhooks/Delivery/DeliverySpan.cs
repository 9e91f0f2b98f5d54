using System.Diagnostics;
using SignalHub.Storage;
using SignalHub.Telemetry;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// One client span per try. What the schedule sends goes on in the trace of the request that caused the event; a retry or replay
/// that somebody asked for, perhaps weeks later, is a trace of its own with a link to that one. Receivers learn nothing of it: no
/// traceparent is sent (<see cref="WebhookSender"/>).
/// </summary>
internal static class DeliverySpan
{
    // As the conventions have it: the method, and a target of which there are few.
    private const string Name = "POST webhook";

    /// <summary>Null, at the price of a look at a field, unless somebody listens.</summary>
    public static Activity? Begin(ClaimedDelivery delivery)
    {
        if (!Traces.Source.HasListeners())
        {
            return null;
        }
        var cause = ActivityContext.TryParse(delivery.Traceparent, traceState: null, isRemote: true, out var parsed) ? parsed : default;
        var span = cause != default && delivery.Trigger != ClaimedDelivery.TriggerOfSchedule
            ? Traces.Source.StartActivity(ActivityKind.Client, links: [new ActivityLink(cause)], name: Name)
            : Traces.Source.StartActivity(Name, ActivityKind.Client, cause);
        if (span is not null)
        {
            span.SetTag(Traces.SignalId, Ids.Text(Ids.Signal, delivery.SignalId));
            Describe(span, delivery.Target, delivery.Id, delivery.EventId, delivery.EventType, delivery.Attempt);
        }
        return span;
    }

    /// <summary>A test send belongs to the request that asked for it.</summary>
    public static Activity? BeginTest(EndpointTarget target, DeliveryRequest request)
    {
        var span = Traces.Source.StartActivity(Name, ActivityKind.Client);
        if (span is not null)
        {
            Describe(span, target, request.DeliveryId, request.EventId, request.EventType, request.Attempt);
        }
        return span;
    }

    /// <param name="outcome">What became of the delivery: a state, or <c>retried</c>.</param>
    /// <param name="error">One of <see cref="ErrorClass"/>, null when delivered.</param>
    public static void End(Activity? span, int? status, string outcome, string? error)
    {
        if (span is null)
        {
            return;
        }
        span.SetTag(Traces.HttpStatus, status).SetTag(Traces.Outcome, outcome);
        if (error is not null)
        {
            // The class alone: what a receiver answered may hold anything.
            span.SetTag(Traces.ErrorType, error).SetStatus(ActivityStatusCode.Error);
        }
    }

    private static void Describe(Activity span, EndpointTarget target, Guid deliveryId, Guid eventId, string eventType, int attempt)
    {
        span.SetTag(Traces.WorkspaceId, Ids.Text(Ids.Workspace, target.Key.WorkspaceId))
            .SetTag(Traces.EndpointId, Ids.Text(Ids.Endpoint, target.Key.EndpointId))
            .SetTag(Traces.EventId, Ids.Text(Ids.Event, eventId))
            .SetTag(Traces.EventType, eventType)
            .SetTag(Traces.DeliveryId, Ids.Text(Ids.Delivery, deliveryId))
            .SetTag(Traces.Attempt, attempt)
            .SetTag(Traces.HttpMethod, "POST");
        if (attempt > 1)
        {
            span.SetTag(Traces.HttpResend, attempt - 1);
        }
        // Not url.full: the path of many a hook is what keeps strangers out of it.
        if (Uri.TryCreate(target.Url, UriKind.Absolute, out var url))
        {
            span.SetTag(Traces.UrlScheme, url.Scheme).SetTag(Traces.ServerAddress, url.IdnHost).SetTag(Traces.ServerPort, url.Port);
        }
    }
}
