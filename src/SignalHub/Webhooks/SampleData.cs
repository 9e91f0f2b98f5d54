using System.Text.Json;

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
            WebhookEventTypes.LeadCreated or WebhookEventTypes.LeadUpdated => [Json(signal.Lead)],
            _ => [],
        };
    }

    private static JsonElement Json<T>(T data) => JsonSerializer.SerializeToElement(data, Http.Json.Options);
}
