namespace SignalHub.Webhooks;

/// <summary>What an endpoint can be told of: the <c>event</c> of a delivery and the words of an endpoint's <c>events</c>.</summary>
public static class WebhookEventTypes
{
    /// <summary>A live signal matches one of the endpoint's projects; one event for each such project.</summary>
    public const string SignalDetected = "signal.detected";

    /// <summary>A live signal of a type with <c>autoqualify</c> reached the threshold of an ICP.</summary>
    public const string SignalQualified = "signal.qualified";

    /// <summary>The first live signal about somebody.</summary>
    public const string LeadCreated = "lead.created";

    /// <summary>A lead shows another score, ICP, persona or verdict than before.</summary>
    public const string LeadUpdated = "lead.updated";

    public const string AutomationActionTriggered = "automation.action_triggered";

    /// <summary>An endpoint of the workspace has not succeeded for long: it will be disabled if nobody acts.</summary>
    public const string EndpointFailing = "endpoint.failing";

    public const string EndpointDisabled = "endpoint.disabled";

    /// <summary>A test send; goes to the tested endpoint whatever it listens to.</summary>
    public const string Test = "test";

    /// <summary>All of them, in the order in which messages list them.</summary>
    public static IReadOnlyList<string> All { get; } =
        [SignalDetected, SignalQualified, LeadCreated, LeadUpdated, AutomationActionTriggered, EndpointFailing, EndpointDisabled, Test];

    /// <summary>Whether a project's priority can be asked of such an event: it is about one signal.</summary>
    internal static bool IsAboutSignal(string eventType) => eventType is SignalDetected or SignalQualified;
}
