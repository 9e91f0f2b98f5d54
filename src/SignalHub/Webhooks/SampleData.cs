using System.Text.Json;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>Made-up <c>data</c> of each event type, in the shape of the real one.</summary>
internal static class SampleData
{
    /// <summary>One example, or none for a type that is not raised yet.</summary>
    public static IReadOnlyList<JsonElement> Of(string eventType, DateTimeOffset now)
    {
        var signal = SampleSignal.Of(now);
        return eventType switch
        {
            WebhookEventTypes.SignalQualified or WebhookEventTypes.Test => [Json(signal)],
            WebhookEventTypes.SignalDetected => [Json(SampleSignal.Detected(now))],
            WebhookEventTypes.LeadCreated or WebhookEventTypes.LeadUpdated => [Json(new LeadView(signal.Lead!, signal.Contact, signal.Account))],
            WebhookEventTypes.AutomationActionTriggered => [Json(Triggered(signal))],
            WebhookEventTypes.EndpointFailing => [Json(Notice(now))],
            WebhookEventTypes.EndpointDisabled => [Json(Notice(now) with { DisabledReason = DisabledReasons.Failing, DisabledAt = now, DisablesAt = null })],
            _ => [],
        };
    }

    /// <summary>This one has no <c>data</c>: it is the whole body.</summary>
    private static ActionTriggered Triggered(SignalData signal) => ActionTriggered.Of(
        Ids.Text(Ids.Automation, Ids.Derive(DateTimeOffset.UnixEpoch, "sample automation", Guid.Empty, Guid.Empty)), "Sample automation", signal.SignalType, signal);

    private static EndpointNotice Notice(DateTimeOffset now) => new(
        Ids.Text(Ids.Endpoint, Ids.Derive(DateTimeOffset.UnixEpoch, "sample endpoint", Guid.Empty, Guid.Empty)), "https://example.com/hooks/signalhub",
        "Sample endpoint", DisabledReason: null, DisabledAt: null, FailingSince: now.AddDays(-3), LastSuccessAt: now.AddDays(-3).AddMinutes(-1),
        LastFailureAt: now.AddMinutes(-1), ConsecutiveFailures: 60, FailedDeliveries: 30, DisablesAt: now.AddDays(2));

    private static JsonElement Json<T>(T data) => JsonSerializer.SerializeToElement(data, Http.Json.Options);
}
