using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>Routes of the delivery log.</summary>
internal static class DeliveriesApi
{
    /// <summary>Lists deliveries, pending and ended, newest first.</summary>
    /// <param name="endpoint_id">Only of that endpoint.</param>
    /// <param name="state">Only <c>pending</c>, <c>delivered</c>, <c>failed</c>, <c>cancelled</c> or <c>skipped</c>.</param>
    /// <param name="signal_id">Only of events of that signal.</param>
    /// <param name="event">Only of that event type, e.g. <c>signal.qualified</c>.</param>
    internal static async Task<Results<Ok<Page<DeliveryView>>, Problem>> ListDeliveries(
        HttpContext context, Caller caller, PageRequest page, DeliveryLogStore log, string? endpoint_id, string? state, string? signal_id,
        string? @event, CancellationToken cancellationToken)
    {
        var (filter, problem) = ReadFilter(endpoint_id, state, signal_id, @event);
        if (filter is null)
        {
            return problem!;
        }
        var rows = await log.ListAsync(caller.WorkspaceId, filter, page, cancellationToken);
        return TypedResults.Ok(page.ToPage(context, rows, row => (row.CreatedAt, IdOf(row))));
    }

    /// <summary>Shows a delivery with its body and every try.</summary>
    /// <param name="id"><c>dlv_…</c></param>
    internal static async Task<Results<Ok<DeliveryDetailView>, Problem>> GetDelivery(
        Caller caller, string id, DeliveryLogStore log, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Delivery, id, out var deliveryId)
            || await log.FindAsync(caller.WorkspaceId, deliveryId, cancellationToken) is not { } found
            || !Ids.TryParse(Ids.Event, found.EventId, out var eventId))
        {
            return NotFound(id);
        }
        var attempts = await log.AttemptsAsync(caller.WorkspaceId, deliveryId, cancellationToken);
        return TypedResults.Ok(DeliveryDetailView.Of(found, attempts, await log.BodyAsync(caller.WorkspaceId, eventId, cancellationToken)));
    }

    /// <summary>Sends a delivery again under the same ids, now and from the start of its schedule.</summary>
    /// <remarks>Also one that was delivered: the receiver knows it by its <c>webhook-id</c>. Answers before it is sent.</remarks>
    /// <param name="id"><c>dlv_…</c></param>
    internal static async Task<Results<Accepted<DeliveryView>, Problem>> RetryDelivery(
        Caller caller, string id, DeliveryStore deliveries, DeliveryLogStore log, DeliverySignal dispatcher, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Delivery, id, out var deliveryId))
        {
            return NotFound(id);
        }
        switch (await deliveries.RetryAsync(caller.WorkspaceId, deliveryId, cancellationToken))
        {
            case RetryAnswer.NotFound:
                return NotFound(id);
            case RetryAnswer.EndpointDisabled:
                return new Problem(ProblemCodes.EndpointDisabled, "The delivery's endpoint is disabled or deleted: enable it first.");
            case RetryAnswer.InFlight:
                return new Problem(ProblemCodes.Conflict, "The delivery is being sent at this moment: look at its outcome first.");
            default:
                var queued = await log.FindAsync(caller.WorkspaceId, deliveryId, cancellationToken);
                dispatcher.Wake();
                return TypedResults.Accepted($"/webhooks/deliveries/{id}", queued);
        }
    }

    private static (DeliveryFilter? Filter, Problem? Problem) ReadFilter(string? endpoint, string? state, string? signal, string? type)
    {
        if (!TryReadId(Ids.Endpoint, endpoint, out var endpointId))
        {
            return (null, new Problem(ProblemCodes.InvalidQuery, "endpoint_id has to be the id of an endpoint (ep_…)."));
        }
        if (!TryReadId(Ids.Signal, signal, out var signalId))
        {
            return (null, new Problem(ProblemCodes.InvalidQuery, "signal_id has to be the id of a signal (sig_…)."));
        }
        if (!string.IsNullOrEmpty(state) && !DeliveryFilter.States.Contains(state))
        {
            return (null, new Problem(ProblemCodes.InvalidQuery, $"state has to be one of {string.Join(", ", DeliveryFilter.States)}."));
        }
        if (!string.IsNullOrEmpty(type) && !WebhookEventTypes.All.Contains(type))
        {
            return (null, new Problem(ProblemCodes.InvalidQuery, $"event has to be one of {string.Join(", ", WebhookEventTypes.All)}."));
        }
        return (new DeliveryFilter(endpointId, string.IsNullOrEmpty(state) ? null : state, signalId, string.IsNullOrEmpty(type) ? null : type), null);
    }

    /// <summary>An absent or empty parameter is null.</summary>
    private static bool TryReadId(string prefix, string? text, out Guid? id)
    {
        id = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }
        if (!Ids.TryParse(prefix, text, out var read))
        {
            return false;
        }
        id = read;
        return true;
    }

    private static Guid IdOf(DeliveryView row) => Ids.TryParse(Ids.Delivery, row.Id, out var id) ? id : Guid.Empty;

    private static Problem NotFound(string id) => Problem.NotFound($"The delivery {id}");
}
