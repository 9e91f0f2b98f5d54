namespace SignalHub.Webhooks;

/// <summary>The <c>data</c> of <c>endpoint.failing</c> and <c>endpoint.disabled</c>: which endpoint, and what is known of its trouble.</summary>
/// <param name="Id"><c>ep_…</c></param>
/// <param name="DisabledReason">A word of <see cref="DisabledReasons"/>; null while it is only failing.</param>
/// <param name="FailingSince">The first failed try after the last success.</param>
/// <param name="LastSuccessAt">May be ten seconds behind; null: never.</param>
/// <param name="ConsecutiveFailures">Failed tries since the last success.</param>
/// <param name="FailedDeliveries">Deliveries that failed since then, each counted once.</param>
/// <param name="DisablesAt">Of a warning: from then on it is disabled, should it go on failing.</param>
public sealed record EndpointNotice(
    string Id, string Url, string? Description, string? DisabledReason, DateTimeOffset? DisabledAt, DateTimeOffset? FailingSince,
    DateTimeOffset? LastSuccessAt, DateTimeOffset? LastFailureAt, int ConsecutiveFailures, int FailedDeliveries, DateTimeOffset? DisablesAt);

/// <summary>Words of an endpoint's <c>disabled_reason</c> that the dispatcher writes.</summary>
internal static class DisabledReasons
{
    /// <summary>It answered 410.</summary>
    public const string Gone = "gone_410";

    /// <summary>No success for days, see <see cref="Delivery.Breaker"/>.</summary>
    public const string Failing = "failing";
}
