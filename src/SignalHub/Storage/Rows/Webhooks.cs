using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A registered webhook target.</summary>
public sealed class WebhookEndpointRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public required string Url { get; init; }
    public string? Description { get; init; }
    public required string[] Events { get; init; }
    public JsonElement Filter { get; init; }
    public required byte[] Secret { get; init; }
    public byte[]? PreviousSecret { get; init; }
    public DateTimeOffset? PreviousSecretUntil { get; init; }
    public required string SignatureHeader { get; init; }
    public short TimeoutSeconds { get; init; }
    public required string RetryPolicy { get; init; }
    public int[]? Schedule { get; init; }
    public int? MaxPerSecond { get; init; }
    public bool Ordered { get; init; }
    public bool Enabled { get; init; }
    public string? DisabledReason { get; init; }
    public DateTimeOffset? DisabledAt { get; init; }
    public int ConsecutiveFailures { get; init; }
    public DateTimeOffset? FailingSince { get; init; }
    public DateTimeOffset? LastSuccessAt { get; init; }
    public DateTimeOffset? LastFailureAt { get; init; }
    public DateTimeOffset? ProbeAt { get; init; }
    public int FailedDeliveries { get; init; }
    public DateTimeOffset? WarnedAt { get; init; }
    public DateTimeOffset? PacedUntil { get; init; }
    public required string Origin { get; init; }
    public required string Format { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An event, as the bytes that are signed.</summary>
public sealed class WebhookEventRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public Guid Id { get; init; }
    public required string Type { get; init; }
    public Guid? SignalId { get; init; }
    public Guid? LeadId { get; init; }
    public required byte[] Body { get; init; }
    public long? Ordinal { get; init; }
    public string? Traceparent { get; init; }
    public byte[]? SlackBody { get; init; }
}
