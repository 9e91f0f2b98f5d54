using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A named watch over signals.</summary>
public sealed class ProjectRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public required string[] SignalTypes { get; init; }
    public required string[] Sources { get; init; }
    public string? Condition { get; init; }
    public JsonElement Priorities { get; init; }
    public string? RecommendedAction { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}
