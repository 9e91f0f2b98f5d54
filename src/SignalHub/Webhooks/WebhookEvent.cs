using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>Something that happened, frozen as the bytes that are signed and sent.</summary>
/// <param name="Id">Derived from what it is about: replaying it gives the same id, so that receivers can drop doubles.</param>
/// <param name="CreatedAt">The millisecond that the id carries.</param>
/// <param name="Type">A word of <see cref="WebhookEventTypes"/>.</param>
/// <param name="Body">UTF-8 JSON.</param>
public sealed record WebhookEvent(Guid WorkspaceId, Guid Id, DateTimeOffset CreatedAt, string Type, Guid? SignalId, Guid? LeadId, byte[] Body);

/// <summary>An event that one endpoint is to get, or, while it is disabled, that it misses.</summary>
/// <param name="Enabled">False: a history row <c>skipped/endpoint_disabled</c> instead of a place in the queue.</param>
/// <param name="Ordered">Whether it waits for the deliveries of the same lead before it.</param>
public sealed record NewDelivery(WebhookEvent Event, Guid EndpointId, Guid Id, bool Enabled, bool Ordered)
{
    public static NewDelivery Of(WebhookEvent made, RoutedEndpoint route) =>
        new(made, route.Endpoint.Id, IdOf(made.Id, route.Endpoint.Id), route.Enabled, route.Endpoint.Ordered && made.LeadId is not null);

    /// <summary>The same for each event and endpoint, and of the event's millisecond.</summary>
    internal static Guid IdOf(Guid eventId, Guid endpointId) => Ids.Combine(eventId, endpointId);
}
