using FluentValidation;
using SignalHub.Http;

namespace SignalHub.Workspaces;

/// <summary>A workspace as the operator writes it.</summary>
public sealed record WorkspaceBody
{
    /// <summary>1–100 characters.</summary>
    public string? Name { get; init; }

    /// <summary>Absent or null: the server's defaults.</summary>
    public LimitSettings Limits { get; init => field = value ?? new(); } = new();

    public WorkspaceSettings Settings { get; init => field = value ?? new(); } = new();
}

/// <summary>A workspace as its own users write it: without the limits.</summary>
public sealed record OwnWorkspaceBody
{
    /// <summary>1–100 characters.</summary>
    public string? Name { get; init; }

    public WorkspaceSettings Settings { get; init => field = value ?? new(); } = new();
}

/// <summary>A key to be made.</summary>
public sealed record ApiKeyBody
{
    /// <summary>What it is for, 1–100 characters.</summary>
    public string? Name { get; init; }

    /// <summary>At least one of <c>ingest</c>, <c>read</c>, <c>manage</c>; none that the key of this request lacks.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary><c>live</c> (if absent) or <c>test</c>.</summary>
    public string? Mode { get; init => field = value ?? Caller.Live; } = Caller.Live;

    /// <summary>From then on the key is refused; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A key's new name.</summary>
public sealed record ApiKeyName
{
    /// <summary>1–100 characters.</summary>
    public string? Name { get; init; }
}

/// <summary>How to rotate a key.</summary>
public sealed record RotationBody
{
    public const int DefaultGraceHours = 24;
    public const int MaxGraceHours = 168; // 7 days

    /// <summary>Whole hours that the old key goes on working, 0–168; 24 if absent.</summary>
    public int? GracePeriodHours { get; init => field = value ?? DefaultGraceHours; } = DefaultGraceHours;
}

internal sealed class WorkspaceBodyValidator : AbstractValidator<WorkspaceBody>
{
    public WorkspaceBodyValidator()
    {
        RuleFor(w => w.Name).IsName();
        RuleFor(w => w.Limits.PerMinute).IsLimit();
        RuleFor(w => w.Limits.PerDay).IsLimit();
        RuleFor(w => w.Settings).SetValidator(new WorkspaceSettingsValidator());
    }
}

internal sealed class OwnWorkspaceBodyValidator : AbstractValidator<OwnWorkspaceBody>
{
    public OwnWorkspaceBodyValidator()
    {
        RuleFor(w => w.Name).IsName();
        RuleFor(w => w.Settings).SetValidator(new WorkspaceSettingsValidator());
    }
}

internal sealed class WorkspaceSettingsValidator : AbstractValidator<WorkspaceSettings>
{
    private const int LongestAge = 315_360_000; // 10 years: more is the same as no limit
    private const int MaxDomains = 1_000;
    private const int LongestDomain = 253; // RFC 1035 section 2.3.4, without the final dot

    public WorkspaceSettingsValidator()
    {
        RuleFor(s => s.FireMaxAgeSeconds).InclusiveBetween(1, LongestAge)
            .WithErrorCode(ProblemCodes.OutOfRange.Code).WithMessage($"must be from 1 to {LongestAge} seconds, or null for no limit.");
        RuleFor(s => s.FreeMailAdd).Must(BeFew).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"may have at most {MaxDomains} domains.");
        RuleFor(s => s.FreeMailRemove).Must(BeFew).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"may have at most {MaxDomains} domains.");
        RuleForEach(s => s.FreeMailAdd).Must(BeDomain).WithErrorCode(ProblemCodes.InvalidDomain.Code).WithMessage(DomainExpected);
        RuleForEach(s => s.FreeMailRemove).Must(BeDomain).WithErrorCode(ProblemCodes.InvalidDomain.Code).WithMessage(DomainExpected);
    }

    private const string DomainExpected = "must be a domain such as mail.example.";

    private static bool BeFew(IReadOnlyList<string> domains) => domains.Count <= MaxDomains;

    private static bool BeDomain(string? text) =>
        text is { Length: > 0 and <= LongestDomain } && Uri.CheckHostName(text) == UriHostNameType.Dns && text.Contains('.', StringComparison.Ordinal);
}

internal sealed class ApiKeyBodyValidator : AbstractValidator<ApiKeyBody>
{
    public ApiKeyBodyValidator(TimeProvider time)
    {
        RuleFor(k => k.Name).IsName();
        RuleFor(k => k.Scopes).Cascade(CascadeMode.Stop)
            .NotNull().WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage($"is required (some of {ScopeNames.Known}).")
            .NotEmpty().WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage($"must have at least one of {ScopeNames.Known}.");
        RuleForEach(k => k.Scopes).Must(ScopeNames.IsKnown)
            .WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage($"must be one of {ScopeNames.Known}.");
        RuleFor(k => k.Mode).Must(mode => mode is Caller.Live or Caller.Test)
            .WithErrorCode(ProblemCodes.InvalidValue.Code).WithMessage($"must be {Caller.Live} or {Caller.Test}.");
        RuleFor(k => k.ExpiresAt).Must(expires => expires is null || expires > time.GetUtcNow())
            .WithErrorCode(ProblemCodes.OutOfRange.Code).WithMessage("must lie in the future, or be null for a key that does not expire.");
    }
}

internal sealed class ApiKeyNameValidator : AbstractValidator<ApiKeyName>
{
    public ApiKeyNameValidator() => RuleFor(k => k.Name).IsName();
}

internal sealed class RotationBodyValidator : AbstractValidator<RotationBody>
{
    public RotationBodyValidator() => RuleFor(r => r.GracePeriodHours).InclusiveBetween(0, RotationBody.MaxGraceHours)
        .WithErrorCode(ProblemCodes.OutOfRange.Code).WithMessage($"must be a whole number from 0 to {RotationBody.MaxGraceHours}.");
}

internal static class WorkspaceRules
{
    private const int LongestName = 100;

    public static IRuleBuilderOptions<T, string?> IsName<T>(this IRuleBuilderInitial<T, string?> rule) => rule.Cascade(CascadeMode.Stop)
        .Must(name => !string.IsNullOrWhiteSpace(name)).WithErrorCode(ProblemCodes.FieldRequired.Code).WithMessage($"is required (1 to {LongestName} characters).")
        .Must(name => name!.Trim().Length <= LongestName).WithErrorCode(ProblemCodes.TooLong.Code).WithMessage($"may have at most {LongestName} characters.");

    public static IRuleBuilderOptions<T, int?> IsLimit<T>(this IRuleBuilderInitial<T, int?> rule) => rule
        .GreaterThanOrEqualTo(0).WithErrorCode(ProblemCodes.OutOfRange.Code).WithMessage("must be 0 (unlimited) or more, or null for the server's default.");
}
