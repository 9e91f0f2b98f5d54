using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Qualification;

/// <summary>How a qualification came about, as shown.</summary>
/// <param name="IcpCode">The best ICP; null if none matched.</param>
/// <param name="IcpScore">0–100; 0 if none matched.</param>
/// <param name="PersonaCode">The best persona of that ICP; null if none matched or no person is known.</param>
/// <param name="PersonaScore">0–100.</param>
/// <param name="Qualified">Whether both reached what they need.</param>
/// <param name="Icp">The best ICP, criterion by criterion.</param>
/// <param name="Persona">The best persona, criterion by criterion.</param>
/// <param name="Definitions">Every definition that was looked at, with the version that scored.</param>
public sealed record QualificationView(
    string? IcpCode, int IcpScore, string? PersonaCode, int PersonaScore, bool Qualified,
    ChosenDefinitionView? Icp, ChosenDefinitionView? Persona, IReadOnlyList<DefinitionVerdictView> Definitions)
{
    /// <summary>One sentence made from the rest.</summary>
    [JsonPropertyOrder(-1)]
    public string RelevanceExplanation => Explanation.Sentence(this);

    /// <summary>Reads what <see cref="Verdict.WriteCompact"/> wrote.</summary>
    public static QualificationView Read(ReadOnlyMemory<byte> compact)
    {
        using var document = JsonDocument.Parse(compact);
        return Read(document.RootElement);
    }

    /// <summary>Reads what <see cref="Verdict.WriteCompact"/> wrote; the element may be disposed of afterwards.</summary>
    public static QualificationView Read(JsonElement compact)
    {
        var icps = ReadDefinitions(compact.GetProperty("i"), DefinitionKind.Icp);
        var personas = ReadDefinitions(compact.GetProperty("p"), DefinitionKind.Persona);
        var icp = compact.TryGetProperty("bi", out var bestIcp) ? ReadChosen(bestIcp, icps) : null;
        var persona = compact.TryGetProperty("bp", out var bestPersona) ? ReadChosen(bestPersona, personas) : null;
        return new QualificationView(icp?.Code, icp?.Score ?? 0, persona?.Code, persona?.Score ?? 0, compact.GetProperty("q").GetBoolean(),
            icp, persona, [.. icps, .. personas]);
    }

    private static List<DefinitionVerdictView> ReadDefinitions(JsonElement list, DefinitionKind kind)
    {
        var views = new List<DefinitionVerdictView>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
        {
            views.Add(new DefinitionVerdictView(kind.Text(), item[1].GetString()!, item[0].GetString()!, item[2].GetString()!,
                item[3].GetInt32(), item[4].GetInt32(), item[5].GetInt32(), item.GetArrayLength() > 6 ? item[6].GetString() : null));
        }
        return views;
    }

    private static ChosenDefinitionView ReadChosen(JsonElement chosen, List<DefinitionVerdictView> definitions)
    {
        var definition = definitions[chosen.GetProperty("n").GetInt32()];
        var criteria = new List<CriterionView>();
        foreach (var item in chosen.GetProperty("c").EnumerateArray())
        {
            criteria.Add(new CriterionView(item[0].GetString()!, item[1].GetString()!, item[2].Clone(), Number(item[3]), Number(item[4]), Number(item[5]),
                item.GetArrayLength() > 6 ? item[6].GetBoolean() : null));
        }
        return new ChosenDefinitionView(definition.Code, definition.VersionId, definition.Score, definition.QualifyAt, definition.Coverage,
            chosen.GetProperty("b").GetInt32(), chosen.GetProperty("m").GetInt32(), criteria);
    }

    private static int? Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}

/// <summary>The definition that was chosen. Score = base − penalty, at least 0.</summary>
/// <param name="VersionId">The version that scored (<c>ver_…</c>).</param>
/// <param name="Coverage">Percent of the weight of its score criteria whose value was known.</param>
/// <param name="Base">0–100: what the score criteria add up to; 100 where there are none.</param>
/// <param name="Penalty">What the penalties add up to.</param>
public sealed record ChosenDefinitionView(
    string Code, string VersionId, int Score, int QualifyAt, int Coverage, int Base, int Penalty, IReadOnlyList<CriterionView> Criteria);

/// <summary>One criterion of a chosen definition.</summary>
/// <param name="Mode"><c>filter</c>, <c>exclude</c>, <c>score</c> or <c>penalty</c>.</param>
/// <param name="Value">What it looked at: the value of its one field (null: not there), or an object of several fields' values.</param>
/// <param name="Weight">Score and penalty criteria.</param>
/// <param name="Points">0–100; null: the value is unknown.</param>
/// <param name="Contribution">Whole points added to the score, or taken from it; they add up to base − penalty.</param>
/// <param name="Passed">Gates only.</param>
public sealed record CriterionView(string Label, string Mode, JsonElement Value, int? Weight, int? Points, int? Contribution, bool? Passed);

/// <summary>What became of one definition.</summary>
/// <param name="Kind"><c>icp</c> or <c>persona</c>.</param>
/// <param name="Verdict"><c>match</c>, <c>not_icp</c>, <c>not_persona</c>, <c>insufficient_data</c> or <c>broken</c> (no longer compiles).</param>
/// <param name="Gate">The criterion that kept it from matching.</param>
public sealed record DefinitionVerdictView(
    string Kind, string Code, string VersionId, string Verdict, int Score, int QualifyAt, int Coverage, string? Gate);
