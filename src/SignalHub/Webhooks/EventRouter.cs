using SignalHub.Conditions;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>An event that happens, as filters look at it.</summary>
/// <param name="EventType">A word of <see cref="WebhookEventTypes"/>.</param>
/// <param name="SignalTypeKey">Of the signal that caused it; null when none did: then the filter's signal types do not apply.</param>
/// <param name="Source">The same of the signal's source.</param>
/// <param name="Conditions">What the filter's condition is evaluated on; null when there is nothing: then it does not apply.</param>
/// <param name="Projects">The projects that the signal matches; of <c>signal.detected</c> the one it is raised for. Null: none.</param>
public readonly record struct RoutingInput(
    string EventType, string? SignalTypeKey, string? Source, ConditionInput? Conditions, IReadOnlyList<MatchedProject>? Projects = null);

/// <summary>A project that a signal matches.</summary>
/// <param name="ProjectId"><c>prj_…</c></param>
/// <param name="Priority">A word of <see cref="Webhooks.Priorities"/>: how urgent the project finds the signal.</param>
public sealed record MatchedProject(string ProjectId, string Priority);

/// <summary>An endpoint that an event is for. A disabled one gets no delivery but a history row that can be offered later.</summary>
public readonly record struct RoutedEndpoint(Endpoint Endpoint, bool Enabled);

/// <summary>Whether an endpoint would hear of a signal, as the dry run shows it.</summary>
/// <param name="Id"><c>ep_…</c></param>
/// <param name="Reasons">Why not: the part of the filter and the value seen. Empty when it would fire.</param>
public sealed record EndpointExplanation(string Id, bool WouldFire, IReadOnlyList<string> Reasons);

/// <summary>Decides which endpoints hear of an event. Pure: no clock, no I/O.</summary>
public static class EventRouter
{
    // A value is shown to be recognised, not to be read: a context may be 256 KB.
    private const int MaxShownValue = 200;

    /// <summary>Adds the endpoints that the event is for. Allocates nothing of its own: it runs for each event of each signal.</summary>
    public static void Route(EndpointSet set, in RoutingInput input, List<RoutedEndpoint> into)
    {
        foreach (var endpoint in set.For(input.EventType))
        {
            if (Matches(endpoint, input))
            {
                into.Add(new RoutedEndpoint(endpoint, endpoint.Enabled));
            }
        }
    }

    /// <summary>
    /// For each endpoint whether one of the events a signal raises would go to it, and if not, why. <paramref name="events"/>
    /// may be empty: the signal raises none.
    /// </summary>
    public static IReadOnlyList<EndpointExplanation> Explain(EndpointSet set, IReadOnlyList<RoutingInput> events)
    {
        var explanations = new List<EndpointExplanation>(set.All.Count);
        foreach (var endpoint in set.All)
        {
            var reasons = ReasonsAgainst(endpoint, events);
            explanations.Add(new EndpointExplanation(Ids.Text(Ids.Endpoint, endpoint.Id), reasons.Count == 0, reasons));
        }
        return explanations;
    }

    /// <summary>Whether an event that the endpoint listens to passes its filter.</summary>
    internal static bool Matches(Endpoint endpoint, in RoutingInput input) =>
        (endpoint.SignalTypes is null || input.SignalTypeKey is null || endpoint.SignalTypes.Contains(input.SignalTypeKey))
        && (endpoint.Sources is null || input.Source is null || endpoint.Sources.Contains(input.Source))
        && MatchesProjects(endpoint, input)
        && (input.Conditions is null || (!endpoint.HasBrokenCondition && (endpoint.When is null || endpoint.When.Matches(input.Conditions))));

    /// <summary>
    /// Whether one of the projects that the signal matches is wanted, with its priority. A signal that matches none is in no list
    /// of projects, and its priority is <c>low</c>. Events that are not about one signal pass.
    /// </summary>
    internal static bool MatchesProjects(Endpoint endpoint, in RoutingInput input)
    {
        if ((endpoint.Projects is null && endpoint.Priorities is null) || !WebhookEventTypes.IsAboutSignal(input.EventType))
        {
            return true;
        }
        if (input.Projects is not { Count: > 0 } projects)
        {
            return endpoint.Projects is null && endpoint.Priorities!.Contains(Priorities.Low);
        }
        for (var i = 0; i < projects.Count; i++)
        {
            if ((endpoint.Projects is null || endpoint.Projects.Contains(projects[i].ProjectId))
                && (endpoint.Priorities is null || endpoint.Priorities.Contains(projects[i].Priority)))
            {
                return true;
            }
        }
        return false;
    }

    private static List<string> ReasonsAgainst(Endpoint endpoint, IReadOnlyList<RoutingInput> events)
    {
        var heard = events.Where(e => endpoint.Events.Contains(e.EventType)).ToList();
        if (endpoint.Enabled && heard.Exists(e => Matches(endpoint, e)))
        {
            return [];
        }
        var reasons = new List<string>();
        if (!endpoint.Enabled)
        {
            reasons.Add("the endpoint is disabled");
        }
        if (events.Count == 0)
        {
            reasons.Add("the signal raises no event: it does not qualify, changes no lead and matches no project");
        }
        else if (heard.Count == 0)
        {
            reasons.AddRange(events.Select(e => $"event type {e.EventType} is not in events").Distinct());
        }
        else if (!heard.Exists(e => Matches(endpoint, e)))
        {
            AddFilterReasons(endpoint, heard, reasons);
        }
        return reasons;
    }

    /// <summary>All events of one signal look alike to a filter, but for the projects.</summary>
    private static void AddFilterReasons(Endpoint endpoint, List<RoutingInput> heard, List<string> reasons)
    {
        var input = heard[0];
        if (endpoint.SignalTypes is not null && input.SignalTypeKey is not null && !endpoint.SignalTypes.Contains(input.SignalTypeKey))
        {
            reasons.Add($"signal type {input.SignalTypeKey} is not in filter.signal_types");
        }
        if (endpoint.Sources is not null && input.Source is not null && !endpoint.Sources.Contains(input.Source))
        {
            reasons.Add($"source {input.Source} is not in filter.sources");
        }
        if (!heard.Exists(e => MatchesProjects(endpoint, e)))
        {
            reasons.Add(WhyNotByProject(endpoint, [.. heard.SelectMany(e => e.Projects ?? []).Distinct()]));
        }
        if (input.Conditions is { } facts && WhyNot(endpoint, facts) is { } why)
        {
            reasons.Add(why);
        }
    }

    private static string WhyNotByProject(Endpoint endpoint, IReadOnlyList<MatchedProject> matched)
    {
        if (matched.Count == 0)
        {
            return endpoint.Projects is not null
                ? "no project matches, so none of filter.projects does"
                : $"priority {Priorities.Low} (no project matches) is not in filter.priorities";
        }
        MatchedProject[] wanted = [.. matched.Where(m => endpoint.Projects?.Contains(m.ProjectId) != false)];
        return wanted.Length == 0
            ? "no project that matches is in filter.projects"
            : $"priority {string.Join(", ", wanted.Select(m => $"{m.Priority} of {m.ProjectId}"))} is not in filter.priorities";
    }

    private static string? WhyNot(Endpoint endpoint, ConditionInput facts)
    {
        if (endpoint.HasBrokenCondition)
        {
            return "filter.when no longer compiles: correct it";
        }
        var truth = endpoint.When?.Evaluate(facts) ?? Truth.True;
        if (truth == Truth.True)
        {
            return null;
        }
        var values = string.Join(", ", endpoint.When!.Paths.Select(path => $"{path.Text} is {Shorten(path.Read(facts).ToDisplayText())}"));
        var verdict = truth == Truth.False ? "false" : "unknown, which does not match";
        return values.Length == 0 ? $"filter.when is {verdict}" : $"filter.when is {verdict}: {values}";
    }

    private static string Shorten(string text) => text.Length <= MaxShownValue ? text : $"{text[..MaxShownValue]}…";
}
