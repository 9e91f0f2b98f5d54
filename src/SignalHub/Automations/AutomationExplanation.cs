using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Webhooks;

namespace SignalHub.Automations;

/// <summary>Says of every part of an automation whether a signal passes it. Pure, and agrees with <see cref="PlannedActions"/>.</summary>
public static class AutomationExplanation
{
    // A value is shown to be recognised, not to be read: a context may be 256 KB.
    private const int MaxShownValue = 200;

    /// <param name="whyNone">Why the signal fires nothing, whatever the automation says; null: it may.</param>
    /// <param name="facts">Null: there are none to look at, and <paramref name="whyNone"/> says why.</param>
    /// <param name="lastFire">When the automation fired last for the signal's lead.</param>
    /// <param name="at">When it would fire now.</param>
    public static IReadOnlyList<FilterPart> Of(
        Automation automation, string typeKey, ConditionInput? facts, string? whyNone, DateTimeOffset? lastFire, DateTimeOffset at)
    {
        var parts = new List<FilterPart>
        {
            new("signal", whyNone is null, Json("a live signal"), Json(whyNone is null ? "a live signal" : null), whyNone ?? "The signal may fire automations."),
            new("enabled", automation.Stored.Enabled, Json(true), Json(automation.Stored.Enabled),
                automation.Stored.Enabled ? "The automation is enabled." : "The automation is disabled."),
            Trigger(automation, typeKey),
        };
        if (facts is not null)
        {
            parts.Add(When(automation, facts));
        }
        parts.Add(Limit(automation, lastFire, at));
        parts.Add(new FilterPart("endpoint", automation.Target is not null, Json("an endpoint"), Json(automation.Target is null ? "deleted" : automation.Target.Enabled ? "enabled" : "disabled"),
            automation.Target is null ? "Its endpoint was deleted: give it another one."
            : automation.Target.Enabled ? "Its endpoint is enabled."
            : "Its endpoint is disabled: it fires, and the delivery is kept as skipped."));
        return parts;
    }

    /// <summary>Whether it would fire, and what is against it.</summary>
    public static (bool WouldFire, IReadOnlyList<string> Reasons) Verdict(IReadOnlyList<FilterPart> parts) =>
        (parts.All(p => p.Matched), [.. parts.Where(p => !p.Matched).Select(p => p.Detail)]);

    private static FilterPart Trigger(Automation automation, string typeKey)
    {
        var matched = automation.SignalTypes is null || automation.SignalTypes.Contains(typeKey);
        return new FilterPart("trigger", matched, Json(automation.Stored.SignalTypes), Json(typeKey),
            automation.SignalTypes is null ? "Any signal type triggers it." : matched ? $"{typeKey} triggers it." : $"{typeKey} is not in trigger.signal_types.");
    }

    private static FilterPart When(Automation automation, ConditionInput facts)
    {
        var wants = Json(automation.Stored.When);
        if (automation.HasBrokenCondition)
        {
            return new FilterPart("when", false, wants, Json<string?>(null), "when no longer compiles: correct it.");
        }
        if (automation.When is not { } condition)
        {
            return new FilterPart("when", true, wants, Json<string?>(null), "There is no condition.");
        }
        var truth = condition.Evaluate(facts);
        return new FilterPart("when", truth == Truth.True, wants, FilterExplanation.ValuesOf(condition, facts),
            truth == Truth.True ? "when is true." : WhyNot(condition, truth, facts));
    }

    private static string WhyNot(Condition condition, Truth truth, ConditionInput facts)
    {
        var values = string.Join(", ", condition.Paths.Select(path => $"{path.Text} is {Shorten(path.Read(facts).ToDisplayText())}"));
        var verdict = truth == Truth.False ? "false" : "unknown, which does not match";
        return values.Length == 0 ? $"when is {verdict}" : $"when is {verdict}: {values}";
    }

    private static FilterPart Limit(Automation automation, DateTimeOffset? lastFire, DateTimeOffset at)
    {
        if (automation.Period is not { } period)
        {
            return new FilterPart("limit", true, Json<string?>(null), Json<string?>(null), "It fires once for each signal.");
        }
        var reached = lastFire is { } last && at - last < period;
        return new FilterPart("limit", !reached, Json(AutomationEditor.LimitOf(automation.Stored)), Json(lastFire),
            reached ? PlannedActions.LimitDetail(period, lastFire!.Value) : "It has not fired for this lead within its period.");
    }

    private static string Shorten(string text) => text.Length <= MaxShownValue ? text : $"{text[..MaxShownValue]}…";

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value, Http.Json.Options);
}
