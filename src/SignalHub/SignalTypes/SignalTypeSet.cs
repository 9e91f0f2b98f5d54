using SignalHub.Conditions;
using SignalHub.Http;

namespace SignalHub.SignalTypes;

/// <summary>A named condition on a type's signals, as written.</summary>
/// <param name="Name">1–100 characters, unique in the type: the bucket of signals that match.</param>
/// <param name="When">A condition over <c>signal</c>, e.g. <c>signal.context.team_size > 10</c>.</param>
public sealed record SubRuleBody(string? Name, string? When);

/// <summary>A declared type as stored; also the changes made to a built-in one.</summary>
public sealed record StoredSignalType(
    string Key, string Name, string? Description, string Origin, bool Autoqualify, bool Enabled, IReadOnlyList<SubRuleBody> SubRules,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>How a type came to be.</summary>
public static class SignalTypeOrigin
{
    /// <summary>Declared through the API.</summary>
    public const string Custom = "custom";

    /// <summary>Part of the catalogue.</summary>
    public const string BuiltIn = "builtin";

    /// <summary>Declared by its first signal (<c>/v1/signals</c>).</summary>
    public const string Auto = "auto";
}

/// <summary>A sub-rule ready to be asked; without a condition it no longer compiles and matches nothing.</summary>
public sealed record SubRule(string Name, Condition? Condition);

/// <summary>A type of a workspace. Immutable.</summary>
/// <param name="Autoqualify">False: signals are scored all the same, but answers do not show it.</param>
/// <param name="Enabled">False: signals of this type are refused.</param>
/// <param name="Category">Built-in types: contact, growth, intent, news, risk or custom.</param>
/// <param name="Subject"><c>contact</c> or <c>company</c>; null: either.</param>
/// <param name="Cadence"><c>daily</c>, <c>weekly</c>, <c>monthly</c>, or null.</param>
public sealed record SignalType(
    string Key, string Name, string? Description, string Origin, bool Autoqualify, bool Enabled, IReadOnlyList<SubRule> SubRules,
    string? Category, string? Subject, string? Cadence);

/// <summary>All types of a workspace: the catalogue, overlaid by what the workspace declared or changed. Immutable.</summary>
public sealed class SignalTypeSet
{
    // Comparing names costs about a microsecond each, and a refused signal costs its sender nothing.
    private const int MaxCompared = 500;

    private static readonly Dictionary<string, SignalType> _builtIn = Catalogue.All.ToDictionary(t => t.Key, t => Compile(t, null, []), StringComparer.Ordinal);

    private readonly Dictionary<string, SignalType> _declared;

    private SignalTypeSet(Dictionary<string, SignalType> declared, IReadOnlyList<ConditionFault> broken)
    {
        _declared = declared;
        Broken = broken;
    }

    /// <summary>Sub-rules that no longer compile; the pointer begins with the type's key.</summary>
    public IReadOnlyList<ConditionFault> Broken { get; }

    public static SignalTypeSet Build(IReadOnlyCollection<StoredSignalType> rows)
    {
        var declared = new Dictionary<string, SignalType>(rows.Count, StringComparer.Ordinal);
        var broken = new List<ConditionFault>();
        foreach (var row in rows)
        {
            declared[row.Key] = Compile(Catalogue.Find(row.Key), row, broken);
        }
        return new SignalTypeSet(declared, broken);
    }

    /// <summary>The type that a client calls so: by its key, or a built-in one by its alias, in any case. Null: there is none.</summary>
    public SignalType? Find(string sent)
    {
        if (TypeKey.Normalise(sent) is not { } key)
        {
            return null;
        }
        if (_declared.TryGetValue(key, out var declared))
        {
            return declared;
        }
        return Catalogue.Find(key) is { } builtIn ? _declared.GetValueOrDefault(builtIn.Key) ?? _builtIn[builtIn.Key] : null;
    }

    /// <summary>Keys of the enabled types whose names are closest to the one sent, best first.</summary>
    public IReadOnlyList<string> Nearest(string sent, int count)
    {
        var name = TypeKey.Normalise(sent.Length > TypeKey.MaxLength ? sent[..TypeKey.MaxLength] : sent);
        if (name is null)
        {
            return [];
        }
        var nearest = new NearestNames(name, count);
        var compared = 0;
        foreach (var type in _declared.Values)
        {
            if (type.Enabled && type.Origin != SignalTypeOrigin.BuiltIn && compared++ < MaxCompared)
            {
                nearest.Offer(type.Key, type.Key);
            }
        }
        foreach (var type in Catalogue.All)
        {
            if (!_declared.TryGetValue(type.Key, out var changed) || changed.Enabled)
            {
                nearest.Offer(type.Key, type.Key);
                nearest.Offer(type.Key, type.Alias.ToLowerInvariant());
            }
        }
        return nearest.Keys;
    }

    /// <summary>The name of the first sub-rule that matches, or null.</summary>
    public static string? Bucket(SignalType type, ConditionInput input)
    {
        foreach (var rule in type.SubRules)
        {
            if (rule.Condition is { } condition && condition.Matches(input))
            {
                return rule.Name;
            }
        }
        return null;
    }

    private static SignalType Compile(BuiltInType? builtIn, StoredSignalType? row, List<ConditionFault> broken)
    {
        var rules = new List<SubRule>();
        for (var i = 0; i < row?.SubRules.Count; i++)
        {
            var result = Condition.Compile(row.SubRules[i].When ?? "", ConditionScopes.SubRule);
            broken.AddRange(result.Errors.Select(e => e.At($"/{row.Key}/sub_rules/{i}/when")));
            rules.Add(new SubRule(row.SubRules[i].Name ?? "", result.Condition));
        }
        return new SignalType(row?.Key ?? builtIn!.Key, row?.Name ?? builtIn!.Name, row is null ? builtIn!.Description : row.Description,
            row?.Origin ?? SignalTypeOrigin.BuiltIn, row?.Autoqualify ?? true, row?.Enabled ?? true, [.. rules],
            builtIn?.Categories[0], builtIn?.Subject, builtIn?.Cadence);
    }
}

internal static class SubRuleConditions
{
    /// <summary>The error with the place of its condition.</summary>
    public static ConditionFault At(this ConditionError error, string pointer) => new(
        pointer, error.Code, error.Detail, error.Start, error.End, error.Line, error.Column, error.Snippet, error.Hint, error.Expected);
}
