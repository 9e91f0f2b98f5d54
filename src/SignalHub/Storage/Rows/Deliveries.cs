namespace SignalHub.Storage.Rows;

/// <summary>A pending delivery.</summary>
public sealed class DeliveryQueueRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public Guid EndpointId { get; init; }
    public Guid EventId { get; init; }
    public required string EventType { get; init; }
    public Guid? SignalId { get; init; }
    public Guid? LeadId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset QueuedAt { get; init; }
    public DateTimeOffset NextAt { get; init; }
    public int Attempt { get; init; }
    public int Step { get; init; }
    public short Claims { get; init; }
    public long? Ordinal { get; init; }
    public required string Trigger { get; init; }
    public short? LastStatus { get; init; }
    public string? LastError { get; init; }
}

/// <summary>A delivery that ended.</summary>
public sealed class DeliveryHistoryRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public Guid Id { get; init; }
    public Guid EndpointId { get; init; }
    public Guid EventId { get; init; }
    public required string EventType { get; init; }
    public Guid? SignalId { get; init; }
    public Guid? LeadId { get; init; }
    public DateTimeOffset QueuedAt { get; init; }
    public DateTimeOffset EndedAt { get; init; }
    public required string State { get; init; }
    public string? Reason { get; init; }
    public int Attempt { get; init; }
    public int Step { get; init; }
    public short? LastStatus { get; init; }
    public string? LastError { get; init; }
}

/// <summary>A delivery, pending or ended: the view over queue and history.</summary>
public sealed class DeliveryRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public Guid EndpointId { get; init; }
    public Guid EventId { get; init; }
    public required string EventType { get; init; }
    public Guid? SignalId { get; init; }
    public Guid? LeadId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset QueuedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public required string State { get; init; }
    public string? Reason { get; init; }
    public int Attempt { get; init; }
    public int Step { get; init; }
    public DateTimeOffset? NextAttemptAt { get; init; }
    public short? LastStatus { get; init; }
    public string? LastError { get; init; }
}

/// <summary>One HTTP try.</summary>
public sealed class DeliveryAttemptRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset At { get; init; }
    public Guid DeliveryId { get; init; }
    public int Attempt { get; init; }
    public Guid EndpointId { get; init; }
    public required string Trigger { get; init; }
    public short? StatusCode { get; init; }
    public string? ErrorClass { get; init; }
    public string? ErrorDetail { get; init; }
    public string? ResolvedIp { get; init; }
    public required string RequestHeaders { get; init; }
    public string? ResponseHeaders { get; init; }
    public string? ResponseBody { get; init; }
    public bool ResponseTruncated { get; init; }
    public double? ConnectMs { get; init; }
    public double? FirstByteMs { get; init; }
    public double DurationMs { get; init; }
    public DateTimeOffset? NextAttemptAt { get; init; }
}
