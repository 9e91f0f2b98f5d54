namespace SignalHub.Webhooks.Delivery;

/// <summary>What a batch of outcomes says about one endpoint. Pure.</summary>
/// <param name="Succeeded">Whether any try succeeded: what was counted before is void.</param>
/// <param name="Failures">Failures in a row at the end of the batch.</param>
/// <param name="FirstFailureAt">Of those.</param>
public sealed record EndpointHealth(
    EndpointKey Endpoint,
    bool Succeeded,
    int Failures,
    DateTimeOffset? FirstFailureAt,
    DateTimeOffset? LastFailureAt,
    DateTimeOffset? LastSuccessAt)
{
    /// <summary>
    /// Per endpoint. Troubles of our own say nothing about a receiver and
    /// are left out; test sends never come here.
    /// </summary>
    public static IReadOnlyList<EndpointHealth> Of(IEnumerable<Completion> completions) =>
    [
        .. completions
            .Where(c => c.Attempt is not null && c.Error != ErrorClass.InternalError)
            .GroupBy(c => c.Delivery.Target.Key)
            .Select(g => g.OrderBy(EndedAt).Aggregate(new EndpointHealth(g.Key, false, 0, null, null, null), (health, c) => health.Add(c))),
    ];

    private static DateTimeOffset EndedAt(Completion completion) =>
        completion.Attempt!.StartedAt + TimeSpan.FromMilliseconds(completion.Attempt.DurationMs);

    private EndpointHealth Add(Completion completion)
    {
        var at = EndedAt(completion);
        return completion.Error is null
            ? this with { Succeeded = true, Failures = 0, FirstFailureAt = null, LastSuccessAt = at }
            : this with { Failures = Failures + 1, FirstFailureAt = FirstFailureAt ?? at, LastFailureAt = at };
    }
}
