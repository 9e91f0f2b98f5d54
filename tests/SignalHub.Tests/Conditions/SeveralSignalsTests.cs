using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>A lead with several signals: the same signal, different signals, quantifiers.</summary>
public sealed class SeveralSignalsTests
{
    private static readonly ConditionInput _lead = Given.Signals(
        """{"source":"web","signal_type":"visit","occurred_at":"2026-03-14T12:00:00Z","context":{"size":5}}""",
        """{"source":"crm","signal_type":"demo","occurred_at":"2026-02-01T12:00:00Z","context":{"size":50}}""",
        """{"source":"web","signal_type":"visit","occurred_at":"2026-01-01T12:00:00Z","context":{}}""");

    [Theory]
    [InlineData("signals.source == 'web'", Truth.True)]
    [InlineData("signals.source == 'crm' && signals.context.size > 10", Truth.True)]
    [InlineData("signals.source == 'web' && signals.context.size > 10", Truth.Unknown)] // one web signal has no size
    [InlineData("signals.source == 'web' && has(signals.context.size) && signals.context.size > 10", Truth.False)]
    [InlineData("!(signals.source == 'web')", Truth.True)] // there is one that is not
    [InlineData("signals.any(s, s.source == 'web') && signals.any(t, t.context.size > 10)", Truth.True)]
    [InlineData("signals.any(s, s.source == 'mail')", Truth.False)]
    [InlineData("!signals.any(s, s.source == 'mail')", Truth.True)]
    [InlineData("signals.any(s, s.properties.size > 100)", Truth.Unknown)]
    [InlineData("signals.all(s, s.source in ['web', 'crm'])", Truth.True)]
    [InlineData("signals.all(s, s.source == 'web')", Truth.False)]
    [InlineData("signals.all(s, s.context.size >= 5)", Truth.Unknown)]
    [InlineData("signals.count(s, s.source == 'web') == 2", Truth.True)]
    [InlineData("signals.count(s, s.context.size > 1) == 2", Truth.True)] // only true counts
    [InlineData("signals.count(s, true) > 3", Truth.False)]
    [InlineData("signals.within(2d)", Truth.True)]
    [InlineData("signals.within(2d) && signals.source == 'crm'", Truth.False)] // the same signal
    [InlineData("signals.within(60d) && signals.source == 'crm'", Truth.True)]
    [InlineData("signals.any(s, s.within(2d)) && signals.source == 'crm'", Truth.True)]
    [InlineData("signals.any(s, s.source == signals.source && s.context.size == 50)", Truth.True)]
    [InlineData("signals.any(a, signals.any(b, a.source != b.source && a.signal_type == 'visit'))", Truth.True)]
    [InlineData("signals.any(a, signals.all(b, a.source == b.source))", Truth.False)]
    [InlineData("signal.source == 'web'", Truth.Unknown)] // none at hand
    public void Paths_speak_of_one_signal_and_quantifiers_of_any(string text, Truth expected) =>
        Assert.Equal(expected, Given.Truth(text, _lead));

    [Theory]
    [InlineData("signals.source == 'web' || true", Truth.True)]
    [InlineData("signals.source == 'web'", Truth.Unknown)]
    [InlineData("!(signals.source == 'web')", Truth.Unknown)]
    [InlineData("has(signals)", Truth.False)]
    [InlineData("signals.any(s, true)", Truth.False)]
    [InlineData("signals.all(s, false)", Truth.True)]
    [InlineData("signals.count(s, true) == 0", Truth.True)]
    public void A_lead_without_signals_has_nothing_to_match(string text, Truth expected) =>
        Assert.Equal(expected, Given.Truth(text, Given.Signals()));

    [Theory]
    [InlineData("signals.source == signal.source")]
    [InlineData("signals.any(s, s.source == 'web')")]
    [InlineData("signals.count(s, true) == 1")]
    [InlineData("signal.within(1h) && signals.within(1h)")]
    public void Where_one_signal_is_at_hand_it_is_all_of_them(string text) =>
        Assert.Equal(Truth.True, Given.Truth(text, Given.Signal("""{"source":"web","occurred_at":"2026-03-15T11:30:00Z"}""")));

    [Fact]
    public void The_paths_of_a_condition_can_be_read_to_explain_it()
    {
        var condition = Given.Condition("signal.properties.size > 1 && signal.properties.size < 9 && (person.title == 'x' || signals.any(s, s.source == 'y'))");
        var input = Given.Context("""{"size":5}""");

        Assert.Equal(["signal.properties.size", "person.title"], condition.Paths.Select(path => path.Text));
        Assert.Equal(["5", "missing"], condition.Paths.Select(path => path.Read(input).ToDisplayText()));
    }
}
