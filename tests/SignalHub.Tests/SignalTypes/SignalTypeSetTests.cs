using SignalHub.SignalTypes;
using SignalHub.Tests.Conditions;

namespace SignalHub.Tests.SignalTypes;

public sealed class CatalogueTests
{
    private static readonly string[] _published =
    [
        "companyChange", "promotion",
        "headcountIncrease1m", "headcountIncrease3m", "headcountIncrease6m", "headcountIncrease12m",
        "surgeInHiring", "surgeInHiringByDepartment", "surgeInHiringByLocation", "newJobPost", "newLocation", "websiteTrafficIncrease", "itSpendIncrease",
        "intent", "intentByGeography", "websiteVisitors",
        "financialEventsNews", "commercialActivityNews", "corporateStrategyNews", "productActivityNews", "peopleNews", "marketIntelligenceNews", "riskNews",
        "headcountDecrease1m", "headcountDecrease3m", "headcountDecrease6m", "headcountDecrease12m", "websiteTrafficDecrease", "itSpendDecrease",
    ];

    [Fact]
    public void It_has_every_key_of_seed_002_and_custom_event() =>
        Assert.Equal(_published.Append("customEvent").Order(StringComparer.Ordinal), Catalogue.All.Select(t => t.Alias).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_key_is_a_key_and_names_one_type()
    {
        Assert.All(Catalogue.All, type => Assert.Equal(type.Key, TypeKey.Normalise(type.Key)));
        Assert.Distinct(Catalogue.All.SelectMany(t => new[] { t.Key, t.Alias.ToLowerInvariant() }.Distinct()));
    }

    [Fact]
    public void Every_catalogued_type_says_what_it_is() => Assert.All(Catalogue.All.Where(t => t.Key != "custom_event"), type =>
    {
        Assert.Contains(type.Subject, (string?[])["contact", "company"]);
        Assert.Contains(type.Cadence, (string?[])["daily", "weekly", "monthly"]);
        Assert.NotEmpty(type.Description);
        Assert.Equal(type.Categories.Contains("news"), type.NewsEventTypes.Count > 0);
    });

    [Theory]
    [InlineData("companyChange", "contact", "weekly", "contact")]
    [InlineData("headcountIncrease12m", "company", "monthly", "growth")]
    [InlineData("websiteVisitors", "company", "daily", "intent")]
    [InlineData("riskNews", "company", "weekly", "news,risk")]
    [InlineData("itSpendDecrease", "company", "monthly", "risk")]
    public void Subject_cadence_and_category_are_those_of_the_seed(string alias, string subject, string cadence, string categories)
    {
        var type = Catalogue.All.Single(t => t.Alias == alias);
        Assert.Equal((subject, cadence, categories), (type.Subject, type.Cadence, string.Join(',', type.Categories)));
    }
}

public sealed class FindingTypesTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    private static SignalTypeSet Set(params StoredSignalType[] rows) => SignalTypeSet.Build(rows);

    private static StoredSignalType Row(string key, string origin = SignalTypeOrigin.Custom, bool enabled = true, params SubRuleBody[] rules) =>
        new(key, key, null, origin, true, enabled, rules, _now, _now);

    [Theory]
    [InlineData("company_change")]
    [InlineData("companyChange")]
    [InlineData("COMPANYCHANGE")]
    [InlineData("Company Change")]
    [InlineData(" company-change ")]
    public void A_built_in_type_is_found_by_key_and_alias_in_any_case(string sent) => Assert.Equal("company_change", Set().Find(sent)?.Key);

    [Fact]
    public void A_declared_type_is_found_by_its_name() => Assert.Equal("trial_started", Set(Row("trial_started")).Find("Trial started")?.Key);

    [Fact]
    public void What_the_workspace_changed_about_a_built_in_type_counts_by_key_and_by_alias()
    {
        var set = Set(Row("company_change", SignalTypeOrigin.BuiltIn, enabled: false));

        Assert.False(set.Find("companyChange")!.Enabled);
        Assert.False(set.Find("company_change")!.Enabled);
        Assert.Equal("contact", set.Find("company_change")!.Category);
    }

    [Fact]
    public void What_is_not_declared_is_not_found() => Assert.Null(Set(Row("trial_started")).Find("trial_ended"));

    [Theory]
    [InlineData("trail_started", "trial_started")]
    [InlineData("Trial", "trial_started")]
    [InlineData("compnayChange", "company_change")]
    [InlineData("customevents", "custom_event")]
    [InlineData("websiteVisitor", "website_visitors")]
    public void The_nearest_type_is_the_one_that_was_meant(string sent, string nearest) =>
        Assert.Equal(nearest, Set(Row("trial_started"), Row("demo_requested")).Nearest(sent, 3)[0]);

    [Fact]
    public void As_many_as_asked_for_are_named_each_once()
    {
        var nearest = Set(Row("trial_started")).Nearest("xyz", 3);

        Assert.Equal(3, nearest.Count);
        Assert.Distinct(nearest);
    }

    [Fact]
    public void Disabled_types_are_not_proposed()
    {
        var set = Set(Row("trial_started", enabled: false), Row("company_change", SignalTypeOrigin.BuiltIn, enabled: false));

        Assert.DoesNotContain("trial_started", set.Nearest("trial_starte", 5));
        Assert.DoesNotContain("company_change", set.Nearest("companyChang", 5));
    }

    [Fact]
    public void Nonsense_gets_a_calm_answer()
    {
        Assert.Empty(Set().Nearest("...", 3));
        Assert.Equal(3, Set().Nearest(new string('x', 10_000), 3).Count);
    }

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("same", "same", 0)]
    [InlineData("abc", "xyzuvw", 3)]
    public void Distance_counts_edits_up_to_its_limit(string from, string to, int distance) =>
        Assert.Equal(distance, NearestNames.EditDistance(from, to, limit: from.Length == 3 ? 2 : 10));

    [Fact]
    public void The_first_sub_rule_that_matches_names_the_bucket()
    {
        var type = Set(Row("a", SignalTypeOrigin.Custom, true,
            new SubRuleBody("big", "signal.context.team_size > 10"), new SubRuleBody("some", "signals.context.team_size > 2"))).Find("a")!;

        Assert.Equal("big", SignalTypeSet.Bucket(type, Given.Context("""{"team_size":12}""")));
        Assert.Equal("some", SignalTypeSet.Bucket(type, Given.Context("""{"team_size":5}""")));
        Assert.Null(SignalTypeSet.Bucket(type, Given.Context("""{"team_size":1}""")));
        Assert.Null(SignalTypeSet.Bucket(type, Given.Context("{}")));
    }

    [Fact]
    public void A_stored_sub_rule_that_no_longer_compiles_matches_nothing_and_is_reported()
    {
        var set = Set(Row("a", SignalTypeOrigin.Custom, true, new SubRuleBody("old", "signal.x ="), new SubRuleBody("any", "signal.context.n == 1")));

        Assert.Equal("any", SignalTypeSet.Bucket(set.Find("a")!, Given.Context("""{"n":1}""")));
        Assert.Equal("/a/sub_rules/0/when", Assert.Single(set.Broken).Pointer);
    }
}
