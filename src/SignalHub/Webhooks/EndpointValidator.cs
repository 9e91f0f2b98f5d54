using System.Net;
using FluentValidation;
using Microsoft.Extensions.Options;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>What a completed <see cref="EndpointBody"/> must fulfil.</summary>
public sealed class EndpointValidator : AbstractValidator<EndpointBody>
{
    private readonly OutboundGuard _guard;
    private readonly OutboundGuard _formOnly;

    public EndpointValidator(OutboundGuard guard, IOptions<WebhookOptions> options)
    {
        _guard = guard;
        // Whatever is wrong even if every network is allowed is the form of the URL, not the address.
        _formOnly = new OutboundGuard([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")], options.Value.AllowHttp);
        RuleFor(e => e.Url).Custom(CheckUrl);
        RuleFor(e => e.Description).MaximumLength(EndpointLimits.Description).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"at most {EndpointLimits.Description} characters.");
        RuleFor(e => e.Events).Custom((events, context) =>
            CheckWords(events!, "Events", WebhookEventTypes.All, context, mayBeEmpty: false));
        RuleFor(e => e.Secret).Custom(CheckSecret);
        RuleFor(e => e.SignatureHeader).Custom((name, context) =>
            Fail(context, "SignatureHeader", ProblemCodes.InvalidValue, DeliveryHeaders.ValidateName(name!)));
        RuleFor(e => e.Format).Must(format => EndpointFormats.All.Contains(format)).WithErrorCode(ProblemCodes.InvalidValue.Code)
            .WithMessage($"has to be one of {string.Join(", ", EndpointFormats.All)}.");
        RuleFor(e => e.TimeoutSeconds).InclusiveBetween(1, (int)WebhookOptions.MaxTimeout.TotalSeconds).WithErrorCode(ProblemCodes.OutOfRange.Code)
            .WithMessage($"has to be 1 to {WebhookOptions.MaxTimeout.TotalSeconds:0} seconds.");
        RuleFor(e => e.MaxPerSecond).InclusiveBetween(1, EndpointLimits.MaxPerSecond).WithErrorCode(ProblemCodes.OutOfRange.Code)
            .WithMessage($"has to be 1 to {EndpointLimits.MaxPerSecond}, or null for no limit.");
        RuleFor(e => e).Custom(CheckSchedule);
        RuleFor(e => e.Filter).Custom(CheckFilter);
    }

    /// <summary>The problem with a completed body, or null.</summary>
    public Problem? Check(EndpointBody completed) => Validate(completed).ToProblem();

    /// <summary>The problem with a rotation, or null.</summary>
    public static Problem? Check(RotateBody body)
    {
        var errors = new List<FieldError>();
        if (body.GracePeriodHours is < 0 or > EndpointLimits.MaxGraceHours)
        {
            errors.Add(new FieldError("/grace_period_hours", ProblemCodes.OutOfRange.Code,
                $"/grace_period_hours: has to be 0 to {EndpointLimits.MaxGraceHours} hours."));
        }
        if (body.Secret is { } secret && WebhookSecret.Validate(secret) is { } problem)
        {
            errors.Add(new FieldError("/secret", ProblemCodes.InvalidValue.Code, $"/secret: {problem}"));
        }
        return errors.Count == 0 ? null : Problem.Fields(errors);
    }

    private void CheckUrl(string? url, ValidationContext<EndpointBody> context)
    {
        if (string.IsNullOrEmpty(url))
        {
            Fail(context, "Url", ProblemCodes.FieldRequired, "say where events are to be sent, e.g. https://example.com/hook.");
        }
        else if (_guard.CheckUrl(url) is { } problem)
        {
            Fail(context, "Url", _formOnly.CheckUrl(url) is null ? ProblemCodes.BlockedAddress : ProblemCodes.InvalidUrl, problem);
        }
    }

    private static void CheckSecret(string? secret, ValidationContext<EndpointBody> context)
    {
        if (secret is not null)
        {
            Fail(context, "Secret", ProblemCodes.InvalidValue, WebhookSecret.Validate(secret));
        }
    }

    private static void CheckSchedule(EndpointBody endpoint, ValidationContext<EndpointBody> context)
    {
        if (!RetryPolicies.All.Contains(endpoint.RetryPolicy))
        {
            Fail(context, "RetryPolicy", ProblemCodes.InvalidValue, $"has to be one of {string.Join(", ", RetryPolicies.All)}.");
            return;
        }
        var isCustom = endpoint.RetryPolicy == RetryPolicies.Custom;
        if (isCustom != endpoint.Schedule is not null)
        {
            var (code, detail) = isCustom
                ? (ProblemCodes.FieldRequired, "the retry policy custom needs the seconds before each retry, e.g. [60, 600, 3600].")
                : (ProblemCodes.InvalidValue, $"belongs to the retry policy custom, not to {endpoint.RetryPolicy}: remove one of the two.");
            Fail(context, "Schedule", code, detail);
            return;
        }
        if (isCustom && RetrySchedule.Validate(endpoint.Schedule!) is { } problem)
        {
            Fail(context, "Schedule", ProblemCodes.InvalidValue, problem);
            return;
        }
        if (endpoint.Ordered == true && RetrySchedule.Of(endpoint.RetryPolicy!, endpoint.Schedule).Total > EndpointLimits.OrderedSchedule)
        {
            Fail(context, "Ordered", ProblemCodes.InvalidValue,
                "an ordered endpoint needs a retry schedule of at most one hour, because each event waits for the one before: use retry_policy short.");
        }
    }

    private static void CheckFilter(EndpointFilterBody? filter, ValidationContext<EndpointBody> context)
    {
        if (CheckEntries(filter!.SignalTypes!, "Filter.SignalTypes", context))
        {
            for (var i = 0; i < filter.SignalTypes!.Count; i++)
            {
                if (!filter.SignalTypes[i].Any(char.IsLetterOrDigit))
                {
                    Fail(context, $"Filter.SignalTypes[{i}]", ProblemCodes.InvalidValue, "needs a letter or digit to be a signal type.");
                }
            }
        }
        CheckEntries(filter.Sources!, "Filter.Sources", context);
        if (CheckEntries(filter.Projects!, "Filter.Projects", context))
        {
            for (var i = 0; i < filter.Projects!.Count; i++)
            {
                if (!Ids.TryParse(Ids.Project, filter.Projects[i], out _))
                {
                    Fail(context, $"Filter.Projects[{i}]", ProblemCodes.InvalidValue, "has to be the id of a project (prj_…).");
                }
            }
        }
        CheckWords(filter.Priorities!, "Filter.Priorities", Priorities.All, context, mayBeEmpty: true);
        if (filter.When is { } text && Condition.Compile(text, ConditionScopes.Routing) is { Condition: null, Errors: [var error, ..] })
        {
            context.AddFailure(new FluentValidation.Results.ValidationFailure("Filter.When", error.Detail)
            {
                ErrorCode = ProblemCodes.InvalidCondition.Code,
                CustomState = EndpointView.Fault(error),
            });
        }
    }

    private static bool CheckEntries(IReadOnlyList<string> values, string field, ValidationContext<EndpointBody> context)
    {
        if (values.Count > EndpointLimits.FilterEntries)
        {
            Fail(context, field, ProblemCodes.TooLong, $"at most {EndpointLimits.FilterEntries} entries.");
            return false;
        }
        var good = true;
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] is not { Length: > 0 and <= EndpointLimits.FilterEntry })
            {
                Fail(context, $"{field}[{i}]", ProblemCodes.InvalidValue, $"has to be a text of 1 to {EndpointLimits.FilterEntry} characters.");
                good = false;
            }
        }
        return good;
    }

    private static void CheckWords(
        IReadOnlyList<string> values, string field, IReadOnlyList<string> known, ValidationContext<EndpointBody> context, bool mayBeEmpty)
    {
        if (values.Count == 0 && !mayBeEmpty)
        {
            Fail(context, field, ProblemCodes.InvalidValue, $"name at least one of {string.Join(", ", known)}.");
        }
        if (values.Count > known.Count)
        {
            // They are distinct by now; naming each wrong one of a megabyte of them helps nobody.
            Fail(context, field, ProblemCodes.TooLong, $"there are only {known.Count}: {string.Join(", ", known)}.");
            return;
        }
        for (var i = 0; i < values.Count; i++)
        {
            if (!known.Contains(values[i]))
            {
                Fail(context, $"{field}[{i}]", ProblemCodes.InvalidValue, $"has to be one of {string.Join(", ", known)}.");
            }
        }
    }

    /// <summary>Nothing when there is no detail.</summary>
    private static void Fail(ValidationContext<EndpointBody> context, string field, ProblemCode code, string? detail)
    {
        if (detail is not null)
        {
            context.AddFailure(new FluentValidation.Results.ValidationFailure(field, detail) { ErrorCode = code.Code });
        }
    }
}
