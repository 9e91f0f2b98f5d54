using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A company.</summary>
public sealed class AccountRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public string? Name { get; init; }
    public DateTimeOffset? NameAt { get; init; }
    public string? Domain { get; init; }
    public JsonElement Facts { get; init; }
    public Guid? MergedInto { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A key that a company is found by.</summary>
public sealed class AccountIdentityRow
{
    public Guid WorkspaceId { get; init; }
    public required string Kind { get; init; }
    public required string Key { get; init; }
    public Guid AccountId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
