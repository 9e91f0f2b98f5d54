namespace SignalHub.Webhooks.Delivery;

/// <summary>What a batch of outcomes says about one endpoint. Pure.</summary>
/// <param name="Succeeded">Whether any try succeeded: what was counted before is void.</param>
/// <param name="Failures">Failures in a row at the end of the batch.</param>
/// <param name="FailedDeliveries">Deliveries among those whose first failed try it was.</param>
/// <param name="FirstFailureAt">Of those.</param>
public sealed record EndpointHealth(
    EndpointKey Endpoint,
    bool Succeeded,
    int Failures,
    int FailedDeliveries,
    DateTimeOffset? FirstFailureAt,
    DateTimeOffset? LastFailureAt,
    DateTimeOffset? LastSuccessAt)
{
    /// <summary>Whether an outcome says something about the receiver: our own troubles do not, and test sends never come here.</summary>
    public static bool IsTold(Completion completion) => completion.Attempt is not null && completion.Error is not (ErrorClass.InternalError or ErrorClass.TemplateError);

    /// <summary>Per endpoint, of those outcomes that say something about it.</summary>
    public static IReadOnlyList<EndpointHealth> Of(IEnumerable<Completion> completions) =>
    [
        .. completions
            .Where(IsTold)
            .GroupBy(c => c.Delivery.Target.Key)
            .Select(g => g.OrderBy(EndedAt).Aggregate(new EndpointHealth(g.Key, false, 0, 0, null, null, null), (health, c) => health.Add(c))),
    ];

    private static DateTimeOffset EndedAt(Completion completion) =>
        completion.Attempt!.StartedAt + TimeSpan.FromMilliseconds(completion.Attempt.DurationMs);

    private EndpointHealth Add(Completion completion)
    {
        var at = EndedAt(completion);
        return completion.Error is null
            ? this with { Succeeded = true, Failures = 0, FailedDeliveries = 0, FirstFailureAt = null, LastSuccessAt = at }
            : this with
            {
                Failures = Failures + 1,
                FailedDeliveries = FailedDeliveries + (completion.Delivery.Step == 0 ? 1 : 0),
                FirstFailureAt = FirstFailureAt ?? at,
                LastFailureAt = at,
            };
    }
}
