using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>What the workspace knows of a person, or of a company when no person is known.</summary>
public sealed class LeadRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public Guid? ContactId { get; init; }
    public Guid? AccountId { get; init; }
    public Guid? MergedInto { get; init; }
    public string? IcpCode { get; init; }
    public short? IcpScore { get; init; }
    public string? PersonaCode { get; init; }
    public short? PersonaScore { get; init; }
    public bool? Qualified { get; init; }
    public DateTimeOffset? FirstQualifiedAt { get; init; }
    public Guid? ScoredSignalId { get; init; }
    public DateTimeOffset? ScoredOccurredAt { get; init; }
    public string? Qualification { get; init; }
    public long SignalCount { get; init; }
    public string? FirstSource { get; init; }
    public string? LastSource { get; init; }
    public JsonElement BySource { get; init; }
    public DateTimeOffset? FirstSignalAt { get; init; }
    public DateTimeOffset? LastSignalAt { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An account with leads that are still to be scored again.</summary>
public sealed class RescoreRow
{
    public Guid WorkspaceId { get; init; }
    public Guid AccountId { get; init; }
    public Guid AfterLeadId { get; init; }
    public DateTimeOffset RequestedAt { get; init; }
}
