using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>One event as received.</summary>
public sealed class SignalRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset OccurredAt { get; init; }
    public Guid Id { get; init; }
    public DateTimeOffset ReceivedAt { get; init; }
    public required string TypeKey { get; init; }
    public string? TypeSent { get; init; }
    public required string Source { get; init; }
    public string? EventName { get; init; }
    public string? Bucket { get; init; }
    public required string Mode { get; init; }
    public bool Backfill { get; init; }
    public bool Autoqualify { get; init; }
    public JsonElement Identity { get; init; }
    public JsonElement Context { get; init; }
    public long PayloadHash { get; init; }
    public Guid? ContactId { get; init; }
    public Guid? AccountId { get; init; }
    public Guid? LeadId { get; init; }
    public bool? Qualified { get; init; }
    public string? IcpCode { get; init; }
    public short? IcpScore { get; init; }
    public string? PersonaCode { get; init; }
    public short? PersonaScore { get; init; }
    public string? Qualification { get; init; }
    public JsonElement? Warnings { get; init; }
}

/// <summary>A key that a client chose for a signal.</summary>
public sealed class IdempotencyKeyRow
{
    public Guid WorkspaceId { get; init; }
    public required string Mode { get; init; }
    public required byte[] KeyHash { get; init; }
    public Guid SignalId { get; init; }
    public DateTimeOffset OccurredAt { get; init; }
    public required byte[] ContentHash { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
