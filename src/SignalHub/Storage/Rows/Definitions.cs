using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A declared type, or the changes made to a built-in one.</summary>
public sealed class SignalTypeRow
{
    public Guid WorkspaceId { get; init; }
    public required string Key { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public required string Origin { get; init; }
    public bool Autoqualify { get; init; }
    public bool Enabled { get; init; }
    public JsonElement SubRules { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An ICP or persona.</summary>
public sealed class DefinitionRow
{
    public Guid WorkspaceId { get; init; }
    public required string Kind { get; init; }
    public required string Code { get; init; }
    public Guid Id { get; init; }
    public string? IcpCode { get; init; }
    public Guid VersionId { get; init; }
    public int Version { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>What an ICP or persona said at a time.</summary>
public sealed class DefinitionVersionRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public Guid DefinitionId { get; init; }
    public int Version { get; init; }
    public JsonElement Body { get; init; }
    public DateTimeOffset PublishedAt { get; init; }
}
