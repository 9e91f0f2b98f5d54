using System.Text.Json.Serialization;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Automations;

/// <summary>An automation as shown everywhere.</summary>
/// <param name="Id"><c>auto_…</c></param>
/// <param name="Limit">Null: it fires once for each signal.</param>
/// <param name="Warnings">What is valid in <c>when</c> but probably not meant; an error here means that it no longer compiles and fires nothing.</param>
public sealed record AutomationView(
    string Id, string Name, string? Description, AutomationTriggerBody Trigger, string? When, AutomationActionView Action, AutomationLimitBody? Limit,
    bool Enabled, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<ConditionFault> Warnings)
{
    internal static AutomationView Of(StoredAutomation stored, AutomationTarget? target)
    {
        var condition = stored.When is { } text ? Condition.Compile(text, ConditionScopes.Routing) : null;
        return new AutomationView(
            Ids.Text(Ids.Automation, stored.Id), stored.Name, stored.Description, new AutomationTriggerBody { SignalTypes = stored.SignalTypes }, stored.When,
            AutomationActionView.Of(stored, target), AutomationEditor.LimitOf(stored), stored.Enabled, stored.CreatedAt, stored.UpdatedAt,
            condition is null ? [] : [.. condition.Errors.Concat(condition.Condition?.Warnings ?? []).Select(Fault)]);
    }

    internal static ConditionFault Fault(ConditionError error) => new(
        "/when", error.Code, error.Detail, error.Start, error.End, error.Line, error.Column, error.Snippet, error.Hint, error.Expected);
}

/// <summary>What an automation does.</summary>
/// <param name="EndpointId">The endpoint of the workspace that it sends to; null when it has a URL of its own.</param>
/// <param name="Url">Its own URL.</param>
/// <param name="OwnedEndpointId">
/// <c>ep_…</c> of its own URL: not in the list of endpoints, but <c>/webhooks/endpoints/{id}</c> shows its health, tests it and rotates its
/// secret, and the delivery log has its deliveries.
/// </param>
/// <param name="EndpointState"><c>enabled</c>, <c>disabled</c> (deliveries are skipped) or <c>deleted</c> (nothing is sent).</param>
public sealed record AutomationActionView(
    string Type, string? EndpointId, string? Url, string? SignatureHeader, string? OwnedEndpointId, string EndpointState, string? EndpointDisabledReason,
    IReadOnlyDictionary<string, string> Headers, string? BodyTemplate)
{
    /// <summary>The signing secret: only in the answers that make or replace it, and never again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    internal static AutomationActionView Of(StoredAutomation stored, AutomationTarget? target)
    {
        var endpoint = Ids.Text(Ids.Endpoint, stored.EndpointId);
        var own = stored.OwnsEndpoint ? target : null;
        return new AutomationActionView(
            AutomationActions.Webhook, stored.OwnsEndpoint ? null : endpoint, own?.Url, own?.SignatureHeader, stored.OwnsEndpoint ? endpoint : null,
            target is null ? "deleted" : target.Enabled ? "enabled" : "disabled", target?.DisabledReason, stored.Headers, stored.BodyTemplate);
    }
}

/// <summary>What an automation did on a signal that met its trigger and condition.</summary>
/// <param name="At">When the signal was received.</param>
/// <param name="Fired">Whether there is a delivery.</param>
/// <param name="Outcome"><c>fired</c>, <c>template_error</c>, <c>limit_reached</c> or <c>no_endpoint</c>.</param>
/// <param name="Detail">Why, unless it simply fired.</param>
/// <param name="DeliveryId"><c>dlv_…</c>: what became of it is in the delivery log.</param>
public sealed record AutomationRunView(
    DateTimeOffset At, string SignalId, string? LeadId, bool Fired, string Outcome, string? Detail, string? EventId, string? DeliveryId)
{
    internal static AutomationRunView Of(AutomationRun run) => new(
        run.At, Ids.Text(Ids.Signal, run.SignalId), Ids.Text(Ids.Lead, run.LeadId), run.DeliveryId is not null, run.Outcome, run.Detail,
        Ids.Text(Ids.Event, run.EventId), Ids.Text(Ids.Delivery, run.DeliveryId));
}
