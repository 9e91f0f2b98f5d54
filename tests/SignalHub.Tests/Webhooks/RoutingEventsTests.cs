using FsCheck;
using FsCheck.Fluent;
using SignalHub.Storage;
using SignalHub.Tests.Conditions;
using SignalHub.Webhooks;

namespace SignalHub.Tests.Webhooks;

public sealed class RoutingEventsTests
{
    private const string Qualified = WebhookEventTypes.SignalQualified;

    private int _endpoints;

    [Fact]
    public void An_empty_filter_lets_every_event_of_the_chosen_types_through()
    {
        var endpoint = Listening(EndpointFilter.Any, Qualified, "lead.created");

        Assert.Equal([(endpoint.Id, true)], Routed(endpoint, Of(Qualified)));
        Assert.Equal([(endpoint.Id, true)], Routed(endpoint, Of("lead.created")));
        Assert.Empty(Routed(endpoint, Of("lead.updated")));
    }

    [Theory]
    [InlineData("product_usage", "segment", true)]
    [InlineData("product_usage", "SEGMENT", true)]
    [InlineData("product_usage", "zapier", false)]
    [InlineData("promotion", "segment", false)]
    public void Signal_types_and_sources_both_have_to_match(string type, string source, bool fires)
    {
        var endpoint = Listening(EndpointFilter.Any with { SignalTypes = ["product_usage", "demo"], Sources = ["segment"] });

        Assert.Equal(fires, Routed(endpoint, new RoutingInput(Qualified, type, source, null)).Count == 1);
    }

    [Theory]
    [InlineData("signal.context.plan == 'pro'", true)]
    [InlineData("signal.context.plan == 'free'", false)]
    [InlineData("signal.context.missing > 3", false)]
    [InlineData("!(signal.context.missing > 3)", false)]
    public void Only_a_true_condition_matches(string when, bool fires)
    {
        var endpoint = Listening(EndpointFilter.Any with { When = when });

        Assert.Equal(fires, Routed(endpoint, Of(Qualified, """{"plan":"pro"}""")).Count == 1);
    }

    [Fact]
    public void A_stored_condition_that_no_longer_compiles_matches_nothing()
    {
        var endpoint = Listening(EndpointFilter.Any with { When = "signal.context.a ===" });

        Assert.True(endpoint.HasBrokenCondition);
        Assert.Empty(Routed(endpoint, Of(Qualified)));
        Assert.Equal(["filter.when no longer compiles: correct it"], Reasons(endpoint, Of(Qualified)));
    }

    [Theory]
    [InlineData(Qualified, new[] { "low", "high" }, new string[0], true)]
    [InlineData(Qualified, new[] { "high" }, new string[0], false)]
    [InlineData(Qualified, new string[0], new[] { "prj_1" }, false)]
    [InlineData("lead.created", new[] { "high" }, new[] { "prj_1" }, true)]
    public void A_signal_without_a_project_is_low_and_lead_events_have_no_priority(string type, string[] priorities, string[] projects, bool fires)
    {
        var endpoint = Listening(EndpointFilter.Any with { Priorities = priorities, Projects = projects }, type);

        Assert.Equal(fires, Routed(endpoint, Of(type)).Count == 1);
    }

    [Fact]
    public void An_operational_event_has_no_signal_so_only_its_type_is_asked()
    {
        var endpoint = Listening(new EndpointFilter(["a"], ["b"], ["c"], ["high"], "signal.source == 'b'"), "endpoint.disabled");

        Assert.Single(Routed(endpoint, new RoutingInput("endpoint.disabled", null, null, null)));
    }

    [Fact]
    public void A_matching_endpoint_that_is_disabled_is_named_as_such()
    {
        var endpoint = Endpoint.Of(NextId(), enabled: false, ordered: false, [Qualified], EndpointFilter.Any);

        Assert.Equal([(endpoint.Id, false)], Routed(endpoint, Of(Qualified)));
        Assert.Equal(["the endpoint is disabled"], Reasons(endpoint, Of(Qualified)));
    }

    [Fact]
    public void An_explanation_names_each_part_of_the_filter_and_the_value_seen()
    {
        var endpoint = Listening(new EndpointFilter(
            ["demo"], ["zapier"], [], ["high"], "signal.context.plan == 'free' && signal.context.seats > 3"));

        Assert.Equal(
            [
                "signal type product_usage is not in filter.signal_types",
                "source segment is not in filter.sources",
                "priority low (no project matches) is not in filter.priorities",
                "filter.when is false: signal.context.plan is pro, signal.context.seats is missing",
            ],
            Reasons(endpoint, Of(Qualified, """{"plan":"pro"}""")));
    }

    [Fact]
    public void An_explanation_of_an_unknown_condition_says_so()
    {
        var endpoint = Listening(EndpointFilter.Any with { When = "signal.context.seats > 3" });

        Assert.Equal(["filter.when is unknown, which does not match: signal.context.seats is missing"], Reasons(endpoint, Of(Qualified, "{}")));
    }

    [Fact]
    public void An_explanation_lists_the_event_types_that_were_not_chosen()
    {
        var endpoint = Listening(EndpointFilter.Any, "lead.updated");
        var set = new EndpointSet([endpoint]);

        var explanation = Assert.Single(EventRouter.Explain(set, [Of("lead.created"), Of(Qualified)]));

        Assert.Equal(Ids.Text(Ids.Endpoint, endpoint.Id), explanation.Id);
        Assert.False(explanation.WouldFire);
        Assert.Equal(["event type lead.created is not in events", "event type signal.qualified is not in events"], explanation.Reasons);
        Assert.True(Assert.Single(EventRouter.Explain(set, [Of(Qualified), Of("lead.updated")])).WouldFire);
        Assert.Equal("the signal raises no event: it does not qualify, changes no lead and matches no project", Assert.Single(Assert.Single(EventRouter.Explain(set, [])).Reasons));
    }

    [Fact]
    public void A_long_value_is_shortened_in_an_explanation()
    {
        var endpoint = Listening(EndpointFilter.Any with { When = "signal.context.note == 'x'" });

        var reason = Assert.Single(Reasons(endpoint, Of(Qualified, $$"""{"note":"{{new string('a', 5_000)}}"}""")));

        Assert.InRange(reason.Length, 200, 300);
    }

    /// <summary>What is explained is what happens, for every combination of filter parts.</summary>
    [Fact]
    public void An_endpoint_would_fire_exactly_when_it_is_routed_to_and_enabled()
    {
        var part = Gen.Elements<string[]>([], ["a"], ["a", "b"], ["c"]);
        var matches = Gen.SubListOf(
            new MatchedProject("a", Priorities.High), new MatchedProject("b", Priorities.Medium), new MatchedProject("c", Priorities.Low), new MatchedProject("d", Priorities.High));
        var priorities = Gen.Elements<string[]>([], ["low"], ["high"], ["medium", "low"]);
        var when = Gen.Elements<string?>(null, "signal.context.n > 1", "signal.context.n < 1", "signal.context.missing == 1", "broken (");
        var types = Gen.SubListOf<string>(WebhookEventTypes.All.AsEnumerable()).Select(t => t.ToArray());
        var endpoints =
            from signalTypes in part
            from sources in part
            from projects in part
            from priority in priorities
            from condition in when
            from events in types
            from enabled in Gen.Elements(true, false)
            select Endpoint.Of(NextId(), enabled, false, events, new EndpointFilter(signalTypes, sources, projects, priority, condition));
        var inputs =
            from type in Gen.Elements(WebhookEventTypes.All.ToArray())
            from key in Gen.Elements("a", "b", "d")
            from source in Gen.Elements("a", "C")
            from matched in matches
            select new RoutingInput(type, key, source, Given.Context("""{"n":2}"""), [.. matched]);

        Prop.ForAll(endpoints.ListOf().ToArbitrary(), inputs.ToArbitrary(), (list, input) =>
        {
            var set = new EndpointSet([.. list]);
            var routed = new List<RoutedEndpoint>();
            EventRouter.Route(set, input, routed);
            var explained = EventRouter.Explain(set, [input]);
            return routed.Where(r => r.Enabled).Select(r => Ids.Text(Ids.Endpoint, r.Endpoint.Id)).SequenceEqual(explained.Where(e => e.WouldFire).Select(e => e.Id))
                && explained.All(e => e.WouldFire == (e.Reasons.Count == 0)) && explained.Count == set.All.Count;
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>The explanation part by part agrees with what happens, whatever projects a signal matches.</summary>
    [Fact]
    public void All_parts_match_exactly_when_one_of_the_events_is_routed()
    {
        var part = Gen.Elements<string[]>([], ["a"], ["a", "b"], ["c"]);
        var cases =
            from projects in part
            from priority in Gen.Elements<string[]>([], ["low"], ["high"], ["medium", "low"])
            from listens in Gen.SubListOf("signal.qualified", "signal.detected", "lead.created").Where(l => l.Count > 0)
            from raised in Gen.SubListOf("signal.qualified", "lead.created")
            from matched in Gen.SubListOf(
                new MatchedProject("a", Priorities.High), new MatchedProject("b", Priorities.Medium), new MatchedProject("d", Priorities.Low))
            select (Filter: new EndpointFilter([], [], projects, priority, null), Listens: listens.ToArray(), Raised: raised.ToArray(), Matched: matched.ToArray());

        Prop.ForAll(cases.ToArbitrary(), given =>
        {
            var endpoint = Endpoint.Of(NextId(), true, false, given.Listens, given.Filter);
            RoutingInput Input(string type, params MatchedProject[] of) => new(type, "k", "s", null, of);
            RoutingInput[] events = [.. given.Raised.Select(type => Input(type, given.Matched)), .. given.Matched.Select(m => Input("signal.detected", m))];
            string[] types = [.. events.Select(e => e.EventType).Distinct()];

            var parts = FilterExplanation.Of(endpoint, given.Filter, Input("", given.Matched), types, "none");

            return parts.All(p => p.Matched) == events.Any(e => endpoint.Events.Contains(e.EventType) && EventRouter.Matches(endpoint, e));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Routing_allocates_nothing_per_endpoint()
    {
        var set = new EndpointSet([.. Enumerable.Range(0, 100).Select(i => Listening(new EndpointFilter(["product_usage"], ["segment"], [], ["low"], null)))]);
        var into = new List<RoutedEndpoint>(100);
        var input = Of(Qualified);
        EventRouter.Route(set, input, into);
        into.Clear();

        var before = GC.GetAllocatedBytesForCurrentThread();
        EventRouter.Route(set, input, into);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(100, into.Count);
        Assert.InRange(allocated, 0, 100);
    }

    private static RoutingInput Of(string type, string context = "{}") =>
        new(type, "product_usage", "segment", Given.Signal($$"""{"source":"segment","context":{{context}}}"""));

    private static List<(Guid Id, bool Enabled)> Routed(Endpoint endpoint, RoutingInput input)
    {
        var into = new List<RoutedEndpoint>();
        EventRouter.Route(new EndpointSet([endpoint]), input, into);
        return [.. into.Select(r => (r.Endpoint.Id, r.Enabled))];
    }

    private static IReadOnlyList<string> Reasons(Endpoint endpoint, RoutingInput input) =>
        Assert.Single(EventRouter.Explain(new EndpointSet([endpoint]), [input])).Reasons;

    private Endpoint Listening(EndpointFilter filter, params string[] events) =>
        Endpoint.Of(NextId(), enabled: true, ordered: false, events.Length == 0 ? [Qualified] : events, filter);

    private Guid NextId() => Ids.Derive(DateTimeOffset.UnixEpoch, "endpoint", Guid.Empty, new Guid(++_endpoints, 0, 0, new byte[8]));
}
