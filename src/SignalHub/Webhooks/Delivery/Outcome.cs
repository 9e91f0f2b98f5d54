namespace SignalHub.Webhooks.Delivery;

public enum Verdict
{
    Delivered,

    /// <summary>Failed; the schedule decides whether there is another try.</summary>
    Failed,

    /// <summary>410: the receiver wants nothing more at that address.</summary>
    Gone,

    /// <summary>The guard refused the address: trying again is no use until somebody changes the endpoint or the settings.</summary>
    Blocked,
}

/// <summary>What a try means, by the outcomes table of the specification.</summary>
/// <param name="Error">One of <see cref="ErrorClass"/>, null when delivered.</param>
/// <param name="MayAskForTime">Whether the receiver's <c>Retry-After</c> counts.</param>
public sealed record Outcome(Verdict Verdict, string? Error = null, string? Detail = null, bool MayAskForTime = false)
{
    private static readonly Outcome Delivered = new(Verdict.Delivered);

    public static Outcome Of(AttemptResult attempt) => attempt switch
    {
        { Error: ErrorClass.BlockedAddress } => new Outcome(Verdict.Blocked, attempt.Error, attempt.Detail),
        // 410 stands with its head alone: that its body broke off changes nothing about it.
        { Status: 410 } => new Outcome(Verdict.Gone, ErrorClass.HttpStatus, "Answered 410: the receiver no longer wants these events."),
        { Error: not null } => new Outcome(Verdict.Failed, attempt.Error, attempt.Detail, AsksForTime(attempt.Status)),
        { Status: >= 200 and <= 299 } => Delivered,
        { Status: >= 300 and <= 399 } => new Outcome(Verdict.Failed, ErrorClass.Redirect, attempt.Location is { } location
            ? $"Answered {attempt.Status} with the new location {location}. Redirects are not followed: change the endpoint's URL."
            : $"Answered {attempt.Status} without a location. Redirects are not followed."),
        _ => new Outcome(Verdict.Failed, ErrorClass.HttpStatus, $"Answered {attempt.Status}.", AsksForTime(attempt.Status)),
    };

    private static bool AsksForTime(int? status) => status is 429 or 502 or 503 or 504;
}

/// <summary>The state a delivery ends in and why: <c>delivery_history.state</c> and <c>reason</c>.</summary>
public sealed record Ending(string State, string? Reason)
{
    public const string ReasonCancelledByUser = "cancelled_by_user";

    public static readonly Ending Delivered = new("delivered", null);
    public static readonly Ending Exhausted = new("failed", "exhausted");
    public static readonly Ending Gone = new("failed", "gone_410");
    public static readonly Ending Blocked = new("failed", "blocked_address");
    public static readonly Ending Erased = new("cancelled", "erased");
    public static readonly Ending CancelledByUser = new("cancelled", ReasonCancelledByUser);
    public static readonly Ending EndpointDisabled = new("skipped", "endpoint_disabled");
}

/// <summary>What becomes of a delivery after a try: it ends, or there is another try after the delay.</summary>
public sealed record NextStep(Ending? Ending, TimeSpan? Delay)
{
    /// <param name="step">The position in the schedule of the try that was made, from 0.</param>
    /// <param name="random">In [0, 1), for the jitter.</param>
    public static NextStep After(Outcome outcome, RetrySchedule schedule, int step, double random, TimeSpan? retryAfter)
    {
        Ending? ending = outcome.Verdict switch
        {
            Verdict.Delivered => Ending.Delivered,
            Verdict.Gone => Ending.Gone,
            Verdict.Blocked => Ending.Blocked,
            _ => null,
        };
        if (ending is not null)
        {
            return new NextStep(ending, null);
        }
        var delay = schedule.DelayAfter(step, random, outcome.MayAskForTime ? retryAfter : null);
        return delay is null ? new NextStep(Ending.Exhausted, null) : new NextStep(null, delay);
    }
}
