using SignalHub.Conditions;
using SignalHub.Qualification;
using SignalHub.Tests.Conditions;

namespace SignalHub.Tests.Qualification;

public sealed class ScoringTests
{
    private static string Score(int weight, int points, string value = "a") =>
        $$"""{"mode":"score","weight":{{weight}},"field":"signal.context.{{value}}","bands":[{"in":[1],"points":{{points}}}]}""";

    private static string Penalty(int weight, int points, string value = "a") => Score(weight, points, value).Replace("score", "penalty", StringComparison.Ordinal);

    [Theory]
    // S = 20·100 + 15·40 = 2600, W = 35: 74.28…
    [InlineData("""{"i":"software","t":5}""", 74, 100)]
    // S = 15·100, W = 35: 42.86 rounds up; industry unknown: 15 of 35 known = 42.86 %.
    [InlineData("""{"t":12}""", 43, 43)]
    // Both known and outside of every band.
    [InlineData("""{"i":"farming","t":1}""", 0, 100)]
    [InlineData("{}", 0, 0)]
    // Strings of tools that cannot send numbers count as numbers; ASCII case does not matter.
    [InlineData("""{"i":"SOFTWARE","t":"10"}""", 100, 100)]
    // null cannot be compared with a band: unknown.
    [InlineData("""{"i":null,"t":10}""", 43, 43)]
    public void A_score_is_the_rounded_share_of_the_weights(string context, int score, int coverage)
    {
        var icp = Defined.Icp("A",
            """
            {"mode":"score","weight":20,"field":"signal.context.i","bands":[{"in":["software","fintech"],"points":100},{"in":["it services"],"points":50}]},
            {"mode":"score","weight":15,"field":"signal.context.t","bands":[{"from":10,"points":100},{"from":3,"to":9,"points":40}]}
            """);

        var verdict = Defined.Score(icp, context);

        Assert.Equal("A", verdict.IcpCode);
        Assert.Equal(score, verdict.IcpScore);
        Assert.Equal(coverage, verdict.View().Icp!.Coverage);
    }

    [Theory]
    [InlineData(1, 50, 1, 51, 51)]   // 50.5 → 51
    [InlineData(1, 50, 2, 51, 51)]   // 50.67 → 51
    [InlineData(2, 50, 1, 51, 50)]   // 50.33 → 50
    [InlineData(1, 0, 1, 1, 1)]      // 0.5 → 1
    [InlineData(1, 99, 1, 100, 100)] // 99.5 → 100
    public void Halves_round_up(int weightA, int pointsA, int weightB, int pointsB, int score)
    {
        var icp = Defined.Icp("A", $"{Score(weightA, pointsA, "a")},{Score(weightB, pointsB, "b")}");

        Assert.Equal(score, Defined.Score(icp, """{"a":1,"b":1}""").IcpScore);
    }

    [Theory]
    [InlineData(10, 100, 90)]    // 10
    [InlineData(1, 49, 100)]     // 0.49 → 0
    [InlineData(1, 50, 99)]      // 0.5 → 1
    [InlineData(1000, 100, 0)]   // 1000, clamped
    public void A_penalty_takes_its_weight_times_points_from_the_whole(int weight, int points, int score)
    {
        var icp = Defined.Icp("A", Penalty(weight, points));

        Assert.Equal(score, Defined.Score(icp, """{"a":1}""").IcpScore);
    }

    [Fact]
    public void Penalties_are_rounded_together_not_one_by_one()
    {
        var icp = Defined.Icp("A", $"{Penalty(1, 40, "a")},{Penalty(1, 40, "b")},{Penalty(1, 40, "c")}");

        // 1.2 → 1; one by one each 0.4 would round to nothing.
        Assert.Equal(99, Defined.Score(icp, """{"a":1,"b":1,"c":1}""").IcpScore);
    }

    [Fact]
    public void Without_score_criteria_the_base_is_100_and_everything_is_covered()
    {
        var verdict = Defined.Score(Defined.Icp("A", ""), "{}");

        Assert.Equal(("A", 100, true), (verdict.IcpCode, verdict.IcpScore, verdict.Qualified));
        Assert.Equal(100, verdict.View().Icp!.Coverage);
    }

    [Fact]
    public void An_unknown_penalty_takes_nothing_and_leaves_the_coverage_alone()
    {
        var verdict = Defined.Score(Defined.Icp("A", $"{Score(10, 80)},{Penalty(50, 100, "b")}"), """{"a":1}""");

        Assert.Equal(80, verdict.IcpScore);
        Assert.Equal(100, verdict.View().Icp!.Coverage);
    }

    [Fact]
    public void A_condition_is_worth_100_points_when_true_and_none_when_false()
    {
        var icp = Defined.Icp("A", """{"mode":"score","weight":3,"when":"signal.context.a == 1"},{"mode":"score","weight":1,"when":"signal.context.b == 1"}""");

        Assert.Equal(75, Defined.Score(icp, """{"a":1,"b":2}""").IcpScore);
        Assert.Equal(25, Defined.Score(icp, """{"a":2,"b":1}""").IcpScore);
    }

    [Fact]
    public void The_first_band_that_matches_counts()
    {
        var icp = Defined.Icp("A", """{"mode":"score","weight":1,"field":"signal.context.a","bands":[{"from":10,"points":30},{"from":1,"points":90}]}""");

        Assert.Equal(30, Defined.Score(icp, """{"a":12}""").IcpScore);
        Assert.Equal(90, Defined.Score(icp, """{"a":5}""").IcpScore);
    }

    [Fact]
    public void A_value_that_some_band_can_be_compared_with_is_known()
    {
        var icp = Defined.Icp("A", """{"mode":"score","weight":1,"field":"signal.context.a","bands":[{"in":["many"],"points":100},{"from":10,"points":100}]}""");

        Assert.Equal(100, Defined.Score(icp, """{"a":2}""").View().Icp!.Coverage);
        Assert.Equal(100, Defined.Score(icp, """{"a":"few"}""").View().Icp!.Coverage);
        Assert.Equal(0, Defined.Score(icp, """{"a":true}""").View().Icp!.Coverage);
    }
}

public sealed class GateTests
{
    private const string Filter = """{"label":"Size","mode":"filter","when":"signal.context.size >= 50"}""";
    private const string Exclude = """{"label":"Rival","mode":"exclude","when":"signal.context.rival == true"}""";

    [Theory]
    [InlineData("""{"size":50}""", "match")]
    [InlineData("""{"size":49}""", "not_icp")]
    [InlineData("{}", "insufficient_data")]
    [InlineData("""{"size":"many"}""", "insufficient_data")]
    public void A_filter_must_hold_and_must_be_known(string context, string expected)
    {
        var verdict = Defined.Score(Defined.Icp("A", Filter), context);

        Assert.Equal(expected, Assert.Single(verdict.View().Definitions).Verdict);
        Assert.Equal(expected == "match" ? "A" : null, verdict.IcpCode);
        Assert.Equal(expected == "match" ? 100 : 0, verdict.IcpScore);
        Assert.Equal(expected == "match", verdict.Qualified);
    }

    [Theory]
    [InlineData("""{"rival":true}""", "not_icp")]
    [InlineData("""{"rival":false}""", "match")]
    [InlineData("{}", "match")]
    public void An_exclude_that_is_hit_removes_the_definition(string context, string expected) =>
        Assert.Equal(expected, Assert.Single(Defined.Score(Defined.Icp("A", Exclude), context).View().Definitions).Verdict);

    [Fact]
    public void A_gate_that_is_surely_closed_outweighs_one_that_is_unknown()
    {
        var view = Defined.Score(Defined.Icp("A", $"{Filter},{Exclude}"), """{"rival":true}""").View();

        Assert.Equal(("not_icp", "Rival"), (view.Definitions[0].Verdict, view.Definitions[0].Gate));
    }

    [Fact]
    public void A_filter_can_be_a_field_with_bands()
    {
        var icp = Defined.Icp("A", """{"mode":"filter","field":"signal.context.size","bands":[{"from":50,"points":100},{"from":10,"points":0}]}""");

        Assert.Equal("A", Defined.Score(icp, """{"size":60}""").IcpCode);
        Assert.Null(Defined.Score(icp, """{"size":20}""").IcpCode);
        Assert.Null(Defined.Score(icp, """{"size":2}""").IcpCode);
    }

    [Fact]
    public void A_stored_definition_that_no_longer_compiles_matches_nothing_and_is_reported()
    {
        var set = Defined.Set(Defined.Icp("A", """{"mode":"exclude","when":"signal.context.a ="}"""), Defined.Icp("B", "", priority: 200));

        var verdict = Scorer.Score(set, Defined.Input("{}"), personKnown: false);

        Assert.Equal("B", verdict.IcpCode);
        Assert.Equal("broken", verdict.View().Definitions.Single(d => d.Code == "A").Verdict);
        Assert.Equal("/criteria/0/when", Assert.Single(Assert.Single(set.Broken).Errors).Pointer);
    }
}

public sealed class ChoosingTheBestTests
{
    private static string Worth(int points) => $$"""{"mode":"score","weight":1,"field":"signal.source","bands":[{"in":["x"],"points":{{points}}}]}""";

    private static Verdict Score(bool personKnown, params DefinitionBody[] definitions) =>
        Scorer.Score(Defined.Set(definitions), Defined.Input("""{"source":"x"}"""), personKnown);

    [Fact]
    public void One_that_reaches_what_it_needs_comes_before_a_higher_score_that_does_not() =>
        Assert.Equal("Low", Score(false, Defined.Icp("High", Worth(89), qualifyAt: 90), Defined.Icp("Low", Worth(40), qualifyAt: 40)).IcpCode);

    [Fact]
    public void Then_the_higher_score_wins() =>
        Assert.Equal("High", Score(false, Defined.Icp("Low", Worth(70), priority: 1), Defined.Icp("High", Worth(71), priority: 2)).IcpCode);

    [Fact]
    public void Then_the_lower_priority_wins() =>
        Assert.Equal("B", Score(false, Defined.Icp("A", Worth(70), priority: 2), Defined.Icp("B", Worth(70), priority: 1)).IcpCode);

    [Fact]
    public void Then_the_first_code_wins() =>
        Assert.Equal("A", Score(false, Defined.Icp("B", Worth(70)), Defined.Icp("A", Worth(70))).IcpCode);

    [Fact]
    public void Nothing_that_matches_is_null_and_0()
    {
        var verdict = Score(true, Defined.Icp("A", """{"mode":"filter","when":"signal.source == 'y'"}"""), Defined.Persona("P", ""));

        Assert.Equal((null, 0, null, 0, false), (verdict.IcpCode, verdict.IcpScore, verdict.PersonaCode, verdict.PersonaScore, verdict.Qualified));
    }

    [Fact]
    public void A_workspace_without_definitions_qualifies_nothing() => Assert.False(Scorer.Score(DefinitionSet.Empty, Defined.Input("{}"), true).Qualified);

    [Fact]
    public void Personas_are_scored_under_the_best_icp_only()
    {
        var verdict = Score(true, Defined.Icp("A", Worth(90)), Defined.Icp("B", Worth(80)), Defined.Persona("Of A", Worth(61)), Defined.Persona("Of B", Worth(99), icp: "B"));

        Assert.Equal(("Of A", 61), (verdict.PersonaCode, verdict.PersonaScore));
        Assert.DoesNotContain(verdict.View().Definitions, d => d.Code == "Of B");
    }

    [Theory]
    [InlineData(60, 60, true)]
    [InlineData(59, 60, false)]
    [InlineData(60, 59, false)]
    public void A_known_person_must_reach_its_persona_too(int icp, int persona, bool qualified) =>
        Assert.Equal(qualified, Score(true, Defined.Icp("A", Worth(icp)), Defined.Persona("P", Worth(persona))).Qualified);

    [Fact]
    public void Without_a_person_personas_neither_score_nor_decide()
    {
        var verdict = Score(false, Defined.Icp("A", Worth(60)), Defined.Persona("P", Worth(0)));

        Assert.Equal((true, null, 0), (verdict.Qualified, verdict.PersonaCode, verdict.PersonaScore));
    }

    [Fact]
    public void Without_personas_the_icp_alone_decides() => Assert.True(Score(true, Defined.Icp("A", Worth(60))).Qualified);

    [Fact]
    public void A_person_whom_no_persona_fits_does_not_qualify()
    {
        var verdict = Score(true, Defined.Icp("A", Worth(90)), Defined.Persona("P", """{"label":"Title","mode":"filter","when":"person.seniority == 'vp'"}"""));

        Assert.Equal(("A", null, false), (verdict.IcpCode, verdict.PersonaCode, verdict.Qualified));
        Assert.Equal(("insufficient_data", "Title"), (verdict.View().Definitions[1].Verdict, verdict.View().Definitions[1].Gate));
    }

    [Fact]
    public void Persona_criteria_see_the_best_icp()
    {
        var persona = Defined.Persona("P", """{"mode":"filter","when":"icp.code == 'A' && icp.score == 70 && icp.coverage == 100 && icp.qualified == true"}""");

        Assert.Equal("P", Score(true, Defined.Icp("A", Worth(70)), persona).PersonaCode);
    }

    [Fact]
    public void What_several_definitions_look_at_is_read_once()
    {
        var fields = new CountingFields("x");
        var set = Defined.Set(
            Defined.Icp("A", """{"mode":"filter","when":"signal.source == 'x' || signal.source == 'y'"},{"mode":"score","weight":1,"when":"signal.source in ['x']"}"""),
            Defined.Icp("B", """{"mode":"score","weight":1,"field":"signal.source","bands":[{"in":["x"],"points":100}]}"""),
            Defined.Persona("P", """{"mode":"filter","when":"signal.source != 'z'"}"""));

        var verdict = Scorer.Score(set, new ConditionInput { Signal = fields }, personKnown: true);

        Assert.Equal(("A", "P", 1), (verdict.IcpCode, verdict.PersonaCode, fields.Reads));
    }

    [Fact]
    public void Routing_conditions_see_what_was_found()
    {
        var input = Defined.Input("""{"source":"x"}""");
        Scorer.Score(Defined.Set(Defined.Icp("A", Worth(70)), Defined.Persona("P", Worth(50))), input, personKnown: true);

        Assert.True(Matches("icp.code == 'A' && icp.score >= 70 && icp.qualified == true && persona.code == 'P' && persona.score == 50 && persona.qualified == false", input));

        Scorer.Score(DefinitionSet.Empty, input, personKnown: true);

        Assert.True(Matches("icp.code == null && icp.score == 0 && persona.score < 1 && icp.qualified == false", input));
    }

    private static bool Matches(string condition, ConditionInput input) => Condition.Compile(condition, ConditionScopes.Routing).Condition!.Matches(input);
}
