using System.Net;

namespace SignalHub.Storage;

/// <summary>
/// The settings of the process, read and checked once at start (<see cref="SettingsReader"/>). Their names are a contract,
/// their defaults stand in <c>appsettings.json</c>.
/// </summary>
public sealed record SignalHubOptions
{
    /// <summary><c>ConnectionStrings:SignalHub</c>; null: PostgreSQL is run by us in the data directory.</summary>
    public required string? ConnectionString { get; init; }

    /// <summary><c>SignalHub:DataDirectory</c>, made absolute: the cluster, generated keys, <c>keys.txt</c>.</summary>
    public required string DataDirectory { get; init; }

    /// <summary><c>SignalHub:PostgresBinaries</c>: a directory with initdb, pg_ctl and postgres; null: look for one.</summary>
    public required string? PostgresBinaries { get; init; }

    /// <summary><c>SignalHub:OperatorKey</c>; null, which only the embedded database allows: generated and kept.</summary>
    public required string? OperatorKey { get; init; }

    /// <summary><c>SignalHub:EncryptionKey</c>, 32 bytes; null, which only the embedded database allows: generated and kept.</summary>
    public required byte[]? EncryptionKey { get; init; }

    /// <summary><c>SignalHub:Demo</c>: whether the first start makes a demo workspace and shows its key.</summary>
    public required bool Demo { get; init; }

    public required WebhookNetworkOptions Webhooks { get; init; }

    public required RateLimitOptions RateLimits { get; init; }

    public required RetentionOptions Retention { get; init; }

    public required RoleOptions Roles { get; init; }

    public SignalTypeOptions SignalTypes { get; init; } = new(SignalTypeOptions.DefaultMaxAuto);

    public bool Embedded => ConnectionString is null;

    /// <summary>No members: three of them are secrets.</summary>
    public override string ToString() => nameof(SignalHubOptions);
}

/// <summary>Where deliveries may go beyond public https addresses.</summary>
/// <param name="AllowedNetworks"><c>Webhooks:AllowedNetworks</c>: networks that the guard lets through.</param>
/// <param name="AllowHttp"><c>Webhooks:AllowHttp</c>: plain http is accepted too.</param>
public sealed record WebhookNetworkOptions(IReadOnlyList<IPNetwork> AllowedNetworks, bool AllowHttp);

/// <summary>What a workspace without limits of its own may send.</summary>
/// <param name="PerMinute"><c>RateLimits:PerMinute</c>: events in any 60 s; 0: unlimited.</param>
/// <param name="PerDay"><c>RateLimits:PerDay</c>: events per UTC day; 0: unlimited.</param>
public sealed record RateLimitOptions(int PerMinute, int PerDay);

/// <summary>How long the delivery log is kept; 0 of anything: without limit.</summary>
/// <param name="AttemptDays"><c>Retention:AttemptDays</c>: tries, with what was sent and answered.</param>
/// <param name="DeliveryDays"><c>Retention:DeliveryDays</c>: deliveries that were delivered, failed or cancelled, after their end.</param>
/// <param name="SkippedDays"><c>Retention:SkippedDays</c>: deliveries that a disabled endpoint missed.</param>
/// <param name="SkippedPerWorkspace"><c>Retention:SkippedPerWorkspace</c>: the newest so many of these.</param>
public sealed record RetentionOptions(int AttemptDays, int DeliveryDays, int SkippedDays, int SkippedPerWorkspace);

/// <summary>Types that signals declare themselves.</summary>
/// <param name="MaxAuto"><c>SignalTypes:MaxAuto</c>: how many a workspace may have; 0: unlimited.</param>
public sealed record SignalTypeOptions(int MaxAuto)
{
    /// <summary>Ten times what a large company tells apart; a sender that puts ids into the type is stopped within a minute or two.</summary>
    public const int DefaultMaxAuto = 1_000;
}

/// <summary>Which work this process does: <c>Roles:Api</c>, <c>Roles:Dispatcher</c>, <c>Roles:Jobs</c>.</summary>
public sealed record RoleOptions(bool Api, bool Dispatcher, bool Jobs);
