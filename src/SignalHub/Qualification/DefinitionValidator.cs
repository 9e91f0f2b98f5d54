using System.Text.Json;
using FluentValidation;
using FluentValidation.Results;
using SignalHub.Conditions;
using SignalHub.Http;

namespace SignalHub.Qualification;

/// <summary>What a completed <see cref="DefinitionBody"/> must fulfil; conditions are compiled, so a stored definition compiles.</summary>
public sealed class DefinitionValidator : AbstractValidator<DefinitionBody>
{
    public static readonly DefinitionValidator Icp = new(DefinitionKind.Icp);
    public static readonly DefinitionValidator Persona = new(DefinitionKind.Persona);

    private DefinitionValidator(DefinitionKind kind)
    {
        RuleFor(d => d.Code).Cascade(CascadeMode.Stop)
            .NotEmpty().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage("give the definition a code, e.g. \"Mid-market SaaS\".")
            .MaximumLength(DefinitionBody.MaxCodeLength).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"at most {DefinitionBody.MaxCodeLength} characters.")
            .Must(IsAddressable!).WithErrorCode(ProblemCodes.InvalidValue.Code)
            .WithMessage("control characters, the codes \".\" and \"..\", and the text %2F cannot be part of a URL path: use another code.");
        RuleFor(d => d.Kind).Equal(kind.Text()).WithErrorCode(ProblemCodes.InvalidValue.Code)
            .WithMessage($"this route takes definitions of the kind {kind.Text()}: leave kind out or correct the route.");
        if (kind == DefinitionKind.Persona)
        {
            RuleFor(d => d.Icp).NotEmpty().WithErrorCode(ProblemCodes.FieldRequired.Code)
                .WithMessage("a persona belongs to one ICP: give that ICP's code.");
        }
        else
        {
            RuleFor(d => d.Icp).Null().WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage("only personas belong to an ICP: remove icp.");
        }
        RuleFor(d => d.Priority).InclusiveBetween(0, DefinitionBody.MaxPriority).WithErrorCode(ProblemCodes.OutOfRange.Code)
            .WithMessage("must be a whole number from 0 to 1,000,000.");
        RuleFor(d => d.QualifyAt).InclusiveBetween(0, Scorer.MaxScore).WithErrorCode(ProblemCodes.OutOfRange.Code)
            .WithMessage("must be a whole number from 0 to 100.");
        RuleFor(d => d.Criteria!.Count).LessThanOrEqualTo(DefinitionBody.MaxCriteria).OverridePropertyName(nameof(DefinitionBody.Criteria))
            .WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"at most {DefinitionBody.MaxCriteria} criteria.")
            .DependentRules(() => RuleForEach(d => d.Criteria)
                .NotNull().WithErrorCode(ProblemCodes.InvalidType.Code).WithMessage("must be an object.")
                .SetValidator(new CriterionValidator(kind)));
        RuleFor(d => d).Custom(RefuseDoubledIds);
    }

    /// <summary>The problem with a completed body, or null.</summary>
    public static Problem? Check(DefinitionKind kind, DefinitionBody completed) =>
        (kind == DefinitionKind.Icp ? Icp : Persona).Validate(completed).ToProblem();

    /// <summary>Whether a URL path can name it: servers and proxies resolve dot segments, and %2F stands for the slash.</summary>
    private static bool IsAddressable(string code) =>
        code is not ("." or "..") && !code.Any(char.IsControl) && !code.Contains("%2F", StringComparison.OrdinalIgnoreCase);

    private static void RefuseDoubledIds(DefinitionBody body, ValidationContext<DefinitionBody> context)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < body.Criteria!.Count; i++)
        {
            if (body.Criteria[i] is { Id: { } id } && !seen.Add(id))
            {
                context.AddFailure(new ValidationFailure($"Criteria[{i}].Id", $"\"{id}\" is the id of another criterion: ids are unique in a definition.")
                {
                    ErrorCode = ProblemCodes.InvalidValue.Code,
                });
            }
        }
    }
}

internal sealed class CriterionValidator : AbstractValidator<CriterionBody>
{
    private const string Modes = "filter, exclude, score, penalty";

    public CriterionValidator(DefinitionKind kind)
    {
        RuleFor(c => c.Id).MaximumLength(CriterionBody.MaxIdLength).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {CriterionBody.MaxIdLength} characters.");
        RuleFor(c => c.Label).MaximumLength(CriterionBody.MaxLabelLength).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {CriterionBody.MaxLabelLength} characters.");
        RuleFor(c => c.Mode).Cascade(CascadeMode.Stop)
            .NotEmpty().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage($"is required: one of {Modes}.")
            .Must(mode => CriterionModes.TryParse(mode, out _)).WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage($"must be one of {Modes}.");
        When(c => CriterionModes.TryParse(c.Mode, out var mode) && mode.HasWeight(), () => RuleFor(c => c.Weight).Cascade(CascadeMode.Stop)
            .NotNull().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage("score and penalty criteria need a weight from 1 to 1,000.")
            .InclusiveBetween(1, CriterionBody.MaxWeight).WithErrorCode(ProblemCodes.OutOfRange.Code).WithMessage("must be a whole number from 1 to 1,000."));
        When(c => CriterionModes.TryParse(c.Mode, out var mode) && !mode.HasWeight(), () => RuleFor(c => c.Weight)
            .Null().WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage("a filter or exclude passes or does not: remove the weight."));
        RuleFor(c => c).Custom((criterion, context) => CheckDecision(kind, criterion, context));
    }

    /// <summary>A condition, or a field with bands; both are compiled here.</summary>
    private static void CheckDecision(DefinitionKind kind, CriterionBody criterion, ValidationContext<CriterionBody> context)
    {
        if (criterion.When is { } when)
        {
            if (criterion.Field is not null || criterion.Bands is not null)
            {
                Fail(context, "When", ProblemCodes.InvalidValue, "give either when, or field and bands, not both.");
            }
            Report(context, "When", Condition.Compile(when, kind.Roots()).Errors);
            return;
        }
        if (criterion.Field is not { } field)
        {
            Fail(context, criterion.Bands is null ? "When" : "Field", ProblemCodes.FieldRequired,
                criterion.Bands is null ? "give a condition in when, or a field with bands." : "bands need a field whose value they divide.");
            return;
        }
        Report(context, "Field", FieldPath.Parse(field, kind.Roots()).Errors);
        if (criterion.Bands is not { Count: > 0 })
        {
            Fail(context, "Bands", ProblemCodes.FieldRequired, "a field needs at least one band, e.g. {\"from\":10,\"points\":100}.");
        }
        else if (criterion.Bands.Count > CriterionBody.MaxBands)
        {
            Fail(context, "Bands", ProblemCodes.TooLong, $"at most {CriterionBody.MaxBands} bands.");
        }
        else
        {
            for (var i = 0; i < criterion.Bands.Count; i++)
            {
                CheckBand(criterion.Bands[i], $"Bands[{i}]", context);
            }
        }
    }

    private static void CheckBand(BandBody? band, string path, ValidationContext<CriterionBody> context)
    {
        if (band is null)
        {
            Fail(context, path, ProblemCodes.InvalidType, "must be an object.");
            return;
        }
        if (band.Points is not { } points)
        {
            Fail(context, $"{path}.Points", ProblemCodes.FieldRequired, "is required: 0 to 100.");
        }
        else if (points is < 0 or > Scorer.MaxScore)
        {
            Fail(context, $"{path}.Points", ProblemCodes.OutOfRange, "must be a whole number from 0 to 100.");
        }
        var isRange = band.From is not null || band.To is not null;
        if (isRange == band.In is not null)
        {
            Fail(context, path, ProblemCodes.InvalidValue, "give either in (a list of values) or from and to (a range).");
        }
        else if (isRange && band.From > band.To)
        {
            Fail(context, $"{path}.From", ProblemCodes.OutOfRange, "must not be greater than to: both ends belong to the band.");
        }
        else if (band.In is { } literals)
        {
            CheckLiterals(literals, path, context);
        }
    }

    private static void CheckLiterals(IReadOnlyList<JsonElement> literals, string path, ValidationContext<CriterionBody> context)
    {
        if (literals.Count is 0 or > BandBody.MaxLiterals)
        {
            Fail(context, $"{path}.In", ProblemCodes.OutOfRange, $"must have 1 to {BandBody.MaxLiterals} values.");
            return;
        }
        for (var i = 0; i < literals.Count; i++)
        {
            if (literals[i].ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
            {
                Fail(context, $"{path}.In[{i}]", ProblemCodes.InvalidType, "must be a text, a number, true or false.");
            }
            else if (literals[i].ValueKind == JsonValueKind.String && literals[i].GetString()!.Length > BandBody.MaxLiteralLength)
            {
                Fail(context, $"{path}.In[{i}]", ProblemCodes.TooLong, $"at most {BandBody.MaxLiteralLength} characters.");
            }
        }
    }

    private static void Report(ValidationContext<CriterionBody> context, string field, IReadOnlyList<ConditionError> errors)
    {
        foreach (var error in errors)
        {
            var path = context.PropertyChain.BuildPropertyPath(field);
            context.AddFailure(new ValidationFailure(path, error.Detail)
            {
                ErrorCode = ProblemCodes.InvalidCondition.Code,
                CustomState = error.At(InvalidFields.Pointer(path)),
            });
        }
    }

    private static void Fail(ValidationContext<CriterionBody> context, string field, ProblemCode code, string detail) =>
        context.AddFailure(new ValidationFailure(context.PropertyChain.BuildPropertyPath(field), detail) { ErrorCode = code.Code });
}

internal static class DefinitionConditions
{
    /// <summary>What criteria of that kind may look at.</summary>
    public static Roots Roots(this DefinitionKind kind) =>
        kind == DefinitionKind.Icp ? ConditionScopes.IcpCriteria : ConditionScopes.PersonaCriteria;

    /// <summary>The error with the place of its condition in the request.</summary>
    public static ConditionFault At(this ConditionError error, string pointer) => new(
        pointer, error.Code, error.Detail, error.Start, error.End, error.Line, error.Column, error.Snippet, error.Hint, error.Expected);
}
