using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>What cannot be compiled, where the error points, and what it tells the writer.</summary>
public sealed class RejectingConditionsTests
{
    [Theory]
    // The specification's own.
    [InlineData("signals.context.team_size >", "expected_operand", 27, 27)]
    [InlineData("signals.context.team_size = 10", "single_equals", 26, 27)]
    [InlineData("sgnals.x > 1", "unknown_root", 0, 6)]
    [InlineData("(signals.a > 1", "unclosed_paren", 0, 1)]
    [InlineData("signals.a > 'x", "unterminated_string", 12, 14)]
    [InlineData("signals.a > 1x", "bad_number", 12, 14)]
    // Operands.
    [InlineData("", "expected_operand", 0, 0)]
    [InlineData(" \n ", "expected_operand", 3, 3)]
    [InlineData("signal.source == 'a' &&", "expected_operand", 23, 23)]
    [InlineData("== 5", "expected_operand", 0, 2)]
    [InlineData("signal.source <> 'a'", "expected_operand", 15, 16)]
    [InlineData("signal.source == not true", "expected_operand", 17, 20)]
    [InlineData("()", "expected_operand", 1, 2)]
    [InlineData("signal.source in ['a',]", "expected_operand", 22, 23)]
    [InlineData("signal.source in [,'a']", "expected_operand", 18, 19)]
    [InlineData("signals.within('a')", "expected_operand", 15, 18)]
    [InlineData("glob(signal.source)", "expected_operand", 18, 19)]
    [InlineData("glob(signal.source, signal.id)", "expected_operand", 20, 26)]
    [InlineData("title_matches(person.title, 'cto')", "expected_operand", 28, 33)]
    // Names.
    [InlineData("signals.", "expected_name", 8, 8)]
    [InlineData("signals.5", "expected_name", 8, 9)]
    [InlineData("signals.'a'", "expected_name", 8, 11)]
    [InlineData("signals > 1", "expected_name", 0, 7)]
    [InlineData("signal.context[a] == 1", "expected_name", 15, 16)]
    [InlineData("has('x')", "expected_name", 4, 7)]
    [InlineData("signals.any(5, true)", "expected_name", 12, 13)]
    [InlineData("signals.any(lead, true)", "expected_name", 12, 16)]
    [InlineData("signals.any(s, s == 1)", "expected_name", 15, 16)]
    // What cannot follow.
    [InlineData("signal.a < 1 < 2", "unexpected_token", 13, 14)]
    [InlineData("signal.a > 1 AND signal.b > 1", "unexpected_token", 13, 16)]
    [InlineData("signal.a > 1)", "unexpected_token", 12, 13)]
    [InlineData("(signal.a > 1]", "unexpected_token", 13, 14)]
    [InlineData("signal.a -5 > 1", "unexpected_token", 9, 11)]
    [InlineData("signal.a not 5", "unexpected_token", 13, 14)]
    [InlineData("signal.a in [1 2]", "unexpected_token", 15, 16)]
    [InlineData("signal.a in [signal.b]", "unexpected_token", 13, 19)]
    [InlineData("has(signal.a, signal.b)", "unexpected_token", 12, 13)]
    [InlineData("now(1) > signal.occurred_at", "unexpected_token", 4, 5)]
    [InlineData("lower(signal.a).contains('x')", "unexpected_token", 15, 16)]
    // Characters and texts.
    [InlineData("signal.a > 1 & signal.b > 1", "unexpected_character", 13, 14)]
    [InlineData("signal.a + 1 > 1", "unexpected_character", 9, 10)]
    [InlineData("signal.team-size > 1", "unexpected_character", 11, 12)]
    [InlineData("signal.a == \u201Cx\u201D", "unexpected_character", 12, 13)]
    [InlineData("signal.a == \U0001F600", "unexpected_character", 12, 14)]
    [InlineData("signal.a == '\\q'", "unexpected_character", 13, 15)]
    [InlineData("signal.a == '\\u0000'", "unexpected_character", 13, 19)]
    [InlineData("signal.a == '\\ud800'", "unexpected_character", 13, 19)]
    [InlineData("signal.a == '\0'", "unexpected_character", 13, 14)]
    [InlineData("signal.a == 'x\n' && true", "unterminated_string", 12, 14)]
    [InlineData("signal.a == 'x\\'", "unterminated_string", 12, 16)]
    // Numbers and durations.
    [InlineData("signal.a > 01", "bad_number", 11, 13)]
    [InlineData("signal.a > 1.", "bad_number", 11, 13)]
    [InlineData("signal.a > 1.5.2", "bad_number", 11, 16)]
    [InlineData("signal.a > 1_000", "bad_number", 11, 16)]
    [InlineData("signal.a > 1e999", "bad_number", 11, 16)]
    [InlineData("signal.a > 14d", "bad_number", 11, 14)]
    [InlineData("signal.a in [14d]", "bad_number", 13, 16)]
    [InlineData("signal.a > ago(14)", "bad_number", 15, 17)]
    [InlineData("signal.a > ago(1.5d)", "bad_number", 15, 19)]
    [InlineData("signal.a > ago(99999999999999999999w)", "bad_number", 15, 36)]
    [InlineData("signal.context.a[-1] == 1", "bad_number", 17, 19)]
    // Brackets.
    [InlineData("true && (true || (false)", "unclosed_paren", 8, 9)]
    [InlineData("has(signal.a", "unclosed_paren", 3, 4)]
    [InlineData("signal.a in ['x', 'y'", "unclosed_list", 12, 13)]
    [InlineData("signal.a in [", "unclosed_list", 12, 13)]
    [InlineData("signal.context['a'", "unclosed_list", 14, 15)]
    // Names that are not known.
    [InlineData("signal.source == web", "unknown_root", 17, 20)]
    [InlineData("context.size > 1", "unknown_root", 0, 7)]
    [InlineData("s.source == 'x'", "unknown_root", 0, 1)]
    [InlineData("upper(signal.source) == 'X'", "unknown_function", 0, 5)]
    [InlineData("signal.source.matches('x')", "unknown_function", 14, 21)]
    [InlineData("company.any(s, true)", "unknown_function", 8, 11)]
    [InlineData("signals.context.any(s, true)", "unknown_function", 16, 19)]
    [InlineData("company.within(1d)", "unknown_function", 8, 14)]
    public void Each_mistake_has_its_code_and_its_place(string text, string code, int start, int end)
    {
        var error = Given.Error(text);

        Assert.Equal((code, start, end), (error.Code, error.Start, error.End));
        Assert.NotEmpty(error.Detail);
        Assert.Contains('^', error.Snippet);
    }

    [Theory]
    [InlineData("signal.a = 1", "use ==")]
    [InlineData("signal.a => 1", "use >=")]
    [InlineData("signal.a <> 1", "use != for \"is not\"")]
    [InlineData("sgnals.x > 1", "did you mean signals?")]
    [InlineData("compnay.domain == 'x'", "did you mean company?")]
    [InlineData("context.size > 1", "did you mean signal.context?")]
    [InlineData("signal.source == segment", "put text in quotes: 'segment'")]
    [InlineData("signal.a == True", "write true")]
    [InlineData("signal.a == 1 OR true", "write or")]
    [InlineData("lowr(signal.a) == 'x'", "did you mean lower?")]
    [InlineData("signal.source.startswith('x')", "did you mean startsWith?")]
    [InlineData("signal.any(s, true)", "write signals.any(…)")]
    [InlineData("signal.a > ago(14)", "write 14d for days")]
    [InlineData("signal.a > 14d", "write ago(14d) for that long ago")]
    [InlineData("signal.a > 1_000", "write 1000")]
    [InlineData("signal.a < 1 < 2", "write a < b && b < c")]
    [InlineData("signal.a == \u2018x\u2019", "use straight quotes: 'text'")]
    [InlineData("signal.context[a] == 1", "write [\"a\"]")]
    [InlineData("title_matches(person.title, 'cto')", "write ['cto']")]
    [InlineData("(true", "add )")]
    public void The_hint_says_what_was_probably_meant(string text, string hint) => Assert.Equal(hint, Given.Error(text).Hint);

    [Fact]
    public void An_error_shows_its_line_and_column()
    {
        var error = Given.Error("signal.source == 'a'\n\t&& signal.size = 3\n&& true");

        Assert.Equal((2, 17), (error.Line, error.Column));
        Assert.Equal("\t&& signal.size = 3\n\t               ^", error.Snippet);
        Assert.Equal(["=="], error.Expected);
    }

    [Fact]
    public void The_snippet_of_a_long_line_is_cut_around_the_place()
    {
        var error = Given.Error($"signal.source in [{string.Join(", ", Enumerable.Repeat("'abcdef'", 100))}] = 1");

        var lines = error.Snippet.Split('\n');
        Assert.True(lines[0].Length <= 80, error.Snippet);
        Assert.Equal('=', lines[0][lines[1].IndexOf('^', StringComparison.Ordinal)]);
    }

    [Fact]
    public void Every_unknown_root_is_reported_at_once()
    {
        var result = Condition.Compile("sgnal.a == 1 && persn.b == 2", Roots.All);

        Assert.Null(result.Condition);
        Assert.Equal([(0, 5), (16, 21)], result.Errors.Select(error => (error.Start, error.End)));
    }

    [Theory]
    [InlineData("signal signals", ConditionScopes.SubRule)]
    [InlineData("signal signals person company", ConditionScopes.IcpCriteria)]
    [InlineData("signal signals person company icp", ConditionScopes.PersonaCriteria)]
    [InlineData("signal signals lead person company icp persona", ConditionScopes.Routing)]
    [InlineData("signals lead person company", ConditionScopes.Audience)]
    [InlineData("signal signals", Roots.Signal)]
    [InlineData("", Roots.None)]
    public void A_scope_has_its_roots_and_no_others(string names, Roots scope)
    {
        foreach (var root in new[] { "signal", "signals", "lead", "person", "company", "icp", "persona" })
        {
            var result = Condition.Compile($"has({root}.x)", scope);
            if (names.Split(' ').Contains(root))
            {
                Assert.True(result.Condition is not null, $"{root} is not allowed");
            }
            else
            {
                var error = Assert.Single(result.Errors);
                Assert.Equal(("unknown_root", 4, 4 + root.Length), (error.Code, error.Start, error.End));
                Assert.Equal(names.Split(' ', StringSplitOptions.RemoveEmptyEntries), error.Expected);
            }
        }
    }

    [Fact]
    public void A_variable_is_known_only_inside_its_quantifier() =>
        Assert.Equal(("unknown_root", 33), (Given.Error("signals.any(s, s.id == 'x') and (s.id == 'x')").Code, Given.Error("signals.any(s, s.id == 'x') and (s.id == 'x')").Start));

    [Theory]
    [InlineData("signal.sorce == 'x'", "unknown_field", 7, 12, "did you mean source?")]
    [InlineData("signals.any(s, s.plan == 'x')", "unknown_field", 17, 21, "fields of your own are under context: s.context.plan")]
    [InlineData("company.employes > 5", "unknown_field", 8, 16, "did you mean employees?")]
    [InlineData("signal.source.x == 'x'", "unknown_field", 14, 15, null)]
    [InlineData("lead.mood == 'x'", "unknown_field", 5, 9, null)]
    [InlineData("company.employees > '50'", "type_mismatch", 0, 24, "write 50 without quotes")]
    [InlineData("lead.qualified == 'true'", "type_mismatch", 0, 24, "write true without quotes")]
    [InlineData("lead.qualified < true", "type_mismatch", 0, 21, null)]
    [InlineData("signal.occurred_at > '2026-01-01'", "type_mismatch", 0, 33, "write a full timestamp with offset, as in '2026-01-31T00:00:00Z', or ago(14d)")]
    [InlineData("person.title == null", "type_mismatch", 0, 20, "write !has(person.title)")]
    [InlineData("company.employees", "type_mismatch", 0, 17, "compare it with something, as in x == 5")]
    [InlineData("signal.source in 'x'", "type_mismatch", 17, 20, "write x in ['a', 'b']")]
    [InlineData("icp.score in ['a']", "type_mismatch", 0, 18, null)]
    [InlineData("icp.score.contains('a')", "type_mismatch", 0, 9, null)]
    [InlineData("person.title.contains(5)", "type_mismatch", 22, 23, null)]
    [InlineData("glob(icp.score, '5*')", "type_mismatch", 5, 14, null)]
    public void What_is_probably_wrong_is_a_warning(string text, string code, int start, int end, string? hint)
    {
        var warning = Assert.Single(Given.Condition(text).Warnings);
        Assert.Equal((code, start, end, hint), (warning.Code, warning.Start, warning.End, warning.Hint));
    }

    [Theory]
    [InlineData("signal.context.anything == 5 and signal.properties.x.y in ['a'] and person.shoe_size > 40 and company.crm_stage == 'x'")]
    [InlineData("signal.occurred_at > ago(1d) and lead.last_signal_at < '2026-01-31T00:00:00Z' and signal.context.at > now()")]
    [InlineData("person.email_class != 'work' and company.employees in [1, 2] and person.title == 5 and signal.context.x == null")]
    [InlineData("has(person) and signal.context.flag and size(signal.context.list) > 2 and '12' > 10 and signal.context.list.contains(5)")]
    [InlineData("signals.count(s, s.source == 'a') > 2 and signals.all(s, s.context.ok) and title_matches(person.title, ['cto'])")]
    public void What_can_be_meant_has_no_warning(string text) => Assert.Empty(Given.Condition(text).Warnings);

    [Theory]
    [InlineData("signal.context.size", null, 0, 0)]
    [InlineData(" company['employees'] ", null, 0, 0)]
    [InlineData("", "expected_name", 0, 0)]
    [InlineData("company", "expected_name", 0, 7)]
    [InlineData("compani.x", "unknown_root", 0, 7)]
    [InlineData("company.x > 1", "unexpected_token", 10, 11)]
    [InlineData("company.x.contains('a')", "unexpected_token", 10, 18)]
    [InlineData("company.x.", "expected_name", 10, 10)]
    [InlineData("#", "unexpected_character", 0, 1)]
    [InlineData("lead.icp_score", "unknown_root", 0, 4)]
    public void A_field_path_is_one_path_of_the_scope(string text, string? code, int start, int end)
    {
        var result = FieldPath.Parse(text, ConditionScopes.IcpCriteria);

        Assert.Equal(code is null, result.Path is not null);
        Assert.Equal(code is null ? [] : new[] { (code, start, end) }, result.Errors.Select(error => (error.Code, error.Start, error.End)));
    }

    [Fact]
    public void A_field_path_reads_its_value_and_warns_of_unknown_fields()
    {
        var path = FieldPath.Parse("signals.properties.size", ConditionScopes.IcpCriteria).Path!;

        Assert.Equal(5, path.Read(Given.Context("""{"size":5}""")).AsInteger());
        Assert.Equal(7, path.Read(Given.Signals("""{"context":{"size":7}}""", "{}")).AsInteger());
        Assert.Empty(path.Warnings);
        Assert.Equal("unknown_field", Assert.Single(FieldPath.Parse("company.emploees", Roots.All).Path!.Warnings).Code);
    }
}
