using SignalHub.Http;

namespace SignalHub.Workspaces;

/// <summary>What a workspace may send; 0: unlimited.</summary>
/// <param name="PerMinute">Events in any 60 s.</param>
/// <param name="PerDay">Events per UTC day.</param>
public sealed record WorkspaceLimits(int PerMinute, int PerDay);

/// <summary>One quota as it stands.</summary>
/// <param name="Limit">0: unlimited.</param>
/// <param name="Remaining">Events that fit now; meaningless when unlimited.</param>
/// <param name="ResetSeconds">Whole seconds from now until all of it is there again.</param>
public readonly record struct Quota(int Limit, int Remaining, int ResetSeconds)
{
    public bool IsUnlimited => Limit == 0;
}

/// <summary>
/// The answer to a reservation: how many of the events may go in, and the quotas after it. Whoever does not use what was
/// allowed gives it back (<see cref="RateLimiter.GiveBack"/>).
/// </summary>
public readonly record struct Admission
{
    public const string MinutePolicy = "minute";
    public const string DayPolicy = "day";

    /// <summary>Events asked for.</summary>
    public int Requested { get; init; }

    /// <summary>Events that may go in: the first so many of a batch.</summary>
    public int Allowed { get; init; }

    public Quota Minute { get; init; }

    public Quota Day { get; init; }

    /// <summary>The minute's quota did not cover everything.</summary>
    public bool MinuteViolated { get; init; }

    /// <summary>The day's quota did not cover everything.</summary>
    public bool DayViolated { get; init; }

    /// <summary>Whole seconds until one event fits, at least 1; 0 when everything was allowed.</summary>
    public int RetryAfterSeconds { get; init; }

    /// <summary>Where it was taken from; null when nothing limits the workspace.</summary>
    internal WorkspaceShare? Share { get; init; }

    /// <summary>When the ledger began that it was counted in.</summary>
    internal DateTimeOffset Ledger { get; init; }

    internal long Slot { get; init; }

    internal DateOnly Date { get; init; }

    internal bool IsTest { get; init; }

    /// <summary>The 429, when nothing may go in.</summary>
    public Problem? Problem => Requested > 0 && Allowed == 0 ? QuotaExceeded : null;

    /// <summary>The problem of each event that may not go in; null when all may.</summary>
    public Problem? QuotaExceeded => Allowed >= Requested ? null : new Problem(ProblemCodes.QuotaExceeded,
        DayViolated
            ? $"The workspace has used its {Day.Limit} events of this UTC day: send this again in {RetryAfterSeconds} s, or ask the operator for a higher limit."
            : $"The workspace has used its {Minute.Limit} events in 60 seconds: send this again in {RetryAfterSeconds} s.")
    {
        RetryAfterSeconds = RetryAfterSeconds,
        ViolatedPolicies = (MinuteViolated, DayViolated) switch
        {
            (true, true) => [MinutePolicy, DayPolicy],
            (true, false) => [MinutePolicy],
            _ => [DayPolicy],
        },
    };
}
