using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Qualification;

/// <summary>What a definition scores: an ICP the account, a persona the contact.</summary>
public enum DefinitionKind
{
    Icp,
    Persona,
}

/// <summary>An ICP or persona as its owner writes it, and as a version of it is stored.</summary>
public sealed record DefinitionBody
{
    public const int MaxCodeLength = 80;
    public const int MaxPriority = 1_000_000;
    public const int DefaultPriority = 100;
    public const int DefaultQualifyAt = 60;

    /// <summary>More criteria than anybody reads in an explanation; bounds the cost of scoring one signal.</summary>
    public const int MaxCriteria = 100;

    /// <summary>Name of the definition, 1–80 characters; it stays as it is. On a route with the code in its path it may be left out.</summary>
    public string? Code { get; init; }

    /// <summary><c>icp</c> or <c>persona</c>; may be left out, because the route tells.</summary>
    public string? Kind { get; init; }

    /// <summary>Personas only: code of the ICP the persona belongs to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Icp { get; init; }

    /// <summary>0–1,000,000, default 100. Of two definitions with the same score the lower priority is chosen.</summary>
    public int? Priority { get; init; }

    /// <summary>Score from which the definition counts as reached, 0–100, default 60.</summary>
    public int? QualifyAt { get; init; }

    /// <summary>At most 100.</summary>
    public IReadOnlyList<CriterionBody>? Criteria { get; init; }

    /// <summary>
    /// The body with every default written out, so that the same meaning is stored as the same text. A code in
    /// <paramref name="pathCode"/> is used where the body has none.
    /// </summary>
    public DefinitionBody Complete(DefinitionKind kind, string? pathCode = null) => this with
    {
        Code = Code?.Trim() ?? pathCode,
        Kind = Kind ?? kind.Text(),
        Icp = Icp?.Trim(),
        Priority = Priority ?? DefaultPriority,
        QualifyAt = QualifyAt ?? DefaultQualifyAt,
        Criteria = [.. (Criteria ?? []).Select((criterion, index) => criterion?.Complete(index)!)],
    };
}

/// <summary>
/// One line of a definition: a gate (<c>filter</c>, <c>exclude</c>) or points (<c>score</c>, <c>penalty</c>), decided by a
/// condition (<c>when</c>: true = 100 points) or by the bands of a <c>field</c>.
/// </summary>
public sealed record CriterionBody
{
    public const int MaxIdLength = 60;
    public const int MaxLabelLength = 120;
    public const int MaxWeight = 1_000;
    public const int MaxBands = 50;

    /// <summary>Unique in the definition, at most 60 characters; default <c>c1</c>, <c>c2</c>, … by position.</summary>
    public string? Id { get; init; }

    /// <summary>How explanations call it, at most 120 characters; default: the id.</summary>
    public string? Label { get; init; }

    /// <summary><c>filter</c> (must hold), <c>exclude</c> (must not hold), <c>score</c> (adds its share), <c>penalty</c> (subtracts).</summary>
    public string? Mode { get; init; }

    /// <summary><c>score</c> and <c>penalty</c>: 1–1,000. Gates have none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Weight { get; init; }

    /// <summary>A condition over <c>signal</c>, <c>person</c> and <c>company</c>; in personas also <c>icp</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? When { get; init; }

    /// <summary>A path, e.g. <c>signal.context.team_size</c>, whose value is looked up in <see cref="Bands"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Field { get; init; }

    /// <summary>1–50; the first one that matches gives the points, none: 0 points.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<BandBody>? Bands { get; init; }

    internal CriterionBody Complete(int index)
    {
        var id = string.IsNullOrWhiteSpace(Id) ? $"c{index + 1}" : Id.Trim();
        return this with { Id = id, Label = string.IsNullOrWhiteSpace(Label) ? id : Label.Trim() };
    }
}

/// <summary>Points for some values of a field: a list (<c>in</c>) or a range (<c>from</c>, <c>to</c>, both inclusive, one may be absent).</summary>
public sealed record BandBody
{
    public const int MaxLiterals = 200;
    public const int MaxLiteralLength = 500;

    /// <summary>Texts (ASCII case does not matter), numbers, true or false.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<JsonElement>? In { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? From { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? To { get; init; }

    /// <summary>0–100.</summary>
    public int? Points { get; init; }
}

internal static class DefinitionKinds
{
    /// <summary>As stored and shown.</summary>
    public static string Text(this DefinitionKind kind) => kind == DefinitionKind.Icp ? "icp" : "persona";

    /// <summary>As a sentence names it.</summary>
    public static string Noun(this DefinitionKind kind) => kind == DefinitionKind.Icp ? "ICP" : "persona";
}
