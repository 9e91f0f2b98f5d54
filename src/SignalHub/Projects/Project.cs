using System.Collections.Frozen;
using SignalHub.Conditions;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Projects;

/// <summary>A rule of a project, ready to be asked; one that no longer compiles matches nothing.</summary>
public sealed record PriorityRule(Condition? When, string Priority);

/// <summary>What of a verdict a project's default priority depends on.</summary>
/// <param name="HasIcp">Whether an ICP matched, qualified or not.</param>
/// <param name="HasLead">A signal about nobody is never urgent.</param>
public readonly record struct PriorityFacts(bool Qualified, bool HasIcp, bool HasLead);

/// <summary>A project as signals are held against it. Immutable; a null set is "any".</summary>
public sealed class Project
{
    public required Guid Id { get; init; }

    /// <summary><c>prj_…</c></summary>
    public required string IdText { get; init; }

    /// <summary>Keys of signal types.</summary>
    public FrozenSet<string>? SignalTypes { get; init; }

    /// <summary>Compared as conditions compare text: without ASCII case.</summary>
    public FrozenSet<string>? Sources { get; init; }

    /// <summary>Null: no condition, or one that does not compile (see <see cref="HasBrokenCondition"/>).</summary>
    public Condition? When { get; init; }

    /// <summary>The stored condition was valid once and no longer compiles: the project matches nothing until it is changed.</summary>
    public bool HasBrokenCondition { get; init; }

    /// <summary>The first that matches gives the priority.</summary>
    public required IReadOnlyList<PriorityRule> Rules { get; init; }

    /// <summary>Null: an action is suggested.</summary>
    public BodyTemplate? RecommendedAction { get; init; }

    /// <summary>The project of a stored row.</summary>
    public static Project Of(StoredProject stored)
    {
        var condition = stored.When is { } text ? Condition.Compile(text, ConditionScopes.Routing).Condition : null;
        return new Project
        {
            Id = stored.Id,
            IdText = Ids.Text(Ids.Project, stored.Id),
            SignalTypes = AnyOr(stored.SignalTypes, StringComparer.Ordinal),
            Sources = AnyOr(stored.Sources, StringComparer.OrdinalIgnoreCase),
            When = condition,
            HasBrokenCondition = stored.When is not null && condition is null,
            Rules = [.. stored.Priorities.Select(r => new PriorityRule(Condition.Compile(r.When ?? "", ConditionScopes.Routing).Condition, r.Priority!))],
            RecommendedAction = stored.RecommendedAction is { } action
                ? BodyTemplate.Compile(action, TemplateKind.Text, SignalValues.Roots).Template
                : null,
        };
    }

    public bool Matches(string typeKey, string source, ConditionInput facts) =>
        SignalTypes?.Contains(typeKey) != false
        && Sources?.Contains(source) != false
        && !HasBrokenCondition
        && (When is null || When.Matches(facts));

    /// <summary>How urgent the project finds a signal that it matches: by its rules, else <c>high</c> if it qualified, <c>medium</c> if an ICP matched, else <c>low</c>.</summary>
    public string PriorityOf(ConditionInput facts, in PriorityFacts verdict)
    {
        if (!verdict.HasLead)
        {
            return Priorities.Low;
        }
        foreach (var rule in Rules)
        {
            if (rule.When is { } when && when.Matches(facts))
            {
                return rule.Priority;
            }
        }
        return verdict.Qualified ? Priorities.High : verdict.HasIcp ? Priorities.Medium : Priorities.Low;
    }

    private static FrozenSet<string>? AnyOr(IReadOnlyList<string> values, StringComparer comparer) =>
        values.Count == 0 ? null : values.ToFrozenSet(comparer);
}

/// <summary>All projects of a workspace at one moment, oldest first. Immutable.</summary>
public sealed class ProjectSet(IReadOnlyList<Project> projects)
{
    public static readonly ProjectSet Empty = new([]);

    public IReadOnlyList<Project> All { get; } = projects;

    /// <summary>The projects that a signal matches, each with its priority. Nothing is allocated where there is none.</summary>
    public IReadOnlyList<MatchedProject> Match(string typeKey, string source, ConditionInput facts, in PriorityFacts verdict)
    {
        List<MatchedProject>? matched = null;
        for (var i = 0; i < All.Count; i++)
        {
            if (All[i].Matches(typeKey, source, facts))
            {
                (matched ??= []).Add(new MatchedProject(All[i].IdText, All[i].PriorityOf(facts, verdict)));
            }
        }
        return (IReadOnlyList<MatchedProject>?)matched ?? [];
    }

    public Project? Find(string idText)
    {
        foreach (var project in All)
        {
            if (project.IdText == idText)
            {
                return project;
            }
        }
        return null;
    }
}
