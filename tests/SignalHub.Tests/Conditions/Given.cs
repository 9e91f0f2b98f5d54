using System.Text.Json;
using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>Documents to evaluate conditions on, and the shortest way to do it.</summary>
internal static class Given
{
    public static readonly DateTimeOffset Now = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Fields out of a JSON object, as they come from a request.</summary>
    public static IFields Fields(string json) => new JsonFields(JsonDocument.Parse(json).RootElement);

    /// <summary>A signal with nothing but that context.</summary>
    public static ConditionInput Context(string context) => Signal($$"""{"context":{{context}}}""");

    public static ConditionInput Signal(string json) => new() { Signal = Fields(json), Now = Now };

    /// <summary>A lead with several signals and none at hand, as an audience sees it.</summary>
    public static ConditionInput Signals(params string[] signals) => new() { Signals = [.. signals.Select(Fields)], Now = Now };

    public static Condition Condition(string text, Roots allowed = Roots.All)
    {
        var result = SignalHub.Conditions.Condition.Compile(text, allowed);
        Assert.True(result.Condition is not null, $"{text} does not compile: {string.Join(" | ", result.Errors.Select(e => $"{e.Code} {e.Start}..{e.End} {e.Detail}"))}");
        Assert.Empty(result.Errors);
        return result.Condition;
    }

    public static Truth Truth(string text, ConditionInput input) => Condition(text).Evaluate(input);

    /// <summary>The first error of a text that does not compile.</summary>
    public static ConditionError Error(string text, Roots allowed = Roots.All)
    {
        var result = SignalHub.Conditions.Condition.Compile(text, allowed);
        Assert.True(result.Condition is null, $"{text} compiles");
        Assert.NotEmpty(result.Errors);
        return result.Errors[0];
    }

    private sealed class JsonFields(JsonElement json) : IFields
    {
        public ConditionValue Get(string name) => json.TryGetProperty(name, out var value) ? ConditionValue.Of(value) : ConditionValue.Missing;
    }
}
