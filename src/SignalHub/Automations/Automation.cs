using System.Collections.Frozen;
using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Webhooks;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Automations;

/// <summary>An automation ready to be asked and to fire. Immutable.</summary>
public sealed class Automation
{
    private readonly Lazy<ActionTemplates>? _templates;

    /// <param name="stored">Its row.</param>
    /// <param name="target">Its endpoint, enabled or not; null: it was deleted.</param>
    internal Automation(StoredAutomation stored, Endpoint? target)
    {
        Stored = stored;
        Target = target;
        IdText = Ids.Text(Ids.Automation, stored.Id);
        SignalTypes = stored.SignalTypes.Count == 0 ? null : stored.SignalTypes.ToFrozenSet(StringComparer.Ordinal);
        When = stored.When is { } text ? Condition.Compile(text, ConditionScopes.Routing).Condition : null;
        HasBrokenCondition = stored.When is not null && When is null;
        Period = stored.LimitHours is { } hours ? TimeSpan.FromHours(hours) : null;
        // Most never fire between two changes of the workspace.
        _templates = stored.BodyTemplate is null && stored.Headers.Count == 0 ? null : new(() => new ActionTemplates(stored.BodyTemplate, stored.Headers));
    }

    public Guid Id => Stored.Id;

    /// <summary><c>auto_…</c></summary>
    public string IdText { get; }

    /// <summary>Keys of signal types; null: any.</summary>
    public FrozenSet<string>? SignalTypes { get; }

    public Condition? When { get; }

    /// <summary>The stored condition was valid once and no longer compiles: the automation fires nothing until it is changed.</summary>
    public bool HasBrokenCondition { get; }

    /// <summary>At most once for a lead in this time; null: once for each signal.</summary>
    public TimeSpan? Period { get; }

    internal StoredAutomation Stored { get; }

    internal Endpoint? Target { get; }

    /// <summary>Whether signals are held against it at all.</summary>
    internal bool IsLive => Stored.Enabled && !HasBrokenCondition;

    /// <summary>Whether its endpoint gets something that others who listen to automations do not.</summary>
    internal bool IsCustom => _templates is not null;

    /// <summary>The event that everybody can read: the usual body.</summary>
    internal WebhookEvent StandardEvent(TriggeringSignal signal)
    {
        var id = Ids.Derive(signal.Data.ReceivedAt, WebhookEventTypes.AutomationActionTriggered, signal.WorkspaceId, signal.SignalId, Id);
        return Event(signal, id, StandardBody(signal), null);
    }

    /// <summary>The event as its own templates make it, for its own endpoint.</summary>
    internal WebhookEvent CustomEvent(TriggeringSignal signal)
    {
        var id = Ids.Derive(signal.Data.ReceivedAt, WebhookEventTypes.AutomationActionTriggered + " by template", signal.WorkspaceId, signal.SignalId, Id);
        var (body, headers, error) = Render(signal);
        return Event(signal, id, body, new EventExtras(headers, error) { HasOwnBody = Stored.BodyTemplate is not null });
    }

    /// <summary>What would be sent; a failed template shows its error instead of a body.</summary>
    internal (byte[] Body, IReadOnlyDictionary<string, string> Headers, string? Error) Render(TriggeringSignal signal)
    {
        if (_templates is null)
        {
            return (StandardBody(signal), new Dictionary<string, string>(), null);
        }
        var (body, headers, error) = _templates.Value.Render(signal.Values(_templates.Value.Wanted, this));
        return error is not null
            ? (JsonSerializer.SerializeToUtf8Bytes(new FailedBody(ActionTriggered.EventType, IdText, error), Http.Json.Options), headers, error)
            : (body ?? StandardBody(signal), headers, null);
    }

    private byte[] StandardBody(TriggeringSignal signal) => JsonSerializer.SerializeToUtf8Bytes(
        ActionTriggered.Of(IdText, Stored.Name, signal.TypeSent, signal.Data), Http.Json.Options);

    private static WebhookEvent Event(TriggeringSignal signal, Guid id, byte[] body, EventExtras? extras) => new(
        signal.WorkspaceId, id, Ids.InstantOf(id), WebhookEventTypes.AutomationActionTriggered, signal.SignalId, signal.LeadId, body)
    {
        Extras = extras,
    };

    /// <summary>Kept in the place of a body that could not be made; never sent.</summary>
    private sealed record FailedBody(string Event, string AutomationId, string TemplateError);
}

/// <summary>A signal as automations and their templates look at it. Made once for a signal, and only if something fires.</summary>
/// <param name="TypeSent">The signal's type as its sender spelled it.</param>
public sealed record TriggeringSignal(Guid WorkspaceId, Guid SignalId, string TypeSent, Guid? LeadId, SignalData Data, ConditionInput Facts)
{
    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);

    /// <summary>Values of those roots, each made once for the signal, but for the automation's own.</summary>
    internal IReadOnlyDictionary<string, JsonElement> Values(IReadOnlyList<string> wanted, Automation automation)
    {
        SignalHub.Webhooks.Templates.SignalValues.AddTo(_values, wanted, Data, Facts);
        _values[ActionTemplates.AutomationRoot] = JsonSerializer.SerializeToElement(new { id = automation.IdText, name = automation.Stored.Name }, Http.Json.Options);
        return _values;
    }
}
