using SignalHub.Conditions;

namespace SignalHub.Qualification;

/// <summary>A definition as stored: what names it, and its live version.</summary>
public sealed record StoredDefinition(
    DefinitionKind Kind, Guid Id, string Code, Guid VersionId, int Version, DefinitionBody Body, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>All live definitions of a workspace, compiled; immutable, so that one signal is scored by one state of them.</summary>
public sealed class DefinitionSet
{
    public static readonly DefinitionSet Empty = new([], []);

    private DefinitionSet(CompiledDefinition[] icps, IReadOnlyList<CompiledDefinition> broken)
    {
        IcpArray = icps;
        Broken = broken;
        var questions = new List<Condition?>();
        var paths = new List<FieldPath>();
        foreach (var criterion in icps.SelectMany(i => i.PersonaArray.Prepend(i)).SelectMany(d => d.Criteria))
        {
            criterion.Enter(questions, paths);
        }
        Questions = new ConditionSet(questions, paths);
    }

    /// <summary>By priority, then code, each with its personas in the same order: the first of equals is chosen.</summary>
    public IReadOnlyList<CompiledDefinition> Icps => IcpArray;

    /// <summary>Those that no longer compile.</summary>
    public IReadOnlyList<CompiledDefinition> Broken { get; }

    internal CompiledDefinition[] IcpArray { get; }

    /// <summary>What the criteria ask: ICPs and personas of one workspace look at the same few fields.</summary>
    internal ConditionSet Questions { get; }

    public static DefinitionSet Build(IReadOnlyCollection<StoredDefinition> definitions)
    {
        var personas = definitions.Where(d => d.Kind == DefinitionKind.Persona).Select(CompiledDefinition.Compile)
            .ToLookup(p => p.IcpCode!, StringComparer.Ordinal);
        var icps = InOrder(definitions.Where(d => d.Kind == DefinitionKind.Icp).Select(d => CompiledDefinition.Compile(d, InOrder(personas[d.Code]))));
        return new DefinitionSet(icps, [.. icps.Concat(icps.SelectMany(i => i.PersonaArray)).Where(d => d.IsBroken)]);
    }

    private static CompiledDefinition[] InOrder(IEnumerable<CompiledDefinition> definitions) =>
        [.. definitions.OrderBy(d => d.Priority).ThenBy(d => d.Code, StringComparer.Ordinal)];
}
