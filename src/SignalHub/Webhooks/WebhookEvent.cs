using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>Something that happened, frozen as the bytes that are signed and sent.</summary>
/// <param name="Id">Derived from what it is about: replaying it gives the same id, so that receivers can drop doubles.</param>
/// <param name="CreatedAt">The millisecond that the id carries.</param>
/// <param name="Type">A word of <see cref="WebhookEventTypes"/>.</param>
/// <param name="Body">UTF-8 JSON.</param>
public sealed record WebhookEvent(Guid WorkspaceId, Guid Id, DateTimeOffset CreatedAt, string Type, Guid? SignalId, Guid? LeadId, byte[] Body)
{
    /// <summary>What it has beside its body; null: nothing, as most events.</summary>
    public EventExtras? Extras { get; init; }

    /// <summary>Where the tries to deliver it are traced: the W3C traceparent of what caused it, when that is sampled.</summary>
    public string? Traceparent { get; set; }
}

/// <summary>What an automation gives its request beside the body.</summary>
/// <param name="Headers">By name, ready to be sent.</param>
/// <param name="TemplateError">There is nothing to send, because of this: the delivery ends as failed.</param>
public sealed record EventExtras(IReadOnlyDictionary<string, string> Headers, string? TemplateError)
{
    /// <summary>The body is of a template: it goes out as it is, whatever the endpoint's format. Told when the event is written.</summary>
    public bool HasOwnBody { get; init; }
}

/// <summary>An event that one endpoint is to get, or, while it is disabled, that it misses.</summary>
/// <param name="Enabled">False: a history row <c>skipped/endpoint_disabled</c> instead of a place in the queue.</param>
/// <param name="Ordered">Whether it waits for the deliveries of the same lead before it.</param>
/// <param name="Format">A word of <see cref="EndpointFormats"/>.</param>
public sealed record NewDelivery(WebhookEvent Event, Guid EndpointId, Guid Id, bool Enabled, bool Ordered, string Format = EndpointFormats.Json)
{
    /// <summary>The dispatcher of this process sends it as soon as it is written: it is stored as claimed for that long. Null: it waits to be claimed.</summary>
    public TimeSpan? Lease { get; internal set; }

    internal EndpointKey Endpoint => new(Event.WorkspaceId, EndpointId);

    /// <summary>Whether nothing but its body is to be read for sending it.</summary>
    internal bool IsPlain => Enabled && !Ordered && Event.Extras is null && Format == EndpointFormats.Json;

    public static NewDelivery Of(WebhookEvent made, RoutedEndpoint route) => new(
        made, route.Endpoint.Id, IdOf(made.Id, route.Endpoint.Id), route.Enabled, route.Endpoint.Ordered && made.LeadId is not null, route.Endpoint.Format);

    /// <summary>The same for each event and endpoint, and of the event's millisecond.</summary>
    internal static Guid IdOf(Guid eventId, Guid endpointId) => Ids.Combine(eventId, endpointId);
}
