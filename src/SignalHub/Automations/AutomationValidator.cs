using FluentValidation;
using FluentValidation.Results;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Automations;

/// <summary>What a completed <see cref="AutomationBody"/> must fulfil.</summary>
public sealed class AutomationValidator : AbstractValidator<AutomationBody>
{
    private readonly EndpointValidator _endpoints;

    public AutomationValidator(EndpointValidator endpoints)
    {
        _endpoints = endpoints;
        RuleFor(a => a.Name).Custom(CheckName);
        RuleFor(a => a.Description).MaximumLength(AutomationLimits.Description).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {AutomationLimits.Description} characters.");
        RuleFor(a => a.Trigger).Custom((trigger, context) => CheckTypes(trigger!.SignalTypes!, context));
        RuleFor(a => a.When).Custom(CheckCondition);
        RuleFor(a => a.Action).Custom(CheckAction);
        RuleFor(a => a.Limit).Custom(CheckLimit);
    }

    /// <summary>The problem with a completed body, or null.</summary>
    public Problem? Check(AutomationBody completed) => Validate(completed).ToProblem();

    /// <summary>The endpoint that an action with a URL of its own needs.</summary>
    internal static EndpointBody OwnEndpoint(AutomationActionBody action) => new()
    {
        Url = action.Url,
        Secret = action.Secret,
        SignatureHeader = action.SignatureHeader,
        Events = [WebhookEventTypes.AutomationActionTriggered],
    };

    private static void CheckName(string? name, ValidationContext<AutomationBody> context)
    {
        if (string.IsNullOrEmpty(name))
        {
            Fail(context, "Name", ProblemCodes.FieldRequired, "give it a name: receivers get it as automation_name.");
        }
        else if (name.Length > AutomationLimits.Name)
        {
            Fail(context, "Name", ProblemCodes.TooLong, $"at most {AutomationLimits.Name} characters.");
        }
    }

    private static void CheckTypes(IReadOnlyList<string> types, ValidationContext<AutomationBody> context)
    {
        if (types.Count > AutomationLimits.SignalTypes)
        {
            Fail(context, "Trigger.SignalTypes", ProblemCodes.TooLong, $"at most {AutomationLimits.SignalTypes} entries.");
            return;
        }
        for (var i = 0; i < types.Count; i++)
        {
            if (types[i] is not { Length: > 0 and <= AutomationLimits.SignalType } type || !type.Any(char.IsLetterOrDigit))
            {
                Fail(context, $"Trigger.SignalTypes[{i}]", ProblemCodes.InvalidValue,
                    $"has to be a signal type: 1 to {AutomationLimits.SignalType} characters, with a letter or digit among them.");
            }
        }
    }

    private static void CheckCondition(string? text, ValidationContext<AutomationBody> context)
    {
        if (text is not null && Condition.Compile(text, ConditionScopes.Routing) is { Condition: null, Errors: [var error, ..] })
        {
            context.AddFailure(new ValidationFailure("When", error.Detail)
            {
                ErrorCode = ProblemCodes.InvalidCondition.Code,
                CustomState = AutomationView.Fault(error),
            });
        }
    }

    private void CheckAction(AutomationActionBody? action, ValidationContext<AutomationBody> context)
    {
        if (action is null)
        {
            Fail(context, "Action", ProblemCodes.FieldRequired, "say what it does, e.g. {\"type\": \"webhook\", \"url\": \"https://example.com/hook\"}.");
            return;
        }
        if (action.Type != AutomationActions.Webhook)
        {
            Fail(context, "Action.Type", ProblemCodes.InvalidValue, $"has to be {AutomationActions.Webhook}.");
        }
        CheckTarget(action, context);
        CheckHeaders(action, context);
        if (action.BodyTemplate is { } body)
        {
            CheckTemplate("Action.BodyTemplate", body, TemplateKind.Json, context);
        }
    }

    private void CheckTarget(AutomationActionBody action, ValidationContext<AutomationBody> context)
    {
        if (action.EndpointId is null)
        {
            if (action.Url is null)
            {
                Fail(context, "Action.Url", ProblemCodes.FieldRequired, "say where to send: a url, or the endpoint_id of a webhook endpoint.");
                return;
            }
            foreach (var failure in _endpoints.Validate(OwnEndpoint(action).Complete(_ => null)).Errors)
            {
                failure.PropertyName = "Action." + failure.PropertyName;
                context.AddFailure(failure);
            }
            return;
        }
        if (!Ids.TryParse(Ids.Endpoint, action.EndpointId, out _))
        {
            Fail(context, "Action.EndpointId", ProblemCodes.InvalidValue, "has to be the id of a webhook endpoint (ep_…).");
        }
        foreach (var (field, value) in new[] { ("Url", action.Url), ("Secret", action.Secret), ("SignatureHeader", action.SignatureHeader) })
        {
            if (value is not null)
            {
                Fail(context, $"Action.{field}", ProblemCodes.InvalidValue, "the endpoint of endpoint_id has its own: leave out one of the two.");
            }
        }
    }

    private static void CheckHeaders(AutomationActionBody action, ValidationContext<AutomationBody> context)
    {
        if (action.Headers!.Count > AutomationLimits.Headers)
        {
            Fail(context, "Action.Headers", ProblemCodes.TooLong, $"at most {AutomationLimits.Headers} headers.");
            return;
        }
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { action.SignatureHeader ?? DeliveryHeaders.DefaultSignature };
        foreach (var (name, value) in action.Headers)
        {
            if (DeliveryHeaders.ValidateName(name) is { } problem)
            {
                Fail(context, "Action.Headers", ProblemCodes.InvalidValue, problem);
            }
            else if (!names.Add(name))
            {
                Fail(context, "Action.Headers", ProblemCodes.InvalidValue, $"{name} is there twice, or is the signature's header.");
            }
            else if (value is null || value.Length > AutomationLimits.HeaderValue || value.Any(c => c is < ' ' or > '~'))
            {
                Fail(context, "Action.Headers", ProblemCodes.InvalidValue,
                    $"{name} has to be a text of at most {AutomationLimits.HeaderValue} visible ASCII characters; values put into it may have others.");
            }
            else
            {
                CheckTemplate("Action.Headers", value, TemplateKind.Text, context, $"{name}: ");
            }
        }
    }

    private static void CheckTemplate(string field, string text, TemplateKind kind, ValidationContext<AutomationBody> context, string what = "")
    {
        if (BodyTemplate.Compile(text, kind, ActionTemplates.Roots).Error is { } error)
        {
            Fail(context, field, ProblemCodes.InvalidTemplate, $"{what}{error.Detail} (at character {error.Start})");
        }
    }

    private static void CheckLimit(AutomationLimitBody? limit, ValidationContext<AutomationBody> context)
    {
        if (limit is null)
        {
            return;
        }
        if (limit.Per != AutomationLimits.PerLead)
        {
            Fail(context, "Limit.Per", ProblemCodes.InvalidValue, $"has to be {AutomationLimits.PerLead}.");
        }
        if (limit.PeriodHours is not { } hours)
        {
            Fail(context, "Limit.PeriodHours", ProblemCodes.FieldRequired, "say for how many hours, e.g. 24.");
        }
        else if (hours is < 1 or > AutomationLimits.MaxPeriodHours)
        {
            Fail(context, "Limit.PeriodHours", ProblemCodes.OutOfRange, $"has to be 1 to {AutomationLimits.MaxPeriodHours} hours.");
        }
    }

    private static void Fail(ValidationContext<AutomationBody> context, string field, ProblemCode code, string detail) =>
        context.AddFailure(new ValidationFailure(field, detail) { ErrorCode = code.Code });
}
