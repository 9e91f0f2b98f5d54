using FsCheck;
using FsCheck.Fluent;
using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>Limits, and the promise that no text whatever makes the compiler throw, hang or run out of stack.</summary>
public sealed class ConditionLimitsTests
{
    private static readonly string[] _valid =
    [
        "signals.context.team_size > 10 && signals.source == 'segment' or not (lead.icp_score >= 7.5e1)",
        "signals.any(s, s.context['a b'][0] in ['x', 5, null]) and signals.count(t, t.within(30d)) >= 2",
        "title_matches(person.title, ['vp sales', 'cto']) || glob(lower(company.name), 'a?b*') && has(signal.context.x)",
        "signal.occurred_at > ago(14d) and signal.event_name.startsWith(\"it\\u0027s\") and size(signal.context.list) != 3",
    ];

    [Theory]
    [InlineData('(')]
    [InlineData('!')]
    [InlineData('[')]
    [InlineData('.')]
    [InlineData('\'')]
    [InlineData('-')]
    [InlineData('\\')]
    public void Four_thousand_of_one_sign_are_an_error_and_no_crash(char sign)
    {
        Assert.NotEmpty(Condition.Compile(new string(sign, ConditionLimits.Characters), Roots.All).Errors);
        Assert.NotEmpty(Condition.Compile("has(signal" + new string(sign, ConditionLimits.Characters - 10), Roots.All).Errors);
    }

    [Theory]
    [InlineData("(", "true", ")", 32)]
    [InlineData("!", "true", "", 32)]
    [InlineData("not ", "true", "", 32)]
    [InlineData("lower(", "'a'", ")", 31)]
    public void Nesting_is_allowed_to_a_depth_of_32(string open, string inner, string close, int levels)
    {
        string Nested(int n) => string.Concat(Enumerable.Repeat(open, n)) + inner + string.Concat(Enumerable.Repeat(close, n));

        Given.Condition(Nested(levels));
        var error = Given.Error(Nested(33));
        Assert.Equal(("too_deep", 33 * open.Length), (error.Code, error.End + (open[^1] == ' ' ? 1 : 0)));
    }

    [Fact]
    public void Depth_is_about_nesting_and_not_about_length() =>
        Given.Condition(string.Join(" && ", Enumerable.Repeat("((true))", 60)));

    [Fact]
    public void A_path_has_at_most_32_steps()
    {
        Given.Condition($"has(signal{string.Concat(Enumerable.Repeat(".a", 32))})");
        Assert.Equal("too_deep", Given.Error($"has(signal{string.Concat(Enumerable.Repeat(".a", 33))})").Code);
    }

    [Fact]
    public void Quantifiers_nest_two_deep()
    {
        Given.Condition("signals.any(a, signals.all(b, signals.source == b.source)) and signals.any(c, true)");
        Assert.Equal("too_deep", Given.Error("signals.any(a, signals.any(b, signals.any(c, true)))").Code);
    }

    [Fact]
    public void A_text_has_at_most_4096_characters()
    {
        var longest = "true" + new string(' ', 4_092);

        Given.Condition(longest);
        var error = Given.Error(longest + "  ");
        Assert.Equal(("too_long", 4_096, 4_098), (error.Code, error.Start, error.End));
        Assert.Equal("too_long", FieldPath.Parse(longest + " ", Roots.All).Errors[0].Code);
    }

    [Fact]
    public void A_condition_has_at_most_200_nodes()
    {
        Given.Condition(string.Join("&&", Enumerable.Repeat("true", 100))); // 100 literals and 99 signs
        Assert.Equal("too_complex", Given.Error(string.Join("&&", Enumerable.Repeat("true", 101))).Code);
        Assert.Equal("too_complex", Given.Error(string.Join("||", Enumerable.Repeat("signal.id=='x'", 80))).Code);
    }

    [Fact]
    public void A_list_has_at_most_200_items_and_counts_as_one_node()
    {
        string List(int n) => $"signal.id in [{string.Join(",", Enumerable.Range(0, n))}]";

        Given.Condition($"{List(200)} or {List(200)}");
        Assert.Equal("too_complex", Given.Error(List(201)).Code);
    }

    [Fact]
    public void Null_counts_as_empty()
    {
        Assert.Equal("expected_operand", Assert.Single(Condition.Compile(null!, Roots.All).Errors).Code);
        Assert.Equal("expected_name", Assert.Single(FieldPath.Parse(null!, Roots.All).Errors).Code);
    }

    [Fact]
    public void Any_text_gives_a_condition_or_located_errors()
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(2_000);
        var noise = ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "");
        var pieces = Gen.Elements("signal", "signals", ".", "context", "[", "]", "(", ")", "'", "\"", "\\", "x", "==", "=", "!", "<", "not", " ", "in",
            "and", "||", "&", "any", "ago", "12", "1d", "-", "null", ",", "s", "\n", "\u00E9", "\uD83D", "\0", "lower").ArrayOf().Select(string.Concat);

        Check.One(config, Prop.ForAll(noise.ToArbitrary(), IsAnswered));
        Check.One(config, Prop.ForAll(pieces.ToArbitrary(), IsAnswered));
    }

    [Fact]
    public void A_damaged_condition_gives_a_condition_or_located_errors()
    {
        var mutated =
            from text in Gen.Elements(_valid)
            from at in Gen.Choose(0, text.Length - 1)
            from length in Gen.Choose(0, 12)
            from inserted in Gen.Elements("", "(", ")", "'", "[", "]", ".", "=", "!", "\\", " ", "1", "\uDC00", "any(", "not ", ",")
            select string.Concat(text.AsSpan(0, at), inserted, text.AsSpan(Math.Min(text.Length, at + length)));

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5_000), Prop.ForAll(mutated.ToArbitrary(), IsAnswered));
    }

    private static void IsAnswered(string text)
    {
        var result = Condition.Compile(text, Roots.All);

        Assert.True(result.Condition is null == result.Errors.Count > 0, text);
        foreach (var error in result.Errors.Concat(result.Condition?.Warnings ?? []))
        {
            Assert.Contains(error.Code, ConditionErrorCodes.All);
            Assert.True(error.Start >= 0 && error.Start <= error.End && error.End <= text.Length, $"{error.Start}..{error.End} of {text}");
            Assert.True(error.Line >= 1 && error.Column >= 1 && error.Detail.Length > 0 && error.Snippet.Contains('^'), text);
        }
        if (result.Condition is { } condition)
        {
            Assert.True(Enum.IsDefined(condition.Evaluate(Given.Context("""{"x":1,"list":["a"]}"""))), text);
            Assert.True(Enum.IsDefined(condition.Evaluate(new ConditionInput())), text);
        }
    }
}
