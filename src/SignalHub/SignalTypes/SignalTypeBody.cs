using FluentValidation;
using FluentValidation.Results;
using SignalHub.Conditions;
using SignalHub.Http;

namespace SignalHub.SignalTypes;

/// <summary>A signal type as its owner writes it.</summary>
public sealed record SignalTypeBody
{
    public const int MaxNameLength = 100;
    public const int MaxDescriptionLength = 2_000;
    public const int MaxSubRules = 50;

    /// <summary>1–100 characters. On creation the key is made of it: lower case, everything but letters and digits an underscore.</summary>
    public string? Name { get; init; }

    /// <summary>At most 2,000 characters.</summary>
    public string? Description { get; init; }

    /// <summary>Default true. False: signals are scored, but the answer to the sender does not show it and nothing fires as qualified.</summary>
    public bool? Autoqualify { get; init; }

    /// <summary>Default true. False: signals of this type are refused.</summary>
    public bool? Enabled { get; init; }

    /// <summary>At most 50; the first one that matches names the signal's bucket.</summary>
    public IReadOnlyList<SubRuleBody>? SubRules { get; init; }

    /// <summary>With trimmed names and every default written out.</summary>
    public SignalTypeBody Complete(string? defaultName = null) => this with
    {
        Name = Name is null ? defaultName : Name.Trim(),
        Autoqualify = Autoqualify ?? true,
        Enabled = Enabled ?? true,
        SubRules = [.. (SubRules ?? []).Select(rule => rule is null ? null! : rule with { Name = rule.Name?.Trim() })],
    };
}

/// <summary>What a completed <see cref="SignalTypeBody"/> must fulfil; sub-rules are compiled.</summary>
public sealed class SignalTypeValidator : AbstractValidator<SignalTypeBody>
{
    private static readonly SignalTypeValidator _instance = new();

    private SignalTypeValidator()
    {
        RuleFor(t => t.Name).Cascade(CascadeMode.Stop)
            .NotEmpty().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage("give the type a name, e.g. \"Product trial started\".")
            .MaximumLength(SignalTypeBody.MaxNameLength).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"at most {SignalTypeBody.MaxNameLength} characters.")
            .Must(name => TypeKey.Normalise(name) is not null).WithErrorCode(ProblemCodes.InvalidValue.Code)
            .WithMessage($"needs a letter or digit, because the type's key is made of it, and the key has at most {TypeKey.MaxLength} characters.");
        RuleFor(t => t.Description).MaximumLength(SignalTypeBody.MaxDescriptionLength).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {SignalTypeBody.MaxDescriptionLength:N0} characters.");
        RuleFor(t => t).Custom((type, context) =>
        {
            if (type.SubRules!.Count > SignalTypeBody.MaxSubRules)
            {
                Fail(context, "SubRules", ProblemCodes.TooLong, $"at most {SignalTypeBody.MaxSubRules} sub-rules.");
                return;
            }
            CheckSubRules(type.SubRules, context);
        });
    }

    /// <summary>The problem with a completed body, or null.</summary>
    public static Problem? Check(SignalTypeBody completed) => _instance.Validate(completed).ToProblem();

    private static void CheckSubRules(IReadOnlyList<SubRuleBody> rules, ValidationContext<SignalTypeBody> context)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is not { } rule)
            {
                Fail(context, $"SubRules[{i}]", ProblemCodes.InvalidType, "must be an object with name and when.");
                continue;
            }
            if (string.IsNullOrEmpty(rule.Name))
            {
                Fail(context, $"SubRules[{i}].Name", ProblemCodes.FieldRequired, "give the sub-rule a name: it is the bucket of signals that match.");
            }
            else if (rule.Name.Length > SignalTypeBody.MaxNameLength)
            {
                Fail(context, $"SubRules[{i}].Name", ProblemCodes.TooLong, $"at most {SignalTypeBody.MaxNameLength} characters.");
            }
            else if (!names.Add(rule.Name))
            {
                Fail(context, $"SubRules[{i}].Name", ProblemCodes.InvalidValue, $"\"{rule.Name}\" is the name of another sub-rule: names are unique in a type.");
            }
            if (rule.When is null)
            {
                Fail(context, $"SubRules[{i}].When", ProblemCodes.FieldRequired, "give a condition, e.g. \"signal.context.team_size > 10\".");
                continue;
            }
            foreach (var error in Condition.Compile(rule.When, ConditionScopes.SubRule).Errors)
            {
                context.AddFailure(new ValidationFailure($"SubRules[{i}].When", error.Detail)
                {
                    ErrorCode = ProblemCodes.InvalidCondition.Code,
                    CustomState = error.At($"/sub_rules/{i}/when"),
                });
            }
        }
    }

    private static void Fail(ValidationContext<SignalTypeBody> context, string path, ProblemCode code, string detail) =>
        context.AddFailure(new ValidationFailure(path, detail) { ErrorCode = code.Code });
}

/// <summary>A signal type as shown.</summary>
/// <param name="Key">What requests and webhooks call it.</param>
/// <param name="Alias">Built-in types: the catalogue's camel-case key; signals may be sent with either.</param>
/// <param name="Origin"><c>custom</c> (declared), <c>builtin</c> (catalogue) or <c>auto</c> (declared by its first signal).</param>
/// <param name="Autoqualify">False: scored, but the answer to the sender does not show it.</param>
/// <param name="Enabled">False: signals of this type are refused.</param>
/// <param name="Category">Built-in types: the main category.</param>
/// <param name="Categories">Built-in types: all categories.</param>
/// <param name="Subject"><c>contact</c> or <c>company</c>; null: either.</param>
/// <param name="Cadence"><c>daily</c>, <c>weekly</c> or <c>monthly</c>; null: whenever it is sent.</param>
/// <param name="NewsEventTypes">News types: what the sub-filter newsEventTypes can pick out.</param>
/// <param name="CreatedAt">Null for a built-in type that was never changed.</param>
/// <param name="UpdatedAt">Null for a built-in type that was never changed.</param>
/// <param name="Warnings">Fields of sub-rules that nobody knows, comparisons that never hold, and what no longer compiles.</param>
public sealed record SignalTypeView(
    string Key, string? Alias, string Name, string? Description, string Origin, bool Autoqualify, bool Enabled, IReadOnlyList<SubRuleBody> SubRules,
    string? Category, IReadOnlyList<string> Categories, string? Subject, string? Cadence, IReadOnlyList<string> NewsEventTypes,
    DateTimeOffset? CreatedAt, DateTimeOffset? UpdatedAt, IReadOnlyList<ConditionFault> Warnings)
{
    public static SignalTypeView Of(StoredSignalType stored) => Of(Catalogue.Find(stored.Key), stored);

    public static SignalTypeView Of(BuiltInType builtIn) => Of(builtIn, null);

    private static SignalTypeView Of(BuiltInType? builtIn, StoredSignalType? stored)
    {
        var warnings = new List<ConditionFault>();
        for (var i = 0; i < stored?.SubRules.Count; i++)
        {
            var result = Condition.Compile(stored.SubRules[i].When ?? "", ConditionScopes.SubRule);
            warnings.AddRange(result.Errors.Concat(result.Condition?.Warnings ?? []).Select(e => e.At($"/sub_rules/{i}/when")));
        }
        return new SignalTypeView(stored?.Key ?? builtIn!.Key, builtIn?.Alias, stored?.Name ?? builtIn!.Name,
            stored is null ? builtIn!.Description : stored.Description, stored?.Origin ?? SignalTypeOrigin.BuiltIn,
            stored?.Autoqualify ?? true, stored?.Enabled ?? true, stored?.SubRules ?? [],
            builtIn?.Categories[0], builtIn?.Categories ?? [], builtIn?.Subject, builtIn?.Cadence, builtIn?.NewsEventTypes ?? [],
            stored?.CreatedAt, stored?.UpdatedAt, warnings);
    }
}
