using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Projects;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Operations;

/// <summary>Which signal to hold against the endpoint.</summary>
public sealed record ExplainBody
{
    /// <summary><c>sig_…</c></summary>
    public string? SignalId { get; init; }
}

/// <summary>Why an endpoint hears of a signal, or does not.</summary>
/// <param name="WouldFire">Whether every part matched.</param>
/// <param name="Parts">Each part of the filter, in the order in which they are asked.</param>
/// <param name="Deliveries">What the endpoint got of the signal's events.</param>
public sealed record ExplainView(
    string EndpointId, string SignalId, bool WouldFire, IReadOnlyList<FilterPart> Parts, IReadOnlyList<DeliveryView> Deliveries);

/// <summary>Explains why a stored signal went to an endpoint or did not.</summary>
internal static class ExplainApi
{
    // A signal raises a handful of events, each delivered once.
    private static readonly PageRequest _allDeliveries = new(PageRequest.MaxLimit, null, null);

    /// <summary>Says for each part of an endpoint's filter whether a signal matches it, and on what value.</summary>
    /// <remarks>
    /// The endpoint and the projects as they are set up now, the signal and its scores as they were when it was received; lead, person and company as they are
    /// now. `deliveries` is what became of the signal's events at this endpoint.
    /// </remarks>
    /// <param name="id">`ep_…`</param>
    internal static async Task<Results<Ok<ExplainView>, Problem>> ExplainEndpoint(
        Caller caller, string id, Body<ExplainBody> body, EndpointStore endpoints, StoredSignalStore heads, StoredSignals signals,
        WorkspaceDirectory workspaces, WorkspaceSnapshots<ProjectSet> projects, DeliveryLogStore log, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Endpoint, id, out var endpointId)
            || await endpoints.FindAsync(caller.WorkspaceId, endpointId, cancellationToken) is not { } endpoint)
        {
            return Problem.NotFound($"The webhook endpoint {id}");
        }
        if (body.Value.SignalId is not { Length: > 0 } given)
        {
            return Problem.Field(ProblemCodes.FieldRequired, "/signal_id", "/signal_id: say which signal, e.g. sig_01j4k8m2n3p5q6r7s8t9v0w1x2.");
        }
        if (!Ids.TryParse(Ids.Signal, given, out var signalId))
        {
            return Problem.Field(ProblemCodes.InvalidValue, "/signal_id", "/signal_id: has to be the id of a signal (sig_…).");
        }
        if (await heads.FindAsync(caller.WorkspaceId, signalId, cancellationToken) is not { } head
            || (await signals.LoadAsync(caller.WorkspaceId, [head], cancellationToken)).GetValueOrDefault(signalId) is not { } signal)
        {
            return Problem.NotFound($"The signal {given}");
        }
        var why = head.WhyItFiresNothing((await workspaces.GetAsync(caller.WorkspaceId)).FireMaxAge);
        var matched = StoredProjects.Match(await projects.GetAsync(caller.WorkspaceId), signal);
        string[] events = why is not null ? [] : await EventsOfAsync(caller.WorkspaceId, head, matched.Count > 0, heads, log, cancellationToken);
        var parts = FilterExplanation.Of(
            Endpoint.Of(endpoint.Id, endpoint.Enabled, endpoint.Ordered, endpoint.Events, endpoint.Filter), endpoint.Filter,
            new RoutingInput("", head.TypeKey, head.Source, signal.Facts, matched), events,
            why ?? "The signal did not qualify, changed no lead and matches no project, so it raised no event.");
        var deliveries = await log.ListAsync(caller.WorkspaceId, new DeliveryFilter { EndpointId = endpointId, SignalId = signalId }, _allDeliveries, cancellationToken);
        return TypedResults.Ok(new ExplainView(
            Ids.Text(Ids.Endpoint, endpointId), Ids.Text(Ids.Signal, signalId), parts.All(p => p.Matched), parts, deliveries));
    }

    private static async Task<string[]> EventsOfAsync(
        Guid workspaceId, SignalHead signal, bool isDetected, StoredSignalStore heads, DeliveryLogStore log, CancellationToken cancellationToken)
    {
        var leadEvent = await heads.LeadChangeAsync(workspaceId, signal, cancellationToken) switch
        {
            LeadChange.Created => WebhookEventTypes.LeadCreated,
            LeadChange.Updated => WebhookEventTypes.LeadUpdated,
            _ => null,
        };
        var qualified = signal is { Autoqualify: true, Qualified: true } ? WebhookEventTypes.SignalQualified : null;
        var detected = isDetected ? WebhookEventTypes.SignalDetected : null;
        // An automation that fires has a delivery, whoever else listens.
        var ofAutomations = new DeliveryFilter { SignalId = signal.Id, EventType = WebhookEventTypes.AutomationActionTriggered };
        var automated = await log.ListAsync(workspaceId, ofAutomations, new PageRequest(1, null, null), cancellationToken) is { Count: > 0 }
            ? WebhookEventTypes.AutomationActionTriggered
            : null;
        return [.. new[] { leadEvent, qualified, detected, automated }.OfType<string>()];
    }
}
