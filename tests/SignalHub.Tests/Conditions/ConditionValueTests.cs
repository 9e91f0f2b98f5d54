using System.Text;
using System.Text.Json;
using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>Values as records hand them over, and the bands of a score criterion.</summary>
public sealed class ConditionValueTests
{
    public static TheoryData<string, string, string> Values => new()
    {
        { "\"a\\u00e9\"", "a\u00e9", "\"a\\u00E9\"" },
        { "12", "12", "12" },
        { "12.50", "12.50", "12.50" },
        { "92233720368547758089", "92233720368547758089", "92233720368547758089" },
        { "true", "true", "true" },
        { "null", "null", "null" },
        { "{\"a\":[1]}", "{\"a\":[1]}", "{\"a\":[1]}" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Json_values_show_and_write_what_was_sent(string json, string shown, string written)
    {
        var value = ConditionValue.Of(JsonDocument.Parse(json).RootElement);

        Assert.Equal(shown, value.ToDisplayText());
        Assert.Equal(written, Written(value));
    }

    [Fact]
    public void Values_of_records_show_and_write_as_json()
    {
        var at = new DateTimeOffset(2026, 3, 15, 13, 0, 0, TimeSpan.FromHours(1)).AddTicks(12_345_678);

        Assert.Equal("\"2026-03-15T12:00:01.234567Z\"", Written(ConditionValue.Of(at)));
        Assert.Equal("[\"a\",\"b\"]", Written(ConditionValue.Of(["a", "b"])));
        Assert.Equal("0.5", Written(ConditionValue.Of(0.5)));
        Assert.Equal("null", Written(ConditionValue.Missing));
        Assert.Equal("null", Written(ConditionValue.Of(double.NaN)));
        Assert.Equal("missing", default(ConditionValue).ToDisplayText());
    }

    [Fact]
    public void Absent_values_of_records_are_missing()
    {
        ConditionValue[] values =
        [
            ConditionValue.Of((string?)null), ConditionValue.Of((long?)null), ConditionValue.Of((bool?)null), ConditionValue.Of((DateTimeOffset?)null),
            ConditionValue.Of((IReadOnlyList<string>?)null), ConditionValue.Of(default(JsonElement)),
        ];

        Assert.All(values, value => Assert.Equal(ConditionValueKind.Missing, value.Kind));
    }

    [Fact]
    public void Long_and_escaped_texts_of_json_compare_like_any_other()
    {
        var text = new string('x', 5_000) + "\u00e9";
        var input = Given.Context(JsonSerializer.Serialize(new { text, quoted = "a\"b", broken = "?" }).Replace("\"?\"", "\"\\ud800\"", StringComparison.Ordinal));

        Assert.Equal(Truth.True, Given.Truth("size(signal.context.text) == 5001 && signal.context.text.endsWith('\u00e9')", input));
        Assert.Equal(Truth.True, Given.Truth("signal.context.quoted == 'A\"B'", input));
        Assert.Equal(Truth.False, Given.Truth("signal.context.broken == 'x' || title_matches(signal.context.broken, ['x'])", input));
    }

    [Theory]
    [InlineData("\"Software\"", "\"SOFTWARE\"", Truth.True)]
    [InlineData("\"12\"", "12", Truth.True)]
    [InlineData("12", "\"12\"", Truth.Unknown)]
    [InlineData("null", "null", Truth.True)]
    [InlineData("5", "null", Truth.False)]
    [InlineData("true", "true", Truth.True)]
    [InlineData("\"a\"", "\"b\"", Truth.False)]
    [InlineData("[1]", "1", Truth.Unknown)]
    public void A_band_value_follows_the_rules_of_equality(string value, string literal, Truth expected) =>
        Assert.Equal(expected, Matching.EqualsLiteral(ConditionValue.Of(JsonDocument.Parse(value).RootElement), JsonDocument.Parse(literal).RootElement));

    [Theory]
    [InlineData("3", 3.0, 9.0, Truth.True)]
    [InlineData("9", 3.0, 9.0, Truth.True)]
    [InlineData("9.01", 3.0, 9.0, Truth.False)]
    [InlineData("\"10\"", 10.0, null, Truth.True)]
    [InlineData("\"ten\"", 10.0, null, Truth.Unknown)]
    [InlineData("2", null, 1.0, Truth.False)]
    [InlineData("2", null, null, Truth.True)]
    [InlineData("null", 1.0, 2.0, Truth.Unknown)]
    public void A_band_range_includes_its_bounds(string value, double? from, double? to, Truth expected) =>
        Assert.Equal(expected, Matching.InRange(ConditionValue.Of(JsonDocument.Parse(value).RootElement), from, to));

    [Theory]
    [InlineData("signals.context.size > 10")]
    [InlineData("signals.context.plan == 'FREE'")]
    [InlineData("signals.context.country in ['AT', 'DE']")]
    [InlineData("'sso' in signals.context.tags && glob(signals.context.plan, 'f*') && signals.context.plan.contains('EE')")]
    [InlineData("title_matches(signals.context.plan, ['free']) && signals.any(s, s.context.size > 1) && signals.context.at > ago(1d)")]
    public void Evaluating_allocates_nothing(string text)
    {
        var condition = Given.Condition(text);
        var input = Given.Context("""{"size":12,"text":"12","plan":"free","country":"DE","tags":["trial","sso"],"at":"2026-03-15T11:00:00Z"}""");
        Assert.True(condition.Matches(input));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            condition.Matches(input);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Written(ConditionValue value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            value.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
