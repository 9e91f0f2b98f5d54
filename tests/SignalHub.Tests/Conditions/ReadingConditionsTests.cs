using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>The vectors of the specification and what each kind of comparison means.</summary>
public sealed class ReadingConditionsTests
{
    private const string Document = """
        {"signal_type":"product_usage","source":"segment","context":{"team_size":12,"team_str":"12","plan_tier":"free","country":"DE",
         "tags":["trial","sso"],"nested":{"a":{"b":3}}}}
        """;

    [Theory]
    [InlineData("signals.context.team_size > 10", true)]
    [InlineData("signals.context.team_size > 12", false)]
    [InlineData("signals.context.team_str > 10", true)]
    [InlineData("signals.context.missing < 15", false)]
    [InlineData("signals.context.missing != 5", false)]
    [InlineData("!(signals.context.missing == 5)", false)]
    [InlineData("signals.context.missing == 5 || signals.source == 'segment'", true)]
    [InlineData("!(signals.context.plan_tier > 3)", false)]
    [InlineData("signals.context.plan_tier == 'FREE' && signals.context.country in ['DE','AT']", true)]
    [InlineData("'sso' in signals.context.tags", true)]
    [InlineData("signals.context.nested.a.b >= 3 or signals.source == 'x'", true)]
    public void The_vectors_of_the_specification_hold(string text, bool matches) =>
        Assert.Equal(matches, Given.Condition(text).Matches(Given.Signal(Document)));

    [Theory]
    [InlineData("signal.properties.team_size == 12")]
    [InlineData("signal['context'][\"team_size\"] == 12")]
    [InlineData("signals.context.tags[1] == 'SSO'")]
    [InlineData("signal . context\n.tags [ 0 ] == 'trial'")]
    [InlineData("signal.properties.tags.contains('Trial')")]
    [InlineData("signal.signal_type.startsWith('PRODUCT_')")]
    [InlineData("signal.signal_type.endsWith('usage') and not signal.signal_type.contains('trial')")]
    [InlineData("'xyz' not in signal.context.tags")]
    [InlineData("not signal.source == 'web'")]
    [InlineData("(signal.source == 'segment') == true")]
    [InlineData("lower(signal.context.country) < 'df'")]
    [InlineData("size(signal.context.tags) == 2 && size(signal.context.nested) == 1 && size(signal.context.plan_tier) == 4")]
    [InlineData("size(['a','b']) == 2 && size('h\u00e9\ud83d\ude00') == 3")]
    [InlineData("true and not false")]
    [InlineData("signal.context.team_size in [11, 12.0]")]
    [InlineData("signal.context.country != 'AT' && signal.context.country == \"\\u0044E\"")]
    public void These_match_the_same_document(string text) => Assert.Equal(Truth.True, Given.Truth(text, Given.Signal(Document)));

    [Theory]
    [InlineData("signal.context.in == 1 && signal.context.not == 2 && signal.context.true == 3", """{"in":1,"not":2,"true":3}""")]
    [InlineData("signal.context['a b'].c == 1", """{"a b":{"c":1}}""")]
    [InlineData("signal.context['größe'] == 'XL'", """{"größe":"xl"}""")]
    [InlineData("signal.context.on", """{"on":true}""")]
    [InlineData("!signal.context.off", """{"off":false}""")]
    [InlineData("signal.context.a < signal.context.b", """{"a":2,"b":10}""")]
    [InlineData("signal.context.text == 'it\\'s'", """{"text":"it's"}""")]
    [InlineData("signal.context.text == 'a\\n\"b\"'", """{"text":"A\n\"B\""}""")]
    public void Names_and_texts_are_taken_literally(string text, string context) =>
        Assert.Equal(Truth.True, Given.Truth(text, Given.Context(context)));

    [Theory]
    [InlineData("signal.context.x > 10", "\"12\"", Truth.True)]
    [InlineData("10 < signal.context.x", "\"1.2e1\"", Truth.True)]
    [InlineData("signal.context.x == 12", "\"12.0\"", Truth.True)]
    [InlineData("signal.context.x in [12]", "\"12\"", Truth.True)]
    [InlineData("12 in signal.context.x", "[\"12\"]", Truth.True)]
    [InlineData("signal.context.x.contains(12)", "[\"12\"]", Truth.True)]
    [InlineData("signal.context.x == 12", "\" 12\"", Truth.Unknown)]
    [InlineData("signal.context.x == 12", "\"012\"", Truth.Unknown)]
    [InlineData("signal.context.x == 12", "\"+12\"", Truth.Unknown)]
    [InlineData("signal.context.x == 12", "\"12.\"", Truth.Unknown)]
    [InlineData("signal.context.x == 12", "\"0xC\"", Truth.Unknown)]
    [InlineData("signal.context.x > 12", "\"1e999\"", Truth.Unknown)]
    [InlineData("signal.context.x > 12", "\"NaN\"", Truth.Unknown)]
    [InlineData("signal.context.x == '12'", "12", Truth.Unknown)]
    [InlineData("signal.context.x == true", "1", Truth.Unknown)]
    [InlineData("signal.context.x == true", "\"true\"", Truth.Unknown)]
    [InlineData("signal.context.x == 1", "true", Truth.Unknown)]
    public void A_numeric_string_counts_only_against_a_literal_number(string text, string x, Truth expected) =>
        Assert.Equal(expected, Given.Truth(text, Given.Context($$"""{"x":{{x}}}""")));

    [Fact]
    public void A_numeric_string_is_not_a_number_against_another_field() =>
        Assert.Equal(Truth.Unknown, Given.Truth("signal.context.a == signal.context.b", Given.Context("""{"a":"12","b":12}""")));

    [Theory]
    [InlineData("9007199254740993", "9007199254740992", false)]
    [InlineData("9007199254740993", "9007199254740993", true)]
    [InlineData("-9223372036854775808", "-9223372036854775807", false)]
    [InlineData("92233720368547758089", "92233720368547758088", false)]
    [InlineData("92233720368547758089", "92233720368547758089.0", true)]
    [InlineData("1e20", "100000000000000000000", true)]
    [InlineData("9007199254740992.5", "9007199254740992", true)]
    [InlineData("0.1", "0.10000000000000000001", true)]
    [InlineData("-0", "0", true)]
    public void Whole_numbers_compare_exactly_and_others_as_binary64(string number, string literal, bool equal)
    {
        var expected = equal ? Truth.True : Truth.False;
        var input = Given.Context($$"""{"x":{{number}},"y":{{literal}},"text":"{{number}}"}""");

        Assert.Equal(expected, Given.Truth($"signal.context.x == {literal}", input));
        Assert.Equal(expected, Given.Truth("signal.context.x == signal.context.y", input));
        Assert.Equal(expected, Given.Truth($"signal.context.text == {literal}", input));
    }

    [Theory]
    [InlineData("'\uFFFD' < '\U0001F600'", Truth.True)] // UTF-16 order says the opposite
    [InlineData("'\uE000' > '\U00010000'", Truth.False)]
    [InlineData("'Z' < 'a'", Truth.True)]
    [InlineData("'a' <= 'A'", Truth.False)]
    [InlineData("'a' < 'ab'", Truth.True)]
    [InlineData("'10' < '9'", Truth.True)]
    [InlineData("'\u00C9' == '\u00E9'", Truth.False)]
    [InlineData("'\u212A' == 'k'", Truth.False)] // Kelvin sign: only A to Z have case
    [InlineData("'K' == 'k'", Truth.True)]
    public void Texts_order_by_code_point_and_match_without_regard_to_ascii_case(string text, Truth expected) =>
        Assert.Equal(expected, Given.Truth(text, Given.Context("{}")));

    [Theory]
    [InlineData("signal.context.at > ago(14d)", "\"2026-03-01T12:00:00.000001Z\"", Truth.True)]
    [InlineData("signal.context.at > ago(2w)", "\"2026-03-01T12:00:00Z\"", Truth.False)]
    [InlineData("signal.context.at == now()", "\"2026-03-15T13:00:00+01:00\"", Truth.True)]
    [InlineData("signal.context.at == ago(90m)", "\"2026-03-15T10:30:00.0000009z\"", Truth.True)]
    [InlineData("ago(1h) >= signal.context.at", "\"2026-03-15T11:00:00Z\"", Truth.True)]
    [InlineData("signal.context.at < now()", "\"2026-03-01\"", Truth.Unknown)]
    [InlineData("signal.context.at < now()", "\"2026-03-01T12:00:00\"", Truth.Unknown)]
    [InlineData("signal.context.at < now()", "\"2026-02-30T12:00:00Z\"", Truth.Unknown)]
    [InlineData("signal.context.at < now()", "\"2026-03-01T12:00:60Z\"", Truth.Unknown)]
    [InlineData("signal.context.at < now()", "1700000000", Truth.Unknown)]
    public void Timestamps_compare_as_instants(string text, string at, Truth expected) =>
        Assert.Equal(expected, Given.Truth(text, Given.Context($$"""{"at":{{at}}}""")));

    [Fact]
    public void An_instant_of_a_record_compares_with_a_timestamp_in_quotes()
    {
        var input = new ConditionInput { Lead = new OneField("first_signal_at", ConditionValue.Of(Given.Now)), Now = Given.Now };

        Assert.Equal(Truth.True, Given.Truth("lead.first_signal_at > '2026-03-15T12:59:59+01:00'", input));
        Assert.Equal(Truth.Unknown, Given.Truth("lead.first_signal_at > '2026-03-15'", input));
    }

    [Theory]
    [InlineData("VP Sales", "vp *", true)]
    [InlineData("VP", "vp *", false)]
    [InlineData("svp sales", "vp *", false)]
    [InlineData("abc", "a?c", true)]
    [InlineData("a\U0001F600c", "a?c", true)]
    [InlineData("a\U0001F600c", "a??c", false)]
    [InlineData("", "*", true)]
    [InlineData("", "", true)]
    [InlineData("x", "", false)]
    [InlineData("aXbXc", "a*b*c", true)]
    [InlineData("aXbX", "a*b*c", false)]
    [InlineData("abab", "*ab", true)]
    [InlineData("a.c", "a.c", true)]
    [InlineData("abc", "a.c", false)]
    public void Glob_matches_whole_texts(string title, string pattern, bool matches)
    {
        var input = new ConditionInput { Person = new OneField("title", ConditionValue.Of(title)) };
        Assert.Equal(matches, Given.Condition($"glob(person.title, '{pattern}')").Matches(input));
    }

    [Fact]
    public async Task Glob_does_not_explode_on_many_stars()
    {
        var input = new ConditionInput { Person = new OneField("title", ConditionValue.Of(new string('a', 20_000))) };
        var condition = Given.Condition($"glob(person.title, '{string.Concat(Enumerable.Repeat("a*", 60))}b')");

        // Backtracking into every star would take longer than the universe has.
        var truth = await Task.Run(() => condition.Evaluate(input)).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(Truth.False, truth);
    }

    [Theory]
    [InlineData("VP of Sales, EMEA", Truth.True)]
    [InlineData("Sales (VP)", Truth.True)]
    [InlineData("Chief Technology Officer & CTO", Truth.True)]
    [InlineData("Vice-Pr\u00e9sident", Truth.True)]
    [InlineData("VP Marketing", Truth.False)]
    [InlineData("SVP Sales", Truth.False)]
    [InlineData("director", Truth.False)]
    [InlineData("", Truth.False)]
    public void Title_matches_when_each_word_of_one_entry_occurs(string title, Truth expected)
    {
        var input = new ConditionInput { Person = new OneField("title", ConditionValue.Of(title)) };
        Assert.Equal(expected, Given.Truth("title_matches(person.title, ['vp sales', 'CTO', 'vice president', '...'])", input));
    }

    [Fact]
    public void Title_matches_is_unknown_without_a_title() =>
        Assert.Equal(Truth.Unknown, Given.Truth("title_matches(person.title, ['cto'])", new ConditionInput()));

    [Fact]
    public void A_list_of_a_record_is_searched_like_an_array()
    {
        var input = new ConditionInput { Person = new OneField("emails", ConditionValue.Of(["a@example.com", "b@example.com"])) };

        Assert.Equal(Truth.True, Given.Truth("'B@example.com' in person.emails && person.emails.contains('a@example.com')", input));
        Assert.Equal(Truth.True, Given.Truth("person.emails[1] == 'b@example.com' && size(person.emails) == 2", input));
        Assert.Equal(Truth.False, Given.Truth("'c@example.com' in person.emails", input));
    }

    private sealed class OneField(string name, ConditionValue value) : IFields
    {
        public ConditionValue Get(string asked) => asked == name ? value : ConditionValue.Missing;
    }
}
