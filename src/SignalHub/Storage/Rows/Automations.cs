using System.Text.Json;

namespace SignalHub.Storage.Rows;

/// <summary>A condition and the webhook that it sets off.</summary>
public sealed class AutomationRow
{
    public Guid WorkspaceId { get; init; }
    public Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public required string[] SignalTypes { get; init; }
    public string? When { get; init; }
    public Guid EndpointId { get; init; }
    public bool OwnsEndpoint { get; init; }
    public JsonElement Headers { get; init; }
    public string? BodyTemplate { get; init; }
    public int? LimitHours { get; init; }
    public bool Enabled { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>What an automation did on a signal that met its condition.</summary>
public sealed class AutomationRunRow
{
    public Guid WorkspaceId { get; init; }
    public Guid AutomationId { get; init; }
    public DateTimeOffset At { get; init; }
    public Guid SignalId { get; init; }
    public Guid? LeadId { get; init; }
    public required string Outcome { get; init; }
    public string? Detail { get; init; }
    public Guid? EventId { get; init; }
    public Guid? DeliveryId { get; init; }
}

/// <summary>When an automation with a limit fired last for a lead.</summary>
public sealed class AutomationLeadFireRow
{
    public Guid WorkspaceId { get; init; }
    public Guid AutomationId { get; init; }
    public Guid LeadId { get; init; }
    public DateTimeOffset FiredAt { get; init; }
    public Guid SignalId { get; init; }
}

/// <summary>What few events have beside their body.</summary>
public sealed class WebhookEventExtrasRow
{
    public Guid WorkspaceId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public Guid Id { get; init; }
    public JsonElement Headers { get; init; }
    public string? TemplateError { get; init; }
}
