using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Signals.Intake;

namespace SignalHub.Signals.V1;

/// <summary>
/// What <c>/v1</c> calls the fields of a signal. The pipeline, and whatever is stored, speaks of <c>signal_type</c>, <c>identity</c> and
/// <c>context</c>; this turns its problems and warnings into the sender's words. Pure.
/// </summary>
public static class V1Names
{
    private const string IdentityPrefix = "/identity/";

    private static readonly (string Theirs, string Ours)[] _fields =
    [
        ("/type", "/signal_type"), ("/source", "/source"), ("/occurred_at", "/occurred_at"), ("/idempotency_key", "/idempotency_key"),
        ("/properties", "/context"), ("/event_name", "/event_name"), ("/backfill", "/backfill"),
        ("/account/domain", "/identity/company_domain"), ("/account/name", "/identity/company_name"),
        ("/account/linkedin_url", "/identity/company_linkedin_url"),
        ("/contact/email", "/identity/email"), ("/contact/first_name", "/identity/first_name"), ("/contact/last_name", "/identity/last_name"),
        ("/contact/title", "/identity/title"), ("/contact/phone", "/identity/phone"), ("/contact/linkedin_url", "/identity/linkedin_url"),
    ];

    private static readonly Dictionary<string, string> _ours = _fields.ToDictionary(f => f.Theirs, f => f.Ours, StringComparer.Ordinal);
    private static readonly Dictionary<string, string> _theirs = _fields.ToDictionary(f => f.Ours, f => f.Theirs, StringComparer.Ordinal);

    /// <summary>The pointer of a field as <c>POST /signals</c> has it; null: /v1 has no such field.</summary>
    public static string? ToOurs(string pointer) => _ours.GetValueOrDefault(pointer);

    public static Problem Translate(Problem problem)
    {
        if (problem.Code == ProblemCodes.IdempotencyKeyReused)
        {
            // The account and the contact are one identity to the pipeline, which cannot tell which of them differs.
            return SignalIntake.KeyReused([.. problem.Errors.SelectMany(e => e.Pointer == "/identity" ? ["account", "contact"] : new[] { Theirs(e.Pointer)[1..] })]);
        }
        var errors = problem.Errors.Select(e => new FieldError(Theirs(e.Pointer), e.Code, Detail(e.Pointer, e.Detail))).ToList();
        return errors.Count == 0 ? problem : Problem.Fields(errors);
    }

    public static IReadOnlyList<Warning> Translate(IReadOnlyList<Warning> warnings) =>
        // What is unknown was named as it was sent.
        [.. warnings.Select(w => w.Code == ProblemCodes.UnknownField.Code ? w : new Warning(w.Code, Theirs(w.Pointer), Detail(w.Pointer, w.Detail)))];

    private static string Theirs(string pointer) => pointer == "/identity" ? "/contact" : _theirs.GetValueOrDefault(pointer, pointer);

    /// <summary>Details begin with the pointer, or with the name of a field of the identity.</summary>
    private static string Detail(string pointer, string detail)
    {
        var theirs = Theirs(pointer);
        if (theirs == pointer)
        {
            return detail;
        }
        if (detail.StartsWith(pointer, StringComparison.Ordinal))
        {
            return theirs + detail[pointer.Length..];
        }
        var name = pointer.StartsWith(IdentityPrefix, StringComparison.Ordinal) ? pointer[IdentityPrefix.Length..] : pointer;
        return detail.StartsWith(name, StringComparison.Ordinal) ? theirs[1..].Replace('/', '.') + detail[name.Length..] : detail;
    }
}
