using System.Text.Json;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>
/// Makes events: <c>{"event": …, "id": "evt_…", "created_at": …, "data": {…}}</c>. Pure; the same signal gives the same
/// bytes and ids.
/// </summary>
public static class WebhookEvents
{
    /// <summary><c>signal.qualified</c>: the signal as it is read, with lead, account and contact.</summary>
    public static WebhookEvent SignalQualified(Guid workspaceId, Guid signalId, Guid? leadId, SignalData data)
    {
        var id = IdOf(WebhookEventTypes.SignalQualified, workspaceId, signalId, data.ReceivedAt);
        return Make(workspaceId, id, WebhookEventTypes.SignalQualified, signalId, leadId, data);
    }

    /// <summary>
    /// <c>signal.detected</c>: a signal for one project that it matches. Its body has no envelope: it is exactly what receivers of
    /// the Siggnal webhook read.
    /// </summary>
    public static WebhookEvent SignalDetected(Guid workspaceId, DateTimeOffset receivedAt, Guid signalId, Guid? leadId, Guid projectId, DetectedSignal data)
    {
        var id = DetectedId(workspaceId, signalId, projectId, receivedAt);
        return new WebhookEvent(
            workspaceId, id, Ids.InstantOf(id), WebhookEventTypes.SignalDetected, signalId, leadId, JsonSerializer.SerializeToUtf8Bytes(data, Json.Options));
    }

    /// <summary><c>lead.created</c> or <c>lead.updated</c>: the lead as it is after the signal.</summary>
    /// <param name="receivedAt">When the signal was received.</param>
    public static WebhookEvent Lead(string type, Guid workspaceId, DateTimeOffset receivedAt, Guid signalId, Guid leadId, LeadView data) =>
        Make(workspaceId, IdOf(type, workspaceId, signalId, receivedAt), type, signalId, leadId, data);

    /// <summary><c>endpoint.failing</c> or <c>endpoint.disabled</c>: about an endpoint, for the workspace's others.</summary>
    public static WebhookEvent Endpoint(string type, Guid workspaceId, Guid endpointId, DateTimeOffset now, EndpointNotice data) =>
        Make(workspaceId, IdOf(type, workspaceId, endpointId, now), type, null, null, data);

    /// <summary>
    /// <c>test</c>: a made-up signal in the shape of a real one; that of <c>signal.detected</c> for whoever listens to it. Each call
    /// is another event.
    /// </summary>
    public static WebhookEvent Test(Guid workspaceId, DateTimeOffset now, IReadOnlyList<string> events)
    {
        var id = Ids.New(now);
        return events.Contains(WebhookEventTypes.SignalDetected)
            ? new WebhookEvent(workspaceId, id, Ids.InstantOf(id), WebhookEventTypes.Test, null, null,
                JsonSerializer.SerializeToUtf8Bytes(SampleSignal.Detected(Timestamps.Truncate(now)), Json.Options))
            : Make(workspaceId, id, WebhookEventTypes.Test, null, null, SampleSignal.Of(now));
    }

    /// <summary>The id of the event about a signal or an endpoint: the same whenever it is asked for.</summary>
    internal static Guid IdOf(string type, Guid workspaceId, Guid subjectId, DateTimeOffset receivedAt) =>
        Ids.Derive(receivedAt, type, workspaceId, subjectId);

    /// <summary>The same of <c>signal.detected</c>, of which a signal has one for each project.</summary>
    internal static Guid DetectedId(Guid workspaceId, Guid signalId, Guid projectId, DateTimeOffset receivedAt) =>
        Ids.Derive(receivedAt, WebhookEventTypes.SignalDetected, workspaceId, signalId, projectId);

    private static WebhookEvent Make<T>(Guid workspaceId, Guid id, string type, Guid? signalId, Guid? leadId, T data)
    {
        var createdAt = Ids.InstantOf(id);
        using var json = JsonText.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteString("event", type);
        writer.WriteString("id", Ids.Text(Ids.Event, id));
        writer.WriteString("created_at", Json.Instant(createdAt));
        writer.WritePropertyName("data");
        JsonSerializer.Serialize(writer, data, Json.Options);
        writer.WriteEndObject();
        return new WebhookEvent(workspaceId, id, createdAt, type, signalId, leadId, json.Utf8.ToArray());
    }
}
