using System.Text.Json.Serialization;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>A webhook endpoint as shown everywhere.</summary>
/// <param name="Id"><c>ep_…</c></param>
/// <param name="Format"><c>json</c> or <c>slack</c>.</param>
/// <param name="Schedule">Seconds before each retry, when <c>retry_policy</c> is <c>custom</c>.</param>
/// <param name="DisabledReason"><c>by_user</c>; <c>gone_410</c>: the receiver answered 410; <c>failing</c>: no success for five days. Null while enabled.</param>
/// <param name="ConsecutiveFailures">Failed tries since the last success.</param>
/// <param name="FailingSince">The first failure after the last success.</param>
/// <param name="LastSuccessAt">May be ten seconds behind.</param>
/// <param name="PreviousSecretExpiresAt">Until then the secret before the last rotation signs too.</param>
/// <param name="Origin"><c>api</c>, or <c>hook</c>: made by <c>POST /hooks</c>, and deleted when its receiver answers 410; or <c>automation</c>: it is the URL of an automation.</param>
/// <param name="Warnings">What is valid in <c>filter.when</c> but probably not meant.</param>
public record EndpointView(
    string Id, string Url, string? Description, IReadOnlyList<string> Events, string SignatureHeader, string Format, EndpointFilter Filter,
    int TimeoutSeconds, string RetryPolicy, IReadOnlyList<int>? Schedule, int? MaxPerSecond, bool Ordered,
    bool Enabled, string? DisabledReason, DateTimeOffset? DisabledAt,
    int ConsecutiveFailures, DateTimeOffset? FailingSince, DateTimeOffset? LastSuccessAt, DateTimeOffset? LastFailureAt,
    DateTimeOffset? PreviousSecretExpiresAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string Origin, IReadOnlyList<ConditionFault> Warnings)
{
    /// <summary>The signing secret: only in the answers that make or replace it, and never again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    /// <summary>Only in the answer that enables an endpoint again: how many events it missed in the last 30 days (at most 1,000,000).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Skipped { get; init; }

    internal static EndpointView Of(StoredEndpoint endpoint, DateTimeOffset now)
    {
        var condition = endpoint.Filter.When is { } text ? Condition.Compile(text, ConditionScopes.Routing) : null;
        return new EndpointView(
            Ids.Text(Ids.Endpoint, endpoint.Id), endpoint.Url, endpoint.Description, endpoint.Events, endpoint.SignatureHeader, endpoint.Format, endpoint.Filter,
            endpoint.TimeoutSeconds, endpoint.RetryPolicy, endpoint.Schedule, endpoint.MaxPerSecond, endpoint.Ordered,
            endpoint.Enabled, endpoint.DisabledReason, endpoint.DisabledAt,
            endpoint.ConsecutiveFailures, endpoint.FailingSince, endpoint.LastSuccessAt, endpoint.LastFailureAt,
            endpoint.PreviousSecretUntil > now ? endpoint.PreviousSecretUntil : null, endpoint.CreatedAt, endpoint.UpdatedAt, endpoint.Origin,
            condition is null ? [] : [.. condition.Errors.Concat(condition.Condition?.Warnings ?? []).Select(Fault)]);
    }

    internal static ConditionFault Fault(ConditionError error) => new(
        "/filter/when", error.Code, error.Detail, error.Start, error.End, error.Line, error.Column, error.Snippet, error.Hint, error.Expected);
}
