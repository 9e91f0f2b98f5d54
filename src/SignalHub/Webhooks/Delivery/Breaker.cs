namespace SignalHub.Webhooks.Delivery;

/// <summary>What is to be done about an endpoint that keeps failing, beside waiting.</summary>
public enum HealthNotice
{
    None,

    /// <summary>Tell the workspace: it will be disabled if nobody acts.</summary>
    Failing,

    /// <summary>Disable it.</summary>
    Disable,
}

/// <summary>When sends to a failing endpoint are held back, and when it is given up. Pure.</summary>
public static class Breaker
{
    /// <summary>Failed tries in a row from which on only probes go out.</summary>
    public const int OpensAt = 10;

    /// <summary>While it is open, one row per such interval goes out, over all nodes.</summary>
    public static readonly TimeSpan ProbeInterval = TimeSpan.FromMinutes(1);

    /// <summary>How long an endpoint has to fail without a success in between before it is disabled…</summary>
    public static readonly TimeSpan DisableAfter = TimeSpan.FromDays(5);

    /// <summary>…and how many deliveries have to have failed meanwhile: a quiet endpoint's few failures prove nothing.</summary>
    public const int DisableAtFailed = 50;

    /// <summary>The share of both at which a warning is raised.</summary>
    private const int WarningDivisor = 2;

    public static readonly TimeSpan WarnAfter = DisableAfter / WarningDivisor;

    public const int WarnAtFailed = DisableAtFailed / WarningDivisor;

    /// <param name="failingFor">Time since the first failure after the last success.</param>
    /// <param name="failedDeliveries">Deliveries that failed since then, each counted once however often it was tried.</param>
    /// <param name="isWarned">Whether the warning of this failing period was raised.</param>
    public static HealthNotice Judge(TimeSpan failingFor, int failedDeliveries, bool isWarned) => (failingFor, failedDeliveries) switch
    {
        _ when failingFor >= DisableAfter && failedDeliveries >= DisableAtFailed => HealthNotice.Disable,
        _ when failingFor >= WarnAfter && failedDeliveries >= WarnAtFailed && !isWarned => HealthNotice.Failing,
        _ => HealthNotice.None,
    };
}
