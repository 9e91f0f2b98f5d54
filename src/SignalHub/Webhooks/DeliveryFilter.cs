namespace SignalHub.Webhooks;

/// <summary>Which deliveries to list; null: any.</summary>
public sealed record DeliveryFilter
{
    public const string Pending = "pending";

    public Guid? EndpointId { get; init; }

    /// <summary>Words of <see cref="AllStates"/>; empty: any.</summary>
    public IReadOnlyList<string> States { get; init; } = [];

    public Guid? SignalId { get; init; }

    public Guid? EventId { get; init; }

    /// <summary>A word of <see cref="WebhookEventTypes"/>.</summary>
    public string? EventType { get; init; }

    /// <summary>First digit of the latest answer's status: 1 to 5.</summary>
    public int? CodeClass { get; init; }

    /// <summary>A word of <see cref="Delivery.ErrorClass"/>: what the latest try failed of.</summary>
    public string? ErrorClass { get; init; }

    /// <summary>By created_at, included.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>By created_at, excluded.</summary>
    public DateTimeOffset? Until { get; init; }

    public int? MinAttempts { get; init; }

    /// <summary>The states a delivery ends in.</summary>
    public static IReadOnlyList<string> EndStates { get; } = ["delivered", "failed", "cancelled", "skipped"];

    public static IReadOnlyList<string> AllStates { get; } = [Pending, .. EndStates];
}
