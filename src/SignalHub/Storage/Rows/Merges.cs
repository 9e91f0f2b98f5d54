using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>Two contacts or accounts that were joined.</summary>
public sealed class MergeLogRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public Guid SurvivorId { get; init; }
    public Guid LoserId { get; init; }
    public required string Kind { get; init; }
    public required string Reason { get; init; }
    public JsonElement MovedKeys { get; init; }
    public Guid? SignalId { get; init; }
    public DateTimeOffset MergedAt { get; init; }
    public DateTimeOffset? UndoneAt { get; init; }
}

/// <summary>Two contacts or accounts that may be one.</summary>
public sealed class MergeCandidateRow
{
    public Guid WorkspaceId { get; init; }
    public Guid FirstId { get; init; }
    public Guid SecondId { get; init; }
    public required string Reason { get; init; }
    public Guid? SignalId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Two contacts or accounts that are not one, whatever their keys say.</summary>
public sealed class DoNotMergeRow
{
    public Guid WorkspaceId { get; init; }
    public Guid FirstId { get; init; }
    public Guid SecondId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
