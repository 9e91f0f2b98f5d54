using System.Text.Json.Serialization;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Qualification;

/// <summary>An ICP or persona as shown.</summary>
/// <param name="Id">Stays the same through all versions (<c>def_…</c>).</param>
/// <param name="Code">What addresses it.</param>
/// <param name="Kind"><c>icp</c> or <c>persona</c>.</param>
/// <param name="Icp">Personas: the ICP they belong to.</param>
/// <param name="Priority">The lower one wins ties.</param>
/// <param name="QualifyAt">Score from which it counts as reached, 0–100.</param>
/// <param name="Criteria">With all defaults written out.</param>
/// <param name="Version">1, 2, 3, …: the live one.</param>
/// <param name="VersionId">Id of the live version (<c>ver_…</c>), as explanations name it.</param>
/// <param name="Warnings">Fields of conditions that nobody knows, comparisons that never hold, and what no longer compiles.</param>
public sealed record DefinitionView(
    string Id, string Code, string Kind,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Icp,
    int Priority, int QualifyAt, IReadOnlyList<CriterionBody> Criteria, int Version, string VersionId,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<ConditionFault> Warnings)
{
    public static DefinitionView Of(StoredDefinition stored)
    {
        var compiled = CompiledDefinition.Compile(stored);
        return new DefinitionView(Ids.Text(Ids.Definition, stored.Id), stored.Code, stored.Kind.Text(), stored.Body.Icp,
            compiled.Priority, compiled.QualifyAt, stored.Body.Criteria ?? [], stored.Version,
            Ids.Text(Ids.DefinitionVersion, stored.VersionId), stored.CreatedAt, stored.UpdatedAt, [.. compiled.Errors, .. compiled.Warnings]);
    }
}

/// <summary>A published version of an ICP or persona: it never changes.</summary>
/// <param name="Id"><c>ver_…</c></param>
/// <param name="Version">1, 2, 3, …</param>
/// <param name="PublishedAt">When it went live.</param>
/// <param name="Definition">What it says.</param>
public sealed record DefinitionVersionView(string Id, int Version, DateTimeOffset PublishedAt, DefinitionBody Definition)
{
    public static DefinitionVersionView Of(StoredVersion stored) =>
        new(Ids.Text(Ids.DefinitionVersion, stored.Id), stored.Version, stored.PublishedAt, stored.Body);
}
