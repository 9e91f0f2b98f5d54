using FsCheck;
using FsCheck.Fluent;
using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>Three-valued logic, missing values and JSON null.</summary>
public sealed class UnknownAndNullTests
{
    // x is missing, null, a number, a text; each atom is true, false or unknown on the same document.
    private static readonly string[] _atoms =
    [
        "true", "false", "signal.context.missing == 5", "signal.context.n > 1", "signal.context.n > 9", "signal.context.t == 5",
        "signal.context.z == null", "signal.context.z == 5", "has(signal.context.missing)", "'a' in signal.context.list",
        "signal.context.missing in ['a']", "signal.context.t.contains('B')", "signal.context.n.contains('b')",
    ];

    private static readonly ConditionInput _input = Given.Context("""{"n":5,"t":"abc","z":null,"list":["a","b"],"d":{"e":1}}""");

    [Theory]
    [InlineData("signal.context.z == null", Truth.True)]
    [InlineData("signal.context.z != null", Truth.False)]
    [InlineData("has(signal.context.z)", Truth.True)]
    [InlineData("signal.context.n == null", Truth.False)]
    [InlineData("signal.context.n != null", Truth.True)]
    [InlineData("null != signal.context.d", Truth.True)]
    [InlineData("signal.context.list == null", Truth.False)]
    [InlineData("signal.context.missing == null", Truth.Unknown)]
    [InlineData("signal.context.missing != null", Truth.Unknown)]
    [InlineData("has(signal.context.missing)", Truth.False)]
    [InlineData("has(signal.context.d.e)", Truth.True)]
    [InlineData("has(signal.context.n.deeper)", Truth.False)]
    [InlineData("signal.context.z in [null, 5]", Truth.True)]
    [InlineData("signal.context.n in [null, 5]", Truth.True)]
    [InlineData("signal.context.n in [null, 6]", Truth.False)]
    [InlineData("signal.context.z == 5", Truth.Unknown)]
    [InlineData("signal.context.z < null", Truth.Unknown)]
    [InlineData("signal.context.z", Truth.Unknown)]
    public void Null_is_a_value_and_missing_is_not(string text, Truth expected) => Assert.Equal(expected, Given.Truth(text, _input));

    [Theory]
    [InlineData("signal.context.t > 3")]
    [InlineData("signal.context.d == 3")]
    [InlineData("signal.context.d == signal.context.d")]
    [InlineData("signal.context.n")]
    [InlineData("signal.context.n in signal.context.t")]
    [InlineData("signal.context.n.startsWith('5')")]
    [InlineData("signal.context.t.contains(5)")]
    [InlineData("size(signal.context.n) == 1")]
    [InlineData("lower(signal.context.n) == '5'")]
    [InlineData("true < false")]
    [InlineData("person.title == 'CTO'")]
    [InlineData("signal.context.t in [5, 6]")]
    public void A_mismatch_is_unknown_and_so_is_its_negation(string text)
    {
        Assert.Equal(Truth.Unknown, Given.Truth(text, _input));
        Assert.Equal(Truth.Unknown, Given.Truth($"!({text})", _input));
    }

    [Theory]
    [InlineData("has(person)", Truth.False)]
    [InlineData("has(signal) && has(signals)", Truth.True)]
    public void Has_asks_whether_there_is_such_a_record(string text, Truth expected) => Assert.Equal(expected, Given.Truth(text, _input));

    [Fact]
    public void Every_combination_of_and_or_and_not_is_as_in_sql()
    {
        string[] values = ["false", "signal.context.missing == 5", "true"]; // by rising truth
        for (var a = 0; a < values.Length; a++)
        {
            Assert.Equal((Truth)(2 - a), Given.Truth($"not ({values[a]})", _input));
            for (var b = 0; b < values.Length; b++)
            {
                Assert.Equal((Truth)Math.Min(a, b), Given.Truth($"{values[a]} && {values[b]}", _input));
                Assert.Equal((Truth)Math.Max(a, b), Given.Truth($"{values[a]} or {values[b]}", _input));
            }
        }
    }

    [Fact]
    public void The_laws_of_three_valued_logic_hold_for_any_conditions()
    {
        var conditions = Conditions(depth: 3);
        var triples = (from a in conditions from b in conditions from c in conditions select (a, b, c)).ToArbitrary();

        Prop.ForAll(triples, t =>
        {
            Same($"!(({t.a}) && ({t.b}))", $"!({t.a}) || !({t.b})");
            Same($"!(({t.a}) || ({t.b}))", $"not ({t.a}) and not ({t.b})");
            Same($"!!({t.a})", t.a);
            Same($"({t.a}) && ({t.b})", $"({t.b}) && ({t.a})");
            Same($"({t.a}) || ({t.b}) || ({t.c})", $"({t.a}) || (({t.b}) || ({t.c}))");
            Same($"({t.a}) && (({t.b}) || ({t.c}))", $"(({t.a}) && ({t.b})) || (({t.a}) && ({t.c}))");
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Not_equal_is_the_negation_of_equal_for_any_operands()
    {
        var operands = Gen.Elements("signal.context.n", "signal.context.t", "signal.context.z", "signal.context.list", "signal.context.missing",
            "5", "'5'", "'abc'", "null", "true", "now()", "-0.5");
        var pairs = (from a in operands from b in operands select (a, b)).ToArbitrary();

        Prop.ForAll(pairs, p =>
        {
            Same($"{p.a} != {p.b}", $"!({p.a} == {p.b})");
            Same($"{p.a} == {p.b}", $"{p.b} == {p.a}");
            Same($"{p.a} < {p.b}", $"{p.b} > {p.a}");
            Same($"{p.a} >= {p.b}", $"!({p.a} < {p.b})");
            Same($"{p.a} not in signal.context.list", $"!({p.a} in signal.context.list)");
        }).QuickCheckThrowOnFailure();
    }

    private static void Same(string left, string right)
    {
        var (l, r) = (Given.Truth(left, _input), Given.Truth(right, _input));
        Assert.True(l == r, $"{left} is {l}, but {right} is {r}");
    }

    private static Gen<string> Conditions(int depth)
    {
        var atom = Gen.Elements(_atoms);
        if (depth == 0)
        {
            return atom;
        }
        var smaller = Conditions(depth - 1);
        return Gen.OneOf(
            atom,
            smaller.Select(a => $"!({a})"),
            from a in smaller from b in smaller select $"({a}) && ({b})",
            from a in smaller from b in smaller select $"({a}) or ({b})");
    }
}
