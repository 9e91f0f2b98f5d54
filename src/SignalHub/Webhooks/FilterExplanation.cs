using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using SignalHub.Conditions;

namespace SignalHub.Webhooks;

/// <summary>One part of an endpoint's filter, held against a signal.</summary>
/// <param name="Part"><c>enabled</c>, <c>events</c>, <c>signal_types</c>, <c>sources</c>, <c>projects</c>, <c>priorities</c> or <c>when</c>.</param>
/// <param name="Matched">All parts have to match.</param>
/// <param name="Wants">What the endpoint asks for; an empty list and null are "any".</param>
/// <param name="Value">What was looked at; for <c>when</c> each path of the condition with its value (null: not there).</param>
/// <param name="Detail">The result in a sentence.</param>
public sealed record FilterPart(string Part, bool Matched, JsonElement Wants, JsonElement Value, string Detail);

/// <summary>Says of every part of an endpoint's filter whether a signal matches it. Pure, and agrees with <see cref="EventRouter"/>.</summary>
public static class FilterExplanation
{
    // A value is shown to be recognised, not to be read: a context may be 256 KB.
    private const int MaxShownValue = 200;

    /// <param name="filter">The endpoint's filter as its owner wrote it.</param>
    /// <param name="signal">What of the signal filters look at; its event type is not asked for.</param>
    /// <param name="events">Event types that the signal raised.</param>
    /// <param name="whyNone">Why it raised none, if so.</param>
    public static IReadOnlyList<FilterPart> Of(
        Endpoint endpoint, EndpointFilter filter, in RoutingInput signal, IReadOnlyList<string> events, string whyNone)
    {
        string[] heard = [.. events.Intersect(endpoint.Events)];
        // With no event in common the other parts are still of interest: ask them as of what the endpoint wants most.
        string[] asked = heard.Length > 0 ? heard : [WebhookEventTypes.SignalQualified];
        return
        [
            new FilterPart("enabled", endpoint.Enabled, Json(true), Json(endpoint.Enabled),
                endpoint.Enabled ? "The endpoint is enabled." : "The endpoint is disabled."),
            new FilterPart("events", heard.Length > 0, Json(endpoint.Events), Json(events), heard.Length > 0
                ? $"The signal raised {string.Join(" and ", heard)}."
                : events.Count == 0 ? whyNone : $"The signal raised {string.Join(" and ", events)}, which the endpoint does not listen to."),
            Listed("signal_types", filter.SignalTypes, endpoint.SignalTypes, signal.SignalTypeKey),
            Listed("sources", filter.Sources, endpoint.Sources, signal.Source),
            Projects(endpoint, filter, asked, signal.Projects ?? []),
            PrioritiesOf(endpoint, filter, asked, signal.Projects ?? []),
            When(endpoint, filter, signal.Conditions),
        ];
    }

    private static FilterPart Listed(string part, IReadOnlyList<string> wants, FrozenSet<string>? set, string? value)
    {
        var matched = set is null || value is null || set.Contains(value);
        return new FilterPart(part, matched, Json(wants), Json(value),
            set is null ? "Any is wanted." : matched ? $"{value} is wanted." : $"{value} is not in filter.{part}.");
    }

    private static FilterPart Projects(Endpoint endpoint, EndpointFilter filter, string[] events, IReadOnlyList<MatchedProject> matched)
    {
        string[] seen = [.. matched.Select(m => m.ProjectId)];
        var applies = events.All(WebhookEventTypes.IsAboutSignal);
        var isWanted = endpoint.Projects is null || seen.Any(endpoint.Projects.Contains);
        return new FilterPart("projects", !applies || isWanted, Json(filter.Projects), Json(seen),
            endpoint.Projects is null ? "Any is wanted."
            : !applies ? "Projects do not apply to events of leads."
            : isWanted ? "A project that the signal matches is wanted."
            : seen.Length == 0 ? "No project matches the signal."
            : $"The signal matches {string.Join(" and ", seen)}, which filter.projects does not name.");
    }

    /// <summary>The priorities of the projects that the part before lets through: one that another project gave does not count.</summary>
    private static FilterPart PrioritiesOf(Endpoint endpoint, EndpointFilter filter, string[] events, IReadOnlyList<MatchedProject> matched)
    {
        string[] seen = [.. matched.Where(m => endpoint.Projects?.Contains(m.ProjectId) != false).Select(m => m.Priority).Distinct()];
        var found = string.Join(" and ", seen.DefaultIfEmpty(Priorities.Low));
        var applies = events.All(WebhookEventTypes.IsAboutSignal);
        var isWanted = endpoint.Priorities is null || seen.DefaultIfEmpty(Priorities.Low).Any(endpoint.Priorities.Contains);
        return new FilterPart("priorities", !applies || isWanted, Json(filter.Priorities), seen.Length > 1 ? Json(seen) : Json(found),
            endpoint.Priorities is null ? "Any is wanted."
            : !applies ? "Priorities do not apply to events of leads."
            : $"{(seen.Length == 0 ? "No project matches the signal, so its priority is" : "The signal's priority is")} {found}, which is {(isWanted ? "" : "not ")}in filter.priorities.");
    }

    private static FilterPart When(Endpoint endpoint, EndpointFilter filter, ConditionInput? facts)
    {
        if (endpoint.HasBrokenCondition)
        {
            return new FilterPart("when", false, Json(filter.When), Json<string?>(null), "filter.when no longer compiles: correct it.");
        }
        if (endpoint.When is not { } condition || facts is null)
        {
            return new FilterPart("when", true, Json(filter.When), Json<string?>(null), "There is no condition.");
        }
        var truth = condition.Evaluate(facts);
        return new FilterPart("when", truth == Truth.True, Json(filter.When), ValuesOf(condition, facts),
            truth == Truth.True ? "filter.when is true."
            : truth == Truth.False ? "filter.when is false."
            : "filter.when is unknown, because a field it looks at is not there or is of another type; unknown does not match.");
    }

    /// <summary>Each path of a condition with its value; long ones cut.</summary>
    internal static JsonElement ValuesOf(Condition condition, ConditionInput facts)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Http.Json.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var path in condition.Paths)
            {
                var value = path.Read(facts);
                writer.WritePropertyName(path.Text);
                if (value.ToDisplayText() is { Length: > MaxShownValue } text)
                {
                    var end = char.IsHighSurrogate(text[MaxShownValue - 1]) ? MaxShownValue - 1 : MaxShownValue;
                    writer.WriteStringValue($"{text.AsSpan(0, end)}…");
                }
                else
                {
                    value.WriteTo(writer);
                }
            }
            writer.WriteEndObject();
        }
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value, Http.Json.Options);
}
