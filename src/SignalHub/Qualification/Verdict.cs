using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Http;

namespace SignalHub.Qualification;

/// <summary>What became of a definition.</summary>
public enum DefinitionOutcome
{
    /// <summary>Its gates are passed; it has a score.</summary>
    Match,

    /// <summary>A filter failed, or an exclude was hit.</summary>
    NoMatch,

    /// <summary>A filter looks at a value nobody knows yet.</summary>
    InsufficientData,

    /// <summary>It no longer compiles.</summary>
    Broken,
}

/// <summary>
/// What scoring a signal came to. Codes are null and scores 0 where nothing matched. Refers to the scored input's values: write
/// it (<see cref="WriteCompact"/>) before the documents they come from are disposed of.
/// </summary>
public sealed class Verdict
{
    // Three ICPs of ten criteria and two personas take about 800 bytes.

    private readonly Ranking _icps;
    private readonly Ranking _personas;

    internal Verdict(Ranking icps, Ranking personas, bool qualified)
    {
        _icps = icps;
        _personas = personas;
        Qualified = qualified;
    }

    public string? IcpCode => _icps.Chosen?.Definition.Code;

    /// <summary>0–100.</summary>
    public int IcpScore => _icps.Chosen?.Score ?? 0;

    public string? PersonaCode => _personas.Chosen?.Definition.Code;

    /// <summary>0–100.</summary>
    public int PersonaScore => _personas.Chosen?.Score ?? 0;

    /// <summary>The best ICP is reached and, where a person is known and the ICP has personas, the best persona too.</summary>
    public bool Qualified { get; }

    /// <summary>Writes the explanation as it is stored with the signal; <see cref="QualificationView"/> reads it.</summary>
    public void WriteCompact(Utf8JsonWriter writer) => Explanation.Write(writer, _icps, _personas, Qualified);

    /// <summary>The same as UTF-8 text: what the columns <c>qualification</c> of signals and leads hold.</summary>
    public byte[] ToCompactJson()
    {
        using var json = JsonText.Rent();
        WriteCompact(json.Writer);
        return json.Utf8.ToArray();
    }
}

/// <summary>The results of all definitions of a kind, and the chosen one with its criteria.</summary>
internal sealed record Ranking(DefinitionScore[] Results, DefinitionScore? Chosen, CriterionScore[] Criteria, ResultFields Fields)
{
    public static readonly Ranking Empty = new([], null, [], ResultFields.None);
}

internal readonly record struct DefinitionScore(CompiledDefinition Definition, DefinitionOutcome Outcome)
{
    /// <summary>Index of the criterion that kept it from matching; −1: none.</summary>
    public int Gate { get; init; } = -1;

    public int Base { get; init; }

    public int Penalty { get; init; }

    public int Score { get; init; }

    /// <summary>Known weight in percent of the weight of the score criteria.</summary>
    public int Coverage { get; init; }

    public bool IsReached => Outcome == DefinitionOutcome.Match && Score >= Definition.QualifyAt;

    /// <summary>Reached before not reached, then the higher score; equals keep their order, which is priority and code.</summary>
    public bool IsBetterThan(in DefinitionScore other) =>
        IsReached != other.IsReached ? IsReached : Score > other.Score;
}

/// <param name="Criterion">What was asked.</param>
/// <param name="Points">0–100, or <see cref="CompiledCriterion.Unknown"/>.</param>
/// <param name="Contribution">What it added to (or, negative, took from) the score.</param>
/// <param name="Seen">What it looked at.</param>
internal readonly record struct CriterionScore(CompiledCriterion Criterion, int Points, int Contribution, SeenValue Seen);

/// <summary>The value, or values, that a criterion looked at.</summary>
internal readonly struct SeenValue
{
    private readonly FieldPath[] _paths;
    private readonly ConditionValue _only;
    private readonly ConditionValue[]? _several;

    internal SeenValue(FieldPath[] paths, ConditionValue only, ConditionValue[]? several)
    {
        _paths = paths;
        _only = only;
        _several = several;
    }

    /// <summary>One path: its value (missing is null). Several: an object of those that have one.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        if (_several is null)
        {
            Write(writer, _only);
            return;
        }
        writer.WriteStartObject();
        for (var i = 0; i < _several.Length; i++)
        {
            if (_several[i].Kind != ConditionValueKind.Missing)
            {
                writer.WritePropertyName(_paths[i].Text);
                Write(writer, _several[i]);
            }
        }
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ConditionValue value)
    {
        // A context may hold 256 KB; an explanation that repeats it would dwarf the signal it explains.
        const int LongestShown = 200;
        if (value.Kind is ConditionValueKind.String or ConditionValueKind.Json or ConditionValueKind.List
            && value.ToDisplayText() is { Length: > LongestShown } text)
        {
            var end = char.IsHighSurrogate(text[LongestShown - 1]) ? LongestShown - 1 : LongestShown;
            writer.WriteStringValue($"{text.AsSpan(0, end)}…");
            return;
        }
        value.WriteTo(writer);
    }
}

/// <summary><c>icp</c> and <c>persona</c> as conditions see them: code, score, coverage, qualified.</summary>
internal sealed class ResultFields : IFields
{
    /// <summary>Nothing matched: the code is null, the score 0, so that <c>icp.score &lt; 50</c> holds.</summary>
    public static readonly ResultFields None = new(null);

    private readonly DefinitionScore? _score;

    public ResultFields(DefinitionScore? score) => _score = score;

    public ConditionValue Get(string name) => name switch
    {
        "code" => _score is { } s ? ConditionValue.Of(s.Definition.Code) : ConditionValue.Null,
        "score" => ConditionValue.Of((long)(_score?.Score ?? 0)),
        "coverage" => _score is { } s ? ConditionValue.Of((long)s.Coverage) : ConditionValue.Missing,
        "qualified" => ConditionValue.Of(_score is { IsReached: true }),
        _ => ConditionValue.Missing,
    };
}
