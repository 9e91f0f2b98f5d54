using System.Text.Json.Serialization;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.Storage;

namespace SignalHub.Signals;

/// <summary>The answer to a captured signal: 201 when it is new, 200 when it was captured before.</summary>
/// <param name="SignalCaptureId">The signal's id (<c>sig_…</c>); the same for every retry.</param>
/// <param name="MatchedRecordId">The lead (<c>lead_…</c>); null for a signal that has none.</param>
/// <param name="Status"><c>captured</c> or <c>duplicate</c>.</param>
/// <param name="Bucket">Name of the first sub-rule of the type that matched; null when none did.</param>
/// <param name="Qualification">All four null when the type's autoqualify is off.</param>
/// <param name="Qualified">Null when the type's autoqualify is off.</param>
/// <param name="PayloadDiffers">True when a duplicate has another event name or context than the signal stored first; else absent.</param>
public sealed record SignalResponse(
    string SignalCaptureId, string? MatchedRecordId, string Status, string? Bucket, QualificationFigures Qualification, bool? Qualified,
    string? AccountId, string? ContactId, IReadOnlyList<Warning> Warnings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? PayloadDiffers)
{
    public const string Captured = "captured";
    public const string Duplicate = "duplicate";

    public static SignalResponse Of(CapturedSignal signal) => new(
        Ids.Text(Ids.Signal, signal.SignalId), Ids.Text(Ids.Lead, signal.LeadId), signal.IsDuplicate ? Duplicate : Captured, signal.Bucket,
        signal.ShowsQualification ? signal.Figures : QualificationFigures.None, signal.ShowsQualification ? signal.Qualified : null,
        Ids.Text(Ids.Account, signal.AccountId), Ids.Text(Ids.Contact, signal.ContactId), signal.Warnings,
        signal.PayloadDiffers ? true : null);
}

/// <summary>A canonical identity key.</summary>
/// <param name="Kind"><c>email</c>, <c>linkedin</c>, <c>linkedin_urn</c>, <c>company_domain</c>, <c>company_linkedin</c> or <c>company_name</c>.</param>
public sealed record IdentityKeyView(string Kind, string Key);

/// <summary>The canonical keys of an identity, the company domain derived from an e-mail included.</summary>
public sealed record IdentityKeysView(IReadOnlyList<IdentityKeyView> Keys);

/// <summary>Whether an endpoint or automation would hear of the signal, and if not, why.</summary>
public sealed record WouldFire(string Id, [property: JsonPropertyName("would_fire")] bool Fires, IReadOnlyList<string> Reasons);

/// <summary>What a signal would become; nothing was written.</summary>
/// <param name="WouldBe"><c>captured</c> or <c>duplicate</c>.</param>
/// <param name="SignalCaptureId">The existing signal's id for a duplicate; else null.</param>
/// <param name="MatchedRecordId">The existing lead; null when a new one would be made. Likewise account and contact.</param>
public sealed record DryRunResponse(
    string Status, string WouldBe, string? SignalCaptureId, string? MatchedRecordId, string? AccountId, string? ContactId, string? Bucket,
    bool? Qualified, QualificationFigures Qualification, IReadOnlyList<Warning> Warnings, IdentityKeysView Identity,
    IReadOnlyList<WouldFire> Endpoints, IReadOnlyList<WouldFire> Automations);
