using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A tenant.</summary>
public sealed class WorkspaceRow
{
    public Guid Id { get; init; }
    public required string Name { get; init; }
    public JsonElement Settings { get; init; }
    public int? PerMinute { get; init; }
    public int? PerDay { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public long Version { get; init; }
    public DateTimeOffset ChangedAt { get; init; }
}

/// <summary>A key of a workspace; the key itself is stored nowhere.</summary>
public sealed class ApiKeyRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public required string Name { get; init; }
    public required string Prefix { get; init; }
    public required byte[] Hash { get; init; }
    public required string[] Scopes { get; init; }
    public required string Mode { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }
    public Guid? RotatedTo { get; init; }
    public DateTimeOffset? LastUsedAt { get; init; }
}

/// <summary>A key that secrets are encrypted with, itself encrypted. Of the installation, not of a workspace.</summary>
public sealed class DataProtectionKeyRow
{
    public required string Id { get; init; }
    public required string Xml { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Events of ten seconds.</summary>
public sealed class UsageBatchRow
{
    public Guid WorkspaceId { get; set; }
    public DateTimeOffset Slot { get; set; }
    public long Events { get; set; }
    public long CountedToday { get; set; }
}

public sealed class UsageSlotRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset Slot { get; init; }
    public long Events { get; init; }
}

/// <summary>Events of a UTC day.</summary>
public sealed class UsageDayRow
{
    public Guid WorkspaceId { get; init; }
    public DateOnly Day { get; init; }
    public long Events { get; init; }
}

/// <summary>What the nodes know together of a workspace's usage.</summary>
public sealed class UsageLedgerRow
{
    public Guid WorkspaceId { get; init; }
    public long Version { get; init; }
    public required byte[] Ledger { get; init; }
    public DateTimeOffset WrittenAt { get; init; }
}
