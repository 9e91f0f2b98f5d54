using System.Collections.Frozen;
using SignalHub.Conditions;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>How urgent a project finds a signal.</summary>
public static class Priorities
{
    public const string High = "high";
    public const string Medium = "medium";

    /// <summary>Also that of a signal that matches no project, and of one without a lead.</summary>
    public const string Low = "low";

    public static IReadOnlyList<string> All { get; } = [High, Medium, Low];
}

/// <summary>
/// An endpoint as routing sees it: what it listens to, ready to be asked. A null set is "any".
/// </summary>
public sealed class Endpoint
{
    public required Guid Id { get; init; }

    public required bool Enabled { get; init; }

    /// <summary>Whether its deliveries about one lead go out one after the other.</summary>
    public bool Ordered { get; init; }

    /// <summary>A word of <see cref="EndpointFormats"/>.</summary>
    public string Format { get; init; } = EndpointFormats.Json;

    /// <summary>Words of <see cref="WebhookEventTypes"/>.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Keys of signal types.</summary>
    public FrozenSet<string>? SignalTypes { get; init; }

    /// <summary>Compared as conditions compare text: without ASCII case.</summary>
    public FrozenSet<string>? Sources { get; init; }

    /// <summary>Ids of projects.</summary>
    public FrozenSet<string>? Projects { get; init; }

    /// <summary>Words of <see cref="Webhooks.Priorities"/>.</summary>
    public FrozenSet<string>? Priorities { get; init; }

    /// <summary>Null: no condition, or one that does not compile (see <see cref="HasBrokenCondition"/>).</summary>
    public Condition? When { get; init; }

    /// <summary>The stored condition was valid once and no longer compiles: the endpoint matches nothing until it is changed.</summary>
    public bool HasBrokenCondition { get; init; }

    /// <summary>The endpoint of a stored row.</summary>
    public static Endpoint Of(Guid id, bool enabled, bool ordered, IReadOnlyList<string> events, EndpointFilter filter,
        string format = EndpointFormats.Json)
    {
        var condition = filter.When is { } text ? Condition.Compile(text, ConditionScopes.Routing).Condition : null;
        return new Endpoint
        {
            Id = id,
            Enabled = enabled,
            Ordered = ordered,
            Events = events,
            Format = format,
            SignalTypes = AnyOr(filter.SignalTypes, StringComparer.Ordinal),
            Sources = AnyOr(filter.Sources, StringComparer.OrdinalIgnoreCase),
            Projects = AnyOr(filter.Projects, StringComparer.Ordinal),
            Priorities = AnyOr(filter.Priorities, StringComparer.Ordinal),
            When = condition,
            HasBrokenCondition = filter.When is not null && condition is null,
        };
    }

    private static FrozenSet<string>? AnyOr(IReadOnlyList<string> values, StringComparer comparer) =>
        values.Count == 0 ? null : values.ToFrozenSet(comparer);
}

/// <summary>
/// All endpoints of a workspace at one moment, disabled ones included: they get a history row for what they missed.
/// </summary>
public sealed class EndpointSet
{
    public static readonly EndpointSet Empty = new([]);

    private readonly FrozenDictionary<string, Endpoint[]> _byEvent;

    /// <param name="endpoints">In the order in which explanations list them.</param>
    public EndpointSet(IReadOnlyList<Endpoint> endpoints)
    {
        All = endpoints;
        _byEvent = WebhookEventTypes.All.ToFrozenDictionary(
            type => type, type => endpoints.Where(e => e.Events.Contains(type)).ToArray(), StringComparer.Ordinal);
    }

    public IReadOnlyList<Endpoint> All { get; }

    /// <summary>Those that listen to an event type, whatever else they filter by.</summary>
    internal ReadOnlySpan<Endpoint> For(string eventType) => _byEvent.GetValueOrDefault(eventType);
}
