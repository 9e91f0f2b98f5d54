using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A person.</summary>
public sealed class ContactRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public string? FirstName { get; init; }
    public string? LastName { get; init; }
    public string? Title { get; init; }
    public string? Seniority { get; init; }
    public string? Function { get; init; }
    public string? Phone { get; init; }
    public DateTimeOffset? NamesAt { get; init; }
    public string? Email { get; init; }
    public string? EmailClass { get; init; }
    public string? LinkedinUrl { get; init; }
    public Guid? AccountId { get; init; }
    public DateTimeOffset? AccountAt { get; init; }
    public JsonElement Attributes { get; init; }
    public Guid? MergedInto { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A key that a person is found by.</summary>
public sealed class ContactIdentityRow
{
    public Guid WorkspaceId { get; init; }
    public required string Kind { get; init; }
    public required string Key { get; init; }
    public Guid ContactId { get; init; }
    public required string Display { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A value of a contact or account that a newer one replaced.</summary>
public sealed class ProfileHistoryRow
{
    public Guid WorkspaceId { get; init; }
    public Guid SubjectId { get; init; }
    public Guid Id { get; init; }
    public required string Field { get; init; }
    public string? Value { get; init; }
    public DateTimeOffset ReplacedAt { get; init; }
}
