using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.Conditions;
using SignalHub.Projects;
using SignalHub.Tests.Conditions;
using SignalHub.Webhooks;

namespace SignalHub.Tests.Projects;

public sealed class ProjectPriorityTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 14, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true, true, true, "high")]
    [InlineData(false, true, true, "medium")]
    [InlineData(false, false, true, "low")]
    [InlineData(true, true, false, "low")]
    public void Without_rules_the_verdict_decides_and_a_signal_about_nobody_is_low(bool qualified, bool hasIcp, bool hasLead, string priority) =>
        Assert.Equal(priority, Of().PriorityOf(Facts("{}"), new PriorityFacts(qualified, hasIcp, hasLead)));

    [Fact]
    public void The_first_rule_that_is_true_decides_and_an_unknown_one_does_not()
    {
        var project = Of(("signal.context.missing > 1", "high"), ("signal.context.n > 10", "high"), ("signal.context.n > 1", "medium"), ("true", "low"));

        Assert.Equal("medium", project.PriorityOf(Facts("""{"n":5}"""), new PriorityFacts(true, true, true)));
        Assert.Equal("high", project.PriorityOf(Facts("""{"n":50}"""), new PriorityFacts(false, false, true)));
        Assert.Equal("low", project.PriorityOf(Facts("{}"), new PriorityFacts(true, true, true)));
    }

    [Fact]
    public void A_condition_that_no_longer_compiles_matches_nothing_and_a_broken_rule_is_passed_over()
    {
        var broken = Project.Of(Stored(when: "gone ("));
        var rules = Of(("gone (", "high"), ("true", "medium"));

        Assert.True(broken.HasBrokenCondition);
        Assert.False(broken.Matches("a", "s", Facts("{}")));
        Assert.Equal("medium", rules.PriorityOf(Facts("{}"), new PriorityFacts(true, true, true)));
    }

    /// <summary>Matching is what the fields say one by one; each match has the priority of the first true rule, or the default.</summary>
    [Fact]
    public void A_set_matches_what_each_of_its_projects_matches_in_order()
    {
        var lists = Gen.Elements<string[]>([], ["a"], ["a", "B"], ["c"]);
        var conditions = Gen.Elements<string?>(null, "signal.context.n > 1", "signal.context.n < 1", "signal.context.missing == 1", "broken (");
        var projects =
            from types in lists
            from sources in lists
            from when in conditions
            from rules in (from w in conditions from p in Gen.Elements(Priorities.All.ToArray()) select (When: w ?? "true", Priority: p)).ListOf()
            select Stored(types, sources, when, [.. rules.Take(3)]);
        var inputs =
            from type in Gen.Elements("a", "b")
            from source in Gen.Elements("A", "b", "x")
            from n in Gen.Choose(0, 3)
            from verdict in Gen.Elements(new PriorityFacts(true, true, true), new PriorityFacts(false, true, true), new PriorityFacts(false, false, true), new PriorityFacts(true, true, false))
            select (Type: type, Source: source, N: n, Verdict: verdict);

        Prop.ForAll(projects.ListOf().ToArbitrary(), inputs.ToArbitrary(), (list, input) =>
        {
            bool? Holds(string text) => text switch { "signal.context.n > 1" => input.N > 1, "signal.context.n < 1" => input.N < 1, "true" => true, _ => null };
            var set = new ProjectSet([.. list.Select(Project.Of)]);
            var expected = list
                .Where(p => (p.SignalTypes.Count == 0 || p.SignalTypes.Contains(input.Type))
                    && (p.Sources.Count == 0 || p.Sources.Contains(input.Source, StringComparer.OrdinalIgnoreCase))
                    && (p.When is null || Holds(p.When) == true))
                .Select(p => !input.Verdict.HasLead ? "low"
                    : p.Priorities.FirstOrDefault(r => Holds(r.When!) == true)?.Priority
                        ?? (input.Verdict.Qualified ? "high" : input.Verdict.HasIcp ? "medium" : "low"));

            var matched = set.Match(input.Type, input.Source, Facts($$"""{"n":{{input.N}}}"""), input.Verdict);

            return matched.Select(m => m.Priority).SequenceEqual(expected) && matched.All(m => set.Find(m.ProjectId) is not null);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_workspace_without_projects_pays_nothing()
    {
        var facts = Facts("{}");
        ProjectSet.Empty.Match("a", "s", facts, default);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1_000; i++)
        {
            ProjectSet.Empty.Match("a", "s", facts, default);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("product_usage", "Workspace \"upgraded\"\n", """{"team_size":12,"plan":"pro","on":true,"nested":{"a":1},"none":null,"list":[1]}""",
        "Product usage \"Workspace \"upgraded\" \": on true, plan pro, team_size 12.")]
    [InlineData("demo", null, "{}", "Demo.")]
    [InlineData("demo", null, """{"f":6,"e":5,"d":4,"c":3,"b":2,"a":1}""", "Demo: a 1, b 2, c 3, d 4, e 5.")]
    public void An_event_is_described_by_its_type_name_and_context(string type, string? name, string context, string sentence) =>
        Assert.Equal(sentence, Detection.Describe(type, name, JsonElement.Parse(context)));

    [Fact]
    public void A_description_stays_a_sentence_whatever_the_values_are_long()
    {
        var text = Detection.Describe("demo", new string('x', 200), JsonElement.Parse($$"""{"note":"{{new string('\u00e4', 100_000)}}"}"""));

        Assert.InRange(text.Length, 120, 200);
    }

    private static Project Of(params (string When, string Priority)[] rules) => Project.Of(Stored(rules: rules));

    private static StoredProject Stored(
        string[]? types = null, string[]? sources = null, string? when = null, (string When, string Priority)[]? rules = null) => new(
        Guid.CreateVersion7(_now), "x", null, types ?? [], sources ?? [], when,
        [.. (rules ?? []).Select(r => new PriorityRuleBody { When = r.When, Priority = r.Priority })], null, _now, _now);

    private static ConditionInput Facts(string context) => Given.Context(context);
}
