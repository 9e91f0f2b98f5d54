using System.Text.Json;

namespace SignalHub.Webhooks;

/// <summary>A delivery: one event for one endpoint.</summary>
/// <param name="Id"><c>dlv_…</c></param>
/// <param name="EventId"><c>evt_…</c>: the <c>webhook-id</c> of all its tries.</param>
/// <param name="Event">The event's type.</param>
/// <param name="State"><c>pending</c>, <c>delivered</c>, <c>failed</c>, <c>cancelled</c> or <c>skipped</c>.</param>
/// <param name="Reason">Of an end other than delivered: <c>exhausted</c>, <c>endpoint_disabled</c>, <c>gone_410</c>, <c>blocked_address</c>, <c>template_error</c>, <c>erased</c>, <c>cancelled_by_user</c>.</param>
/// <param name="Attempts">Number of the latest try.</param>
/// <param name="NextAttemptAt">Null when it has ended.</param>
/// <param name="LastStatusCode">Of the latest try; null when there was no answer.</param>
/// <param name="LastErrorClass">Of the latest try; null when it delivered.</param>
public record DeliveryView(
    string Id, string EventId, string Event, string EndpointId, string? SignalId, string? LeadId, string State, string? Reason,
    int Attempts, DateTimeOffset? NextAttemptAt, int? LastStatusCode, string? LastErrorClass, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);

/// <summary>A delivery with everything that was sent and answered.</summary>
/// <param name="AttemptLog">Oldest first; kept for 30 days.</param>
/// <param name="Body">What is sent, as JSON; null when it was erased.</param>
public sealed record DeliveryDetailView(
    string Id, string EventId, string Event, string EndpointId, string? SignalId, string? LeadId, string State, string? Reason,
    int Attempts, DateTimeOffset? NextAttemptAt, int? LastStatusCode, string? LastErrorClass, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt,
    IReadOnlyList<AttemptView> AttemptLog, JsonElement? Body)
    : DeliveryView(Id, EventId, Event, EndpointId, SignalId, LeadId, State, Reason, Attempts, NextAttemptAt, LastStatusCode, LastErrorClass,
        CreatedAt, EndedAt)
{
    internal static DeliveryDetailView Of(DeliveryView d, IReadOnlyList<AttemptView> log, JsonElement? body) => new(
        d.Id, d.EventId, d.Event, d.EndpointId, d.SignalId, d.LeadId, d.State, d.Reason, d.Attempts, d.NextAttemptAt, d.LastStatusCode,
        d.LastErrorClass, d.CreatedAt, d.EndedAt, log, body);
}

/// <summary>One HTTP try.</summary>
/// <param name="Trigger"><c>schedule</c>, <c>manual</c> (a retry that was asked for), <c>replay</c> or <c>test</c>.</param>
/// <param name="Attempt">Its number within the delivery: the header <c>X-SignalHub-Attempt</c>.</param>
/// <param name="StatusCode">Null when no complete response head arrived.</param>
/// <param name="ErrorClass">Null when it delivered; else dns_error, connection_refused, connect_timeout, tls_error, timeout, blocked_address, redirect, http_status, response_headers_too_large, template_error, broken_response or internal_error.</param>
/// <param name="ErrorDetail">The error in a sentence.</param>
/// <param name="ResolvedIp">The address that was connected to.</param>
/// <param name="RequestHeaders">As sent, signatures included.</param>
/// <param name="ResponseHeaders">Null when none arrived.</param>
/// <param name="ResponseBody">Its first 16 KB.</param>
/// <param name="ConnectMs">Name look-up and connect; null when an open connection was used.</param>
/// <param name="FirstByteMs">From the start to the complete response head.</param>
/// <param name="NextAttemptAt">When the next try was planned for; null when this was the last.</param>
public record AttemptView(
    DateTimeOffset At, string Trigger, int Attempt, int? StatusCode, string? ErrorClass, string? ErrorDetail, string? ResolvedIp,
    JsonElement RequestHeaders, JsonElement? ResponseHeaders, string? ResponseBody, bool ResponseTruncated,
    double? ConnectMs, double? FirstByteMs, double DurationMs, DateTimeOffset? NextAttemptAt);

/// <summary>A test send: its one try, and where it is kept.</summary>
/// <param name="DeliveryId"><c>dlv_…</c>: <c>GET /webhooks/deliveries/{id}</c> shows what was sent.</param>
/// <param name="State"><c>delivered</c> or <c>failed</c>.</param>
public sealed record TestSendView(
    string DeliveryId, string EventId, string State,
    DateTimeOffset At, string Trigger, int Attempt, int? StatusCode, string? ErrorClass, string? ErrorDetail, string? ResolvedIp,
    JsonElement RequestHeaders, JsonElement? ResponseHeaders, string? ResponseBody, bool ResponseTruncated,
    double? ConnectMs, double? FirstByteMs, double DurationMs, DateTimeOffset? NextAttemptAt)
    : AttemptView(At, Trigger, Attempt, StatusCode, ErrorClass, ErrorDetail, ResolvedIp, RequestHeaders, ResponseHeaders, ResponseBody,
        ResponseTruncated, ConnectMs, FirstByteMs, DurationMs, NextAttemptAt)
{
    internal static TestSendView Of(DeliveryView delivery, AttemptView a) => new(
        delivery.Id, delivery.EventId, delivery.State, a.At, a.Trigger, a.Attempt, a.StatusCode, a.ErrorClass, a.ErrorDetail, a.ResolvedIp,
        a.RequestHeaders, a.ResponseHeaders, a.ResponseBody, a.ResponseTruncated, a.ConnectMs, a.FirstByteMs, a.DurationMs, a.NextAttemptAt);
}
