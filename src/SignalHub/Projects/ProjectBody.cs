using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;

namespace SignalHub.Projects;

/// <summary>A project as its owner writes it: a named watch over signals.</summary>
public sealed record ProjectBody
{
    /// <summary>1–100 characters.</summary>
    public string? Name { get; init; }

    /// <summary>For people; at most 500 characters.</summary>
    public string? Description { get; init; }

    /// <summary>Signal types, by name or key; shown as keys. Empty: any.</summary>
    public IReadOnlyList<string>? SignalTypes { get; init; }

    /// <summary>Sources, compared without ASCII case. Empty: any.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>A condition over everything known of a signal, such as <c>company.industry == 'software'</c>. Null: any.</summary>
    public string? When { get; init; }

    /// <summary>
    /// At most 20; the first rule whose condition is true gives the priority. Where none is: <c>high</c> if the signal qualified,
    /// <c>medium</c> if an ICP matched, else <c>low</c>.
    /// </summary>
    public IReadOnlyList<PriorityRuleBody>? Priorities { get; init; }

    /// <summary>
    /// What to do about a signal, at most 2,000 characters; <c>{{path}}</c> is a value of <c>signal</c>, <c>lead</c>, <c>contact</c>,
    /// <c>account</c>, <c>person</c>, <c>company</c>, <c>icp</c> or <c>persona</c>. Null: a suggestion is made.
    /// </summary>
    public string? RecommendedAction { get; init; }

    /// <summary>With texts trimmed and every default written out.</summary>
    internal ProjectBody Complete(SignalTypeKey typeKey) => this with
    {
        Name = Name?.Trim(),
        Description = string.IsNullOrWhiteSpace(Description) ? null : Description.Trim(),
        // What has no key form stays as it is, for the validator to refuse.
        SignalTypes = [.. (SignalTypes ?? []).Select(name => name is null ? null! : typeKey(name) ?? name).Distinct()],
        Sources = [.. (Sources ?? []).Select(source => source?.Trim()!).Distinct()],
        When = string.IsNullOrWhiteSpace(When) ? null : When,
        Priorities = Priorities ?? [],
        RecommendedAction = string.IsNullOrWhiteSpace(RecommendedAction) ? null : RecommendedAction.Trim(),
    };
}

/// <summary>A priority for the signals of a project that fulfil a condition.</summary>
public sealed record PriorityRuleBody
{
    /// <summary>A condition, such as <c>icp.score &gt;= 70</c>; <c>true</c> is always met.</summary>
    public string? When { get; init; }

    /// <summary><c>high</c>, <c>medium</c> or <c>low</c>.</summary>
    public string? Priority { get; init; }
}

/// <summary>A project's row.</summary>
public sealed record StoredProject(
    Guid Id, string Name, string? Description, IReadOnlyList<string> SignalTypes, IReadOnlyList<string> Sources, string? When,
    IReadOnlyList<PriorityRuleBody> Priorities, string? RecommendedAction, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal ProjectBody ToBody() => new()
    {
        Name = Name,
        Description = Description,
        SignalTypes = SignalTypes,
        Sources = Sources,
        When = When,
        Priorities = Priorities,
        RecommendedAction = RecommendedAction,
    };
}

/// <summary>A project as shown everywhere.</summary>
/// <param name="Id"><c>prj_…</c></param>
/// <param name="Warnings">What is valid in its conditions but probably not meant.</param>
public sealed record ProjectView(
    string Id, string Name, string? Description, IReadOnlyList<string> SignalTypes, IReadOnlyList<string> Sources,
    string? When, IReadOnlyList<PriorityRuleBody> Priorities, string? RecommendedAction,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<ConditionFault> Warnings)
{
    internal static ProjectView Of(StoredProject p) => new(
        Ids.Text(Ids.Project, p.Id), p.Name, p.Description, p.SignalTypes, p.Sources, p.When, p.Priorities, p.RecommendedAction, p.CreatedAt, p.UpdatedAt,
        [.. ProjectConditions.Doubts(p)]);
}

/// <summary>What a project's fields may be.</summary>
internal static class ProjectLimits
{
    /// <summary>Each signal is held against all projects of its workspace, and each match may raise an event.</summary>
    public const int PerWorkspace = 100;

    public const int Name = 100;
    public const int Description = 500;

    /// <summary>Entries of a list.</summary>
    public const int Entries = 200;

    /// <summary>Characters of an entry: that of a source and of a type's key.</summary>
    public const int Entry = 100;

    public const int Rules = 20;
    public const int Action = 2_000;
}
