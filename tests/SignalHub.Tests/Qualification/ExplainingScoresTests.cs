using FsCheck;
using FsCheck.Fluent;
using SignalHub.Qualification;

namespace SignalHub.Tests.Qualification;

public sealed class ExplainingScoresTests
{
    /// <summary>State 0: the value is there and gives the points, 1: it is there and gives none, 2: it is missing.</summary>
    private sealed record Line(bool IsPenalty, int Weight, int Points, int State)
    {
        public string Criterion(int name) =>
            $$"""{"id":"n{{name}}","mode":"{{(IsPenalty ? "penalty" : "score")}}","weight":{{Weight}},"field":"signal.context.f{{name}}","bands":[{"in":[1],"points":{{Points}}}]}""";
    }

    private static readonly Arbitrary<Line[]> _lines = (
        from isPenalty in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        from weight in Gen.Frequency((3, Gen.Choose(1, 20)), (1, Gen.Choose(1, CriterionBody.MaxWeight)))
        from points in Gen.Choose(0, 100)
        from state in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)))
        select new Line(isPenalty, weight, points, state)).ArrayOf().Where(lines => lines.Length <= DefinitionBody.MaxCriteria).ToArbitrary();

    private static Verdict Score(IEnumerable<(Line Line, int Name)> lines) => Defined.Score(
        Defined.Icp("A", string.Join(',', lines.Select(l => l.Line.Criterion(l.Name)))),
        "{" + string.Join(',', lines.Where(l => l.Line.State < 2).Select(l => $"\"f{l.Name}\":{l.Line.State + 1}")) + "}");

    [Fact]
    public void Contributions_add_up_to_exactly_the_score() => Prop.ForAll(_lines, lines =>
    {
        var icp = Score(lines.Select((line, name) => (line, name))).View().Icp!;
        var hasScore = lines.Any(l => !l.IsPenalty);
        var gained = icp.Criteria.Where(c => c.Mode == "score").Sum(c => c.Contribution!.Value);
        var lost = icp.Criteria.Where(c => c.Mode == "penalty").Sum(c => c.Contribution!.Value);
        return (hasScore ? gained : 100) == icp.Base && -lost == icp.Penalty && Math.Max(0, icp.Base - icp.Penalty) == icp.Score
            && icp.Criteria.All(c => c.Mode == "score" ? c.Contribution >= 0 : c.Contribution <= 0);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_entries_reproduce_the_score_by_the_published_formula() => Prop.ForAll(_lines, lines =>
    {
        var icp = Score(lines.Select((line, name) => (line, name))).View().Icp!;
        var scores = icp.Criteria.Where(c => c.Mode == "score").ToList();
        decimal weights = scores.Sum(c => c.Weight!.Value);
        var @base = weights == 0 ? 100 : Math.Floor((scores.Sum(c => c.Weight!.Value * (c.Points ?? 0)) / weights) + 0.5m);
        var penalty = Math.Floor((icp.Criteria.Where(c => c.Mode == "penalty").Sum(c => (decimal)c.Weight!.Value * (c.Points ?? 0)) / 100) + 0.5m);
        var coverage = weights == 0 ? 100 : Math.Floor((100m * scores.Where(c => c.Points is not null).Sum(c => c.Weight!.Value) / weights) + 0.5m);
        return icp.Score == Math.Clamp(@base - penalty, 0, 100) && icp.Coverage == coverage;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_score_is_between_0_and_100_and_does_not_depend_on_the_order_of_criteria() => Prop.ForAll(_lines, Gen.Choose(0, 1000).ToArbitrary(), (lines, seed) =>
    {
        var named = lines.Select((line, name) => (line, name)).ToList();
        var shuffled = named.OrderBy(l => (l.name + 7L) * (seed + 13L) * 2_654_435_761L % 1_000_003L).ToList();
        var (one, other) = (Score(named), Score(shuffled));
        return one.IcpScore is >= 0 and <= 100 && one.IcpScore == other.IcpScore && one.View().Icp!.Coverage == other.View().Icp!.Coverage;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_same_input_gives_the_same_bytes()
    {
        var lines = Enumerable.Range(0, 20).Select(i => (new Line(i % 5 == 0, i + 1, i * 5, i % 3), i)).ToList();

        Assert.Equal(Score(lines).CompactText(), Score(lines).CompactText());
    }

    [Fact]
    public void An_entry_shows_what_was_seen()
    {
        var icp = Defined.Icp("A",
            """
            {"label":"Size","mode":"filter","when":"company.employees >= 50 && company.employees <= 1000"},
            {"label":"Place","mode":"filter","when":"company.country == 'DE' || company.industry == 'software'"},
            {"label":"Team","mode":"score","weight":3,"field":"signal.context.team_size","bands":[{"from":10,"points":100}]},
            {"label":"Plan","mode":"score","weight":1,"field":"signal.context.plan","bands":[{"in":["pro"],"points":100}]},
            {"label":"Free mail","mode":"penalty","weight":10,"when":"person.email_class == 'free_mail'"}
            """);
        var input = Defined.Input("""{"context":{"team_size":12}}""", """{"email_class":"free_mail"}""", """{"employees":320,"country":"DE"}""");

        var view = Scorer.Score(Defined.Set(icp), input, personKnown: true).View();

        Assert.Equal(
            ["Size filter 320    True", """Place filter {"company.country":"DE"}    True""", "Team score 12 3 100 75 ", "Plan score  1  0 ", "Free mail penalty free_mail 10 100 -10 "],
            view.Icp!.Criteria.Select(c => $"{c.Label} {c.Mode} {c.Value} {c.Weight} {c.Points} {c.Contribution} {c.Passed}"));
        Assert.Equal((65, 75, 10, 75), (view.Icp.Score, view.Icp.Base, view.Icp.Penalty, view.Icp.Coverage));
        Assert.Equal("Qualified: the account fits A with 65 of 100 (Team 12 +75, Free mail free_mail −10).", view.RelevanceExplanation);
    }

    [Fact]
    public void A_long_value_is_cut()
    {
        var text = string.Concat(Enumerable.Repeat("é😀", 2_000));
        var view = Defined.Score(Defined.Icp("A", """{"mode":"score","weight":1,"field":"signal.context.t","bands":[{"in":["x"],"points":1}]}"""), $$"""{"t":"{{text}}"}""").View();

        var shown = view.Icp!.Criteria[0].Value.GetString()!;
        Assert.InRange(shown.Length, 190, 201);
        Assert.EndsWith("…", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "Not qualified: no ICP is defined.")]
    [InlineData("""["filter"]""", "Not qualified: no ICP fits; A needs to know Size.")]
    [InlineData("""["exclude"]""", "Not qualified: no ICP fits; A is ruled out by Source.")]
    [InlineData("""["low"]""", "Not qualified: the account fits A with 40 of 100 where 60 are needed (Source x +40).")]
    [InlineData("""["high","persona"]""", "Not qualified: the account fits A with 100 of 100 (Source x +100), but no persona fits; P needs to know Title.")]
    public void A_sentence_says_what_decided(string which, string sentence)
    {
        var known = new Dictionary<string, DefinitionBody>
        {
            ["filter"] = Defined.Icp("A", """{"label":"Size","mode":"filter","when":"company.employees > 1"}"""),
            ["exclude"] = Defined.Icp("A", """{"label":"Source","mode":"exclude","when":"signal.source == 'x'"}"""),
            ["low"] = Defined.Icp("A", """{"label":"Source","mode":"score","weight":1,"field":"signal.source","bands":[{"in":["x"],"points":40}]}"""),
            ["high"] = Defined.Icp("A", """{"label":"Source","mode":"score","weight":1,"field":"signal.source","bands":[{"in":["x"],"points":100}]}"""),
            ["persona"] = Defined.Persona("P", """{"label":"Title","mode":"filter","when":"person.seniority == 'vp'"}"""),
        };
        var definitions = System.Text.Json.JsonSerializer.Deserialize<string[]>(which)!.Select(name => known[name]).ToArray();

        Assert.Equal(sentence, Scorer.Score(Defined.Set(definitions), Defined.Input("""{"source":"x"}"""), personKnown: true).View().RelevanceExplanation);
    }
}
