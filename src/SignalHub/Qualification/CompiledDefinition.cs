using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Qualification;

/// <summary>What a criterion does with its points.</summary>
public enum CriterionMode
{
    Filter,
    Exclude,
    Score,
    Penalty,
}

internal static class CriterionModes
{
    public static bool TryParse(string? text, out CriterionMode mode)
    {
        (var known, mode) = text switch
        {
            "filter" => (true, CriterionMode.Filter),
            "exclude" => (true, CriterionMode.Exclude),
            "score" => (true, CriterionMode.Score),
            "penalty" => (true, CriterionMode.Penalty),
            _ => (false, default),
        };
        return known;
    }

    public static bool HasWeight(this CriterionMode mode) => mode is CriterionMode.Score or CriterionMode.Penalty;

    public static string Text(this CriterionMode mode) => mode switch
    {
        CriterionMode.Filter => "filter",
        CriterionMode.Exclude => "exclude",
        CriterionMode.Score => "score",
        _ => "penalty",
    };
}

/// <summary>A criterion ready to be evaluated: a condition, or a field with bands.</summary>
internal sealed class CompiledCriterion
{
    /// <summary>Answer of <see cref="Points"/> where the value is missing or cannot be compared.</summary>
    public const int Unknown = -1;

    private readonly Condition? _when;
    private readonly FieldPath? _field;
    private readonly CompiledBand[] _bands;
    // Of the set it is asked in.
    private int _question = -1;
    private int _firstPath = -1;

    private CompiledCriterion(string label, CriterionMode mode, int weight, Condition? when, FieldPath? field, CompiledBand[] bands)
    {
        Label = label;
        Mode = mode;
        Weight = weight;
        _when = when;
        _field = field;
        _bands = bands;
        Paths = field is not null ? [field] : [.. when!.Paths];
    }

    public string Label { get; }

    public CriterionMode Mode { get; }

    /// <summary>1–1,000; gates: 0.</summary>
    public int Weight { get; }

    /// <summary>What the criterion looks at, each path once.</summary>
    public FieldPath[] Paths { get; }

    /// <summary>Takes a place in the one set in which the criteria of a workspace are asked.</summary>
    public void Enter(List<Condition?> questions, List<FieldPath> paths)
    {
        (_question, _firstPath) = (questions.Count, paths.Count);
        paths.AddRange(Paths);
        if (_when is not null)
        {
            questions.Add(_when);
        }
    }

    /// <summary>0–100, or <see cref="Unknown"/>.</summary>
    public int Points(ref ConditionSet.Pass pass)
    {
        if (_when is not null)
        {
            return pass.Evaluate(_question) switch { Truth.True => Scorer.MaxScore, Truth.False => 0, _ => Unknown };
        }
        var value = pass.Read(_firstPath);
        var comparable = false;
        foreach (var band in _bands)
        {
            var truth = band.Matches(value);
            if (truth == Truth.True)
            {
                return band.Points;
            }
            comparable |= truth == Truth.False;
        }
        // A value that no band can even be compared with (missing, null, a text among ranges) is unknown, not bad.
        return comparable ? 0 : Unknown;
    }

    /// <summary>The value, or values, it looked at.</summary>
    public SeenValue Seen(ref ConditionSet.Pass pass)
    {
        if (Paths.Length <= 1)
        {
            return new SeenValue(Paths, Paths.Length == 0 ? ConditionValue.Missing : pass.Read(_firstPath), null);
        }
        var values = new ConditionValue[Paths.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = pass.Read(_firstPath + i);
        }
        return new SeenValue(Paths, ConditionValue.Missing, values);
    }

    public static CompiledCriterion? Compile(
        CriterionBody body, DefinitionKind kind, string pointer, List<ConditionFault> errors, List<ConditionFault> warnings)
    {
        if (!CriterionModes.TryParse(body.Mode, out var mode) || (body.When is null && body.Field is null))
        {
            // Dropping what cannot be read could drop a filter: the whole definition is broken instead.
            errors.Add(new ConditionFault(pointer, "unreadable", "This criterion was stored in a form that is no longer read.", 0, 0, 1, 1, "", null, []));
            return null;
        }
        Condition? when = null;
        FieldPath? field = null;
        if (body.When is not null)
        {
            var result = Condition.Compile(body.When, kind.Roots());
            errors.AddRange(result.Errors.Select(e => e.At($"{pointer}/when")));
            warnings.AddRange((result.Condition?.Warnings ?? []).Select(w => w.At($"{pointer}/when")));
            when = result.Condition;
        }
        else
        {
            var result = FieldPath.Parse(body.Field!, kind.Roots());
            errors.AddRange(result.Errors.Select(e => e.At($"{pointer}/field")));
            warnings.AddRange((result.Path?.Warnings ?? []).Select(w => w.At($"{pointer}/field")));
            field = result.Path;
        }
        return when is null && field is null
            ? null
            : new CompiledCriterion(body.Label!, mode, body.Weight ?? 0, when, field, [.. (body.Bands ?? []).Select(b => new CompiledBand(b))]);
    }
}

internal sealed class CompiledBand(BandBody body)
{
    private readonly JsonElement[]? _in = body.In is null ? null : [.. body.In];
    private readonly double? _from = body.From;
    private readonly double? _to = body.To;

    public int Points { get; } = body.Points ?? 0;

    public Truth Matches(ConditionValue value)
    {
        if (_in is null)
        {
            return Matching.InRange(value, _from, _to);
        }
        var comparable = false;
        foreach (var literal in _in)
        {
            var truth = Matching.EqualsLiteral(value, literal);
            if (truth == Truth.True)
            {
                return Truth.True;
            }
            comparable |= truth == Truth.False;
        }
        return comparable ? Truth.False : Truth.Unknown;
    }
}

/// <summary>One version of an ICP or persona, ready to score. Immutable.</summary>
public sealed class CompiledDefinition
{
    private CompiledDefinition(StoredDefinition stored, CompiledCriterion[] criteria, List<ConditionFault> errors, List<ConditionFault> warnings)
    {
        Kind = stored.Kind;
        Code = stored.Code;
        VersionId = stored.VersionId;
        VersionText = Ids.Text(Ids.DefinitionVersion, stored.VersionId);
        IcpCode = stored.Body.Icp;
        Priority = stored.Body.Priority ?? DefinitionBody.DefaultPriority;
        QualifyAt = stored.Body.QualifyAt ?? DefinitionBody.DefaultQualifyAt;
        Criteria = criteria;
        Errors = errors;
        Warnings = warnings;
        IsBroken = errors.Count > 0;
    }

    public DefinitionKind Kind { get; }

    public string Code { get; }

    public Guid VersionId { get; }

    /// <summary>The version's public id (<c>ver_…</c>).</summary>
    public string VersionText { get; }

    /// <summary>Personas: the ICP they belong to.</summary>
    public string? IcpCode { get; }

    /// <summary>The lower one wins ties.</summary>
    public int Priority { get; }

    /// <summary>0–100.</summary>
    public int QualifyAt { get; }

    /// <summary>ICPs: their personas, by priority and code.</summary>
    public IReadOnlyList<CompiledDefinition> Personas => PersonaArray;

    /// <summary>Stored by a version that understood it, but it no longer compiles: it matches nothing.</summary>
    public bool IsBroken { get; }

    /// <summary>Why it is broken.</summary>
    public IReadOnlyList<ConditionFault> Errors { get; }

    /// <summary>Fields nobody knows, comparisons that can never hold.</summary>
    public IReadOnlyList<ConditionFault> Warnings { get; }

    internal CompiledCriterion[] Criteria { get; }

    internal CompiledDefinition[] PersonaArray { get; init; } = [];

    public static CompiledDefinition Compile(StoredDefinition stored) => Compile(stored, []);

    internal static CompiledDefinition Compile(StoredDefinition stored, CompiledDefinition[] personas)
    {
        var errors = new List<ConditionFault>();
        var warnings = new List<ConditionFault>();
        var criteria = new List<CompiledCriterion>();
        var bodies = stored.Body.Criteria ?? [];
        for (var i = 0; i < bodies.Count; i++)
        {
            if (CompiledCriterion.Compile(bodies[i], stored.Kind, $"/criteria/{i}", errors, warnings) is { } criterion)
            {
                criteria.Add(criterion);
            }
        }
        return new CompiledDefinition(stored, [.. criteria], errors, warnings) { PersonaArray = personas };
    }
}
