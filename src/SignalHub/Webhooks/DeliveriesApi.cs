using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>Routes of the delivery log.</summary>
internal static class DeliveriesApi
{
    private static readonly string[] _codeClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"];

    /// <summary>Lists deliveries, pending and ended, newest first.</summary>
    /// <remarks>
    /// Filters add up. What did not arrive, and why: `state=failed,cancelled,skipped` with each delivery's `reason`. Errors and codes
    /// are those of the latest try; every try is in the delivery's own `attempt_log`.
    /// </remarks>
    /// <param name="endpointId">Only of that endpoint (`ep_…`).</param>
    /// <param name="state">Only `pending`, `delivered`, `failed`, `cancelled` or `skipped`; several separated by commas.</param>
    /// <param name="signalId">Only of events of that signal (`sig_…`).</param>
    /// <param name="eventId">Only of that event (`evt_…`).</param>
    /// <param name="event">Only of that event type, e.g. `signal.qualified`.</param>
    /// <param name="codeClass">Only those last answered with such a status: `2xx`, `3xx`, `4xx` or `5xx`.</param>
    /// <param name="errorClass">Only those whose last try failed of that, e.g. `timeout`.</param>
    /// <param name="since">Only of events from that time on: RFC 3339, or a date.</param>
    /// <param name="until">Only of events before that time: RFC 3339, or a date.</param>
    /// <param name="minAttempts">Only those tried at least so often.</param>
    internal static async Task<Results<Ok<Page<DeliveryView>>, Problem>> ListDeliveries(
        HttpContext context, Caller caller, PageRequest page, DeliveryLogStore log, QueryText endpointId, QueryText state, QueryText signalId,
        QueryText eventId, QueryText @event, QueryText codeClass, QueryText errorClass, QueryInstant since, QueryInstant until,
        QueryNumber minAttempts, CancellationToken cancellationToken)
    {
        var notAnEndpoint = ReadId(Ids.Endpoint, "endpoint_id", endpointId, out var endpoint);
        var notASignal = ReadId(Ids.Signal, "signal_id", signalId, out var signal);
        var notAnEvent = ReadId(Ids.Event, "event_id", eventId, out var eventOf);
        var filter = new DeliveryFilter
        {
            EndpointId = endpoint,
            States = [.. (state.Value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? []).Distinct()],
            SignalId = signal,
            EventId = eventOf,
            EventType = @event.Value,
            CodeClass = Array.IndexOf(_codeClasses, codeClass.Value) is var index and >= 0 ? index + 1 : null,
            ErrorClass = errorClass.Value,
            Since = since.Value,
            Until = until.Value,
            MinAttempts = minAttempts.Value,
        };
        if ((notAnEndpoint ?? notASignal ?? notAnEvent ?? Unknown(filter, codeClass.Value)) is { } problem)
        {
            return problem;
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
            || !Ids.TryParse(Ids.Event, found.EventId, out var eventId)
            || !Ids.TryParse(Ids.Endpoint, found.EndpointId, out var endpointId))
        {
            return NotFound(id);
        }
        var attempts = await log.AttemptsAsync(caller.WorkspaceId, deliveryId, cancellationToken);
        return TypedResults.Ok(DeliveryDetailView.Of(found, attempts, await log.BodyAsync(caller.WorkspaceId, eventId, endpointId, cancellationToken)));
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

    /// <summary>Ends a pending delivery: it is not sent any more.</summary>
    /// <remarks>
    /// It ends as `cancelled` with the reason `cancelled_by_user`. Cancelling it again is answered in the same way; one that is being
    /// sent at this moment, or has ended otherwise, is a 409. A retry takes it up again.
    /// </remarks>
    /// <param name="id"><c>dlv_…</c></param>
    internal static async Task<Results<Ok<DeliveryView>, Problem>> CancelDelivery(
        Caller caller, string id, CancelStore deliveries, DeliveryLogStore log, DeliverySignal dispatcher, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Delivery, id, out var deliveryId))
        {
            return NotFound(id);
        }
        if (await deliveries.CancelAsync(caller.WorkspaceId, deliveryId, cancellationToken))
        {
            dispatcher.Wake();
        }
        return await log.FindAsync(caller.WorkspaceId, deliveryId, cancellationToken) switch
        {
            null => NotFound(id),
            { Reason: Ending.ReasonCancelledByUser } cancelled => TypedResults.Ok(cancelled),
            { State: DeliveryFilter.Pending } => new Problem(ProblemCodes.Conflict,
                "The delivery is being sent at this moment: look at its outcome, and cancel it then if it is to be tried again."),
            { State: var state } => new Problem(ProblemCodes.Conflict, $"The delivery has ended already: it is {state}."),
        };
    }

    private static Problem? Unknown(DeliveryFilter filter, string? codeClass)
    {
        static Problem OneOf(string name, IReadOnlyList<string> words) =>
            new(ProblemCodes.InvalidQuery, $"{name} has to be one of {string.Join(", ", words)}.");
        return filter.States.Any(s => !DeliveryFilter.AllStates.Contains(s)) ? OneOf("state", DeliveryFilter.AllStates)
            : filter.EventType is { } type && !WebhookEventTypes.All.Contains(type) ? OneOf("event", WebhookEventTypes.All)
            : filter.ErrorClass is { } error && !ErrorClass.All.Contains(error) ? OneOf("error_class", ErrorClass.All)
            : codeClass is not null && filter.CodeClass is null ? OneOf("code_class", _codeClasses)
            : filter.MinAttempts < 0 ? new Problem(ProblemCodes.InvalidQuery, "min_attempts has to be 0 or more.")
            : null;
    }

    private static Problem? ReadId(string prefix, string name, QueryText given, out Guid? id)
    {
        id = null;
        if (given.Value is not { } text)
        {
            return null;
        }
        if (!Ids.TryParse(prefix, text, out var read))
        {
            return new Problem(ProblemCodes.InvalidQuery, $"{name} must be an id that begins with {prefix}.");
        }
        id = read;
        return null;
    }

    private static Guid IdOf(DeliveryView row) => Ids.TryParse(Ids.Delivery, row.Id, out var id) ? id : Guid.Empty;

    private static Problem NotFound(string id) => Problem.NotFound($"The delivery {id}");
}
