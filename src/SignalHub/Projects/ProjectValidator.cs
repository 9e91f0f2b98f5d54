using FluentValidation;
using FluentValidation.Results;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Projects;

/// <summary>What a completed <see cref="ProjectBody"/> must fulfil; conditions and the template are compiled, so a stored project compiles.</summary>
internal sealed class ProjectValidator : AbstractValidator<ProjectBody>
{
    private static readonly ProjectValidator _only = new();

    private ProjectValidator()
    {
        RuleFor(p => p.Name).Cascade(CascadeMode.Stop)
            .NotEmpty().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage("give the project a name, e.g. \"New customers in Germany\".")
            .MaximumLength(ProjectLimits.Name).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"at most {ProjectLimits.Name} characters.");
        RuleFor(p => p.Description).MaximumLength(ProjectLimits.Description).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {ProjectLimits.Description} characters.");
        RuleFor(p => p.SignalTypes).Custom((values, context) => CheckEntries(values!, "SignalTypes", context));
        RuleFor(p => p.Sources).Custom((values, context) => CheckEntries(values!, "Sources", context));
        RuleFor(p => p.When).Custom((text, context) => CheckCondition(text, "When", context));
        RuleFor(p => p.Priorities).Custom(CheckRules!);
        RuleFor(p => p.RecommendedAction).Custom(CheckAction);
    }

    /// <summary>The problem with a completed body, or null.</summary>
    public static Problem? Check(ProjectBody completed) => _only.Validate(completed).ToProblem();

    private static void CheckEntries(IReadOnlyList<string> values, string field, ValidationContext<ProjectBody> context)
    {
        if (values.Count > ProjectLimits.Entries)
        {
            Fail(context, field, ProblemCodes.TooLong, $"at most {ProjectLimits.Entries} entries.");
            return;
        }
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] is not { Length: > 0 and <= ProjectLimits.Entry })
            {
                Fail(context, $"{field}[{i}]", ProblemCodes.InvalidValue, $"has to be a text of 1 to {ProjectLimits.Entry} characters.");
            }
        }
    }

    private static void CheckRules(IReadOnlyList<PriorityRuleBody?> rules, ValidationContext<ProjectBody> context)
    {
        if (rules.Count > ProjectLimits.Rules)
        {
            Fail(context, "Priorities", ProblemCodes.TooLong, $"at most {ProjectLimits.Rules} rules.");
            return;
        }
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is not { } rule)
            {
                Fail(context, $"Priorities[{i}]", ProblemCodes.InvalidType, "must be an object.");
                continue;
            }
            if (string.IsNullOrWhiteSpace(rule.When))
            {
                Fail(context, $"Priorities[{i}].When", ProblemCodes.FieldRequired, "say when the rule applies, e.g. icp.score >= 70, or true for always.");
            }
            else
            {
                CheckCondition(rule.When, $"Priorities[{i}].When", context);
            }
            if (!Webhooks.Priorities.All.Contains(rule.Priority))
            {
                Fail(context, $"Priorities[{i}].Priority", ProblemCodes.InvalidValue, $"has to be one of {string.Join(", ", Webhooks.Priorities.All)}.");
            }
        }
    }

    private static void CheckAction(string? text, ValidationContext<ProjectBody> context)
    {
        if (text is null)
        {
            return;
        }
        if (text.Length > ProjectLimits.Action)
        {
            Fail(context, "RecommendedAction", ProblemCodes.TooLong, $"at most {ProjectLimits.Action} characters.");
        }
        else if (BodyTemplate.Compile(text, TemplateKind.Text, SignalValues.Roots).Error is { } error)
        {
            Fail(context, "RecommendedAction", ProblemCodes.InvalidTemplate, $"at character {error.Start + 1}: {error.Detail}");
        }
    }

    private static void CheckCondition(string? text, string field, ValidationContext<ProjectBody> context)
    {
        if (text is null)
        {
            return;
        }
        foreach (var error in Condition.Compile(text, ConditionScopes.Routing).Errors)
        {
            context.AddFailure(new ValidationFailure(field, error.Detail)
            {
                ErrorCode = ProblemCodes.InvalidCondition.Code,
                CustomState = error.At(InvalidFields.Pointer(field)),
            });
        }
    }

    private static void Fail(ValidationContext<ProjectBody> context, string field, ProblemCode code, string detail) =>
        context.AddFailure(new ValidationFailure(field, detail) { ErrorCode = code.Code });
}

internal static class ProjectConditions
{
    /// <summary>What is doubtful about a stored project's conditions, or no longer compiles.</summary>
    public static IEnumerable<ConditionFault> Doubts(StoredProject project)
    {
        var conditions = project.Priorities.Select((rule, i) => (Text: rule.When, Pointer: $"/priorities/{i}/when")).Prepend((Text: project.When, Pointer: "/when"));
        foreach (var (text, pointer) in conditions.Where(c => c.Text is not null))
        {
            var compiled = Condition.Compile(text!, ConditionScopes.Routing);
            foreach (var error in compiled.Errors.Concat(compiled.Condition?.Warnings ?? []))
            {
                yield return error.At(pointer);
            }
        }
    }

    /// <summary>The error with the place of its condition in the request.</summary>
    public static ConditionFault At(this ConditionError error, string pointer) => new(
        pointer, error.Code, error.Detail, error.Start, error.End, error.Line, error.Column, error.Snippet, error.Hint, error.Expected);
}
