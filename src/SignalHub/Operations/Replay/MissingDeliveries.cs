using SignalHub.Webhooks;
using SignalHub.Workspaces;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Operations.Replay;

/// <summary>
/// Finds the events of signals that an endpoint would get as it is set up now and has no delivery of. An event that nobody
/// listened to was never written; <c>signal.qualified</c> is made again from the stored signal, with the same id. What a lead was
/// like at some signal is not kept, so a lead's events are found only where another endpoint got them.
/// </summary>
internal sealed class MissingDeliveries(ReplayStore store, StoredSignals signals, WorkspaceDirectory workspaces)
{
    // Of one signal each; signal.detected has one event for each project.
    private static readonly string[] _replayed = [WebhookEventTypes.LeadCreated, WebhookEventTypes.LeadUpdated, WebhookEventTypes.SignalQualified];

    /// <param name="page">Live signals.</param>
    /// <param name="withBodies">False to count: bodies are left out.</param>
    public async Task<IReadOnlyList<MissingDelivery>> FindAsync(
        Guid workspaceId, Endpoint endpoint, IReadOnlyList<SignalHead> page, bool withBodies, CancellationToken cancellationToken)
    {
        string[] types = [.. _replayed.Intersect(endpoint.Events)];
        var candidates = (from signal in page
                          from type in types
                          let id = WebhookEvents.IdOf(type, workspaceId, signal.Id, signal.ReceivedAt)
                          select (Signal: signal, Type: type, EventId: id, DeliveryId: NewDelivery.IdOf(id, endpoint.Id))).ToList();
        if (candidates.Count == 0)
        {
            return [];
        }
        var fireMaxAge = (await workspaces.GetAsync(workspaceId)).FireMaxAge;
        var known = await store.KnownAsync(workspaceId, [.. candidates.Select(c => (c.EventId, c.DeliveryId))], cancellationToken);
        candidates.RemoveAll(c => known[c.EventId].HasDelivery
            || !(known[c.EventId].IsStored || (c.Type == WebhookEventTypes.SignalQualified && Fires(c.Signal, fireMaxAge)))
            // Without conditions first: what these leave out need not be read.
            || !EventRouter.Matches(endpoint, new RoutingInput(c.Type, c.Signal.TypeKey, c.Signal.Source, null)));
        var hasCondition = endpoint.When is not null || endpoint.HasBrokenCondition;
        var needed = candidates.Where(c => hasCondition || (withBodies && !known[c.EventId].IsStored)).Select(c => c.Signal).Distinct().ToList();
        var stored = await signals.LoadAsync(workspaceId, needed, cancellationToken);
        var missing = new List<MissingDelivery>();
        foreach (var (signal, type, eventId, deliveryId) in candidates)
        {
            var read = stored.GetValueOrDefault(signal.Id);
            if (hasCondition && (read is null || !EventRouter.Matches(endpoint, new RoutingInput(type, signal.TypeKey, signal.Source, read.Facts))))
            {
                continue;
            }
            var isStored = known[eventId].IsStored;
            var leadId = isStored ? known[eventId].LeadId : signal.LeadId;
            var body = isStored || !withBodies ? null : WebhookEvents.SignalQualified(workspaceId, signal.Id, leadId, read!.Data).Body;
            missing.Add(new MissingDelivery(eventId, deliveryId, type, signal.Id, leadId, body));
        }
        return missing;
    }

    /// <summary>Whether the signal raised <c>signal.qualified</c>, heard or not.</summary>
    private static bool Fires(SignalHead signal, TimeSpan? fireMaxAge) =>
        signal is { IsTest: false, Backfill: false, Autoqualify: true, Qualified: true }
        && (fireMaxAge is not { } age || signal.ReceivedAt - signal.OccurredAt <= age);
}
