using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>Work that takes longer than a request.</summary>
public sealed class JobRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public required string Kind { get; init; }
    public Guid? SubjectId { get; init; }
    public required string State { get; init; }
    public JsonElement Parameters { get; init; }
    public JsonElement Position { get; init; }
    public long Total { get; init; }
    public long Done { get; init; }
    public long Affected { get; init; }
    public int Turn { get; init; }
    public short Failures { get; init; }
    public string? Error { get; init; }
    public DateTimeOffset NextAt { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}
