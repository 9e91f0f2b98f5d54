using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>A set answers as its conditions do one by one.</summary>
public sealed class ConditionSetTests
{
    private static readonly string[] _texts =
    [
        "signal.context.n > 1", "not (signal.context.n > 1)", "signals.context.n > 1", "signal.properties.n > 1 and signal.source == 'app'",
        "(signal.context.n > 1 or signal.source == 'crm') and signal.source == 'app'", "((signal.context.n > 1) or signal.source == 'crm') and signal.source == 'app'",
        "signal.context.missing == 1 and signal.source == 'app'", "!(signal.context.missing == 1) and signal.source == 'app'", "has(signal.context.n) and has(lead)",
        "signal.context.tags[0] == 'a' and signal.context.tags[1] == 'b'", "'b' in signal.context.tags", "signal.context.flag and signal.context.n > 1", "signal.context.flag",
        "signals.any(s, s.context.n > 1) and signals.any(s, s.context.n > 5)", "signals.count(s, s.context.n > 1) == 1", "lower(signal.source) == 'app'", "size(signal.context.tags) == 2",
        "signal.source.contains('p') and signal.source.startsWith('a')", "signals.within(3d)", "signal.context.n not in [1, 2]", "signal.context.n in [1, 2]",
    ];

    private static readonly string[] _signals =
    [
        """{"source":"app","occurred_at":"2026-03-15T11:00:00Z","context":{"n":2,"tags":["a","b"],"flag":true}}""",
        """{"source":"crm","occurred_at":"2026-03-01T11:00:00Z","context":{"n":"7","tags":["b","a"],"flag":"true"}}""",
        """{"source":"App","context":{"n":null,"tags":"b"}}""",
        """{"context":{}}""",
    ];

    [Fact]
    public void It_answers_as_each_condition_does_alone_in_whatever_order_and_again_for_the_next_input()
    {
        var conditions = _texts.Select(text => Given.Condition(text)).Append(null).ToList();
        var set = new ConditionSet(conditions);

        foreach (var signal in _signals.Concat(_signals.Reverse()))
        {
            var input = Given.Signal(signal);
            using var pass = set.Begin(input);
            for (var i = conditions.Count - 1; i >= 0; i--)
            {
                Assert.True((conditions[i]?.Matches(input) ?? true) == pass.Matches(i), $"{conditions[i]?.Text} on {signal}");
                Assert.True((conditions[i]?.Evaluate(input) ?? Truth.True) == pass.Evaluate(i), $"{conditions[i]?.Text} on {signal}");
            }
        }
    }

    [Fact]
    public void It_reads_values_as_their_paths_do_alone()
    {
        var paths = _texts.SelectMany(text => Given.Condition(text).Paths).ToList();
        var set = new ConditionSet([.. _texts.Select(text => Given.Condition(text))], paths);

        foreach (var input in _signals.Select(Given.Signal).Append(Given.Signals(_signals)))
        {
            using var pass = set.Begin(input);
            for (var i = 0; i < paths.Count; i++)
            {
                pass.Evaluate(i % _texts.Length);
                var (alone, inSet) = (paths[i].Read(input), pass.Read(i));
                Assert.Equal((alone.Kind, alone.ToDisplayText()), (inSet.Kind, inSet.ToDisplayText()));
            }
        }
    }

    [Fact]
    public void Over_several_signals_parts_of_a_condition_speak_of_the_same_one()
    {
        var conditions = new[] { Given.Condition("signals.context.n == 1 and signals.source == 'b'"), Given.Condition("signals.context.n == 1 and signals.source == 'a'") };
        var set = new ConditionSet(conditions);

        using var pass = set.Begin(Given.Signals("""{"source":"a","context":{"n":1}}""", """{"source":"b","context":{"n":2}}"""));

        Assert.False(pass.Matches(0));
        Assert.True(pass.Matches(1));
        Assert.Equal(Truth.False, pass.Evaluate(0));
        Assert.Equal(Truth.True, pass.Evaluate(1));
    }

    [Fact]
    public void It_reads_a_path_once_however_many_conditions_name_it()
    {
        var fields = new CountingFields("z");
        var set = new ConditionSet([.. Enumerable.Range(0, 50).Select(i => Given.Condition($"signal.source == 'x{i}' and signal.event_name == 'y'"))]);

        using var pass = set.Begin(new ConditionInput { Signal = fields });

        Assert.All(Enumerable.Range(0, 50), i => Assert.False(Matches(set, fields, i)));
        fields.Reads = 0;
        for (var i = 0; i < 50; i++)
        {
            Assert.False(pass.Matches(i));
        }
        Assert.Equal(1, fields.Reads);
    }

    private static bool Matches(ConditionSet set, IFields fields, int condition)
    {
        using var pass = set.Begin(new ConditionInput { Signal = fields });
        return pass.Matches(condition);
    }
}
