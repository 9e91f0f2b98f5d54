using FluentValidation;
using SignalHub.Http;

namespace SignalHub.Signals;

/// <summary>
/// What a signal must be (spec: POST /signals). Property names are JSON Pointers, error codes are problem codes, so a failure
/// is a <see cref="FieldError"/> as it stands.
/// </summary>
public sealed class SignalValidator : AbstractValidator<SignalRequest>
{
    public const int MaxSourceLength = 100;
    public const int MaxEventNameLength = 200;
    public const int MaxIdempotencyKeyLength = 255;
    public const int MaxEmails = 5;

    /// <summary>Longest name, title, company name or phone number: what is longer is not one.</summary>
    public const int MaxNameLength = 500;

    /// <summary>256 KB, as UTF-8 without insignificant space.</summary>
    public const int MaxContextBytes = 256 * 1024;

    public const int MaxContextDepth = 32;

    /// <summary>Clocks differ; an hour ahead is a broken clock or a broken time zone.</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromHours(1);

    /// <summary>Nothing that is a signal happened before; an older date is a default value or a wrong unit.</summary>
    public static readonly DateTimeOffset Earliest = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Building the rules costs more than a thousand checks.</summary>
    public static SignalValidator Instance { get; } = new();

    public SignalValidator()
    {
        Required(r => r.SignalType, "/signal_type", "the kind of signal, e.g. custom_event");
        Required(r => r.Source, "/source", "the system the event comes from");
        When(r => !r.IsFreeForm, () => Required(r => r.OccurredAtText, "/occurred_at", "when it happened, e.g. 2026-05-26T14:30:00Z"));
        AtMost(r => r.Source, "/source", MaxSourceLength);
        AtMost(r => r.EventName, "/event_name", MaxEventNameLength);
        AtMost(r => r.IdempotencyKey, "/idempotency_key", MaxIdempotencyKeyLength);
        AtMost(r => r.Identity.FirstName, "/identity/first_name", MaxNameLength);
        AtMost(r => r.Identity.LastName, "/identity/last_name", MaxNameLength);
        AtMost(r => r.Identity.Title, "/identity/title", MaxNameLength);
        AtMost(r => r.Identity.CompanyName, "/identity/company_name", MaxNameLength);
        AtMost(r => r.Identity.Phone, "/identity/phone", MaxNameLength);
        RuleFor(r => r.Identity.Emails).Must(emails => emails is null || emails.Count <= MaxEmails)
            .OverridePropertyName("/identity/emails").WithErrorCode(ProblemCodes.OutOfRange.Code)
            .WithMessage($"/identity/emails has more than {MaxEmails} addresses.");
        OccurredAtRules();
        ContextRules();
    }

    /// <summary>Every failure of one request, in the order of the fields; empty when it is fine.</summary>
    public static IReadOnlyList<FieldError> Check(SignalRequest request)
    {
        var result = Instance.Validate(request);
        if (result.IsValid)
        {
            return request.TypeErrors;
        }
        // A field of the wrong type is not missing as well.
        var wrong = request.TypeErrors.Select(e => e.Pointer).ToHashSet(StringComparer.Ordinal);
        return [.. request.TypeErrors, .. result.Errors.Where(e => !wrong.Contains(e.PropertyName))
            .Select(e => new FieldError(e.PropertyName, e.ErrorCode, e.ErrorMessage))];
    }

    private void Required(System.Linq.Expressions.Expression<Func<SignalRequest, string?>> field, string pointer, string what) =>
        RuleFor(field).NotEmpty().OverridePropertyName(pointer).WithErrorCode(ProblemCodes.FieldRequired.Code)
            .WithMessage($"{pointer} is required: {what}.");

    private void AtMost(System.Linq.Expressions.Expression<Func<SignalRequest, string?>> field, string pointer, int length) =>
        RuleFor(field).MaximumLength(length).OverridePropertyName(pointer).WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"{pointer} is longer than {length} characters.");

    private void OccurredAtRules()
    {
        RuleFor(r => r.OccurredAt).NotNull().When(r => r.OccurredAtText is not null)
            .OverridePropertyName("/occurred_at").WithErrorCode(ProblemCodes.InvalidTimestamp.Code)
            .WithMessage("/occurred_at must be an RFC 3339 timestamp with an offset, e.g. 2026-05-26T14:30:00Z or 2026-05-26T16:30:00+02:00.");
        RuleFor(r => r.OccurredAt).Must((r, at) => at is null || at <= r.ReceivedAt + MaxAhead)
            .OverridePropertyName("/occurred_at").WithErrorCode(ProblemCodes.OccurredAtInFuture.Code)
            .WithMessage("/occurred_at is more than 1 hour in the future: check the clock and the time zone of the sender.");
        RuleFor(r => r.OccurredAt).Must(at => at is null || at >= Earliest)
            .OverridePropertyName("/occurred_at").WithErrorCode(ProblemCodes.OccurredAtTooOld.Code)
            .WithMessage("/occurred_at is before 2000-01-01: check the sender's date.");
    }

    private void ContextRules()
    {
        RuleFor(r => r.Context).Must(context => CanonicalJson.Depth(context) <= MaxContextDepth)
            .OverridePropertyName("/context").WithErrorCode(ProblemCodes.TooDeep.Code)
            .WithMessage($"/context is nested deeper than {MaxContextDepth} levels.");
        RuleFor(r => r.Context).Must(context => CanonicalJson.IsWithin(context, MaxContextBytes))
            .OverridePropertyName("/context").WithErrorCode(ProblemCodes.TooLong.Code)
            .WithMessage($"/context is larger than {MaxContextBytes / 1024} KB.");
    }
}
