using System.Text.Json;
using System.Text.Json.Serialization;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.Storage;

namespace SignalHub.Signals.V1;

/// <summary>The answer to a signal sent to /v1: 201 when it is new, 200 when it was received before.</summary>
/// <param name="Id"><c>sig_…</c>; the same for every retry.</param>
/// <param name="Type">As sent.</param>
/// <param name="Status">Always <c>received</c>.</param>
/// <param name="AccountId">The company; null when none is known.</param>
/// <param name="ContactId">The person; null when none is known.</param>
/// <param name="CreatedAt">When it was received, the first time.</param>
/// <param name="OccurredAt">As sent, else when it was received.</param>
/// <param name="MatchedRecordId">The lead (<c>lead_…</c>); null for a signal about nobody.</param>
/// <param name="Bucket">Name of the first sub-rule of the type that matched; null when none did.</param>
/// <param name="Qualified">Null when the type's autoqualify is off, and for a signal about nobody.</param>
/// <param name="Qualification">All four null where <paramref name="Qualified"/> is.</param>
/// <param name="PayloadDiffers">True when a duplicate has other properties than the signal stored first; else absent.</param>
public sealed record V1SignalResponse(
    string Id, string Type, string Source, string Status, string? AccountId, string? ContactId, DateTimeOffset CreatedAt, DateTimeOffset OccurredAt,
    string? MatchedRecordId, string? Bucket, bool? Qualified, QualificationFigures Qualification, IReadOnlyList<Warning> Warnings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? PayloadDiffers)
{
    public const string Received = "received";

    public static V1SignalResponse Of(IntakeItem item, CapturedSignal signal) => new(
        Ids.Text(Ids.Signal, signal.SignalId), item.TypeSent ?? item.Type.Key, item.Source, Received,
        Ids.Text(Ids.Account, signal.AccountId), Ids.Text(Ids.Contact, signal.ContactId), signal.ReceivedAt, signal.OccurredAt,
        Ids.Text(Ids.Lead, signal.LeadId), signal.Bucket, signal.ShowsQualification ? signal.Qualified : null,
        signal.ShowsQualification ? signal.Figures : QualificationFigures.None, V1Names.Translate(signal.Warnings), signal.PayloadDiffers ? true : null);
}

/// <summary>The company of a signal as it was sent.</summary>
public sealed record V1Account(string? Domain, string? Name, string? LinkedinUrl);

/// <summary>The person of a signal as it was sent.</summary>
public sealed record V1Contact(string? Email, string? FirstName, string? LastName, string? Title, string? Phone, string? LinkedinUrl);

/// <summary>A signal as /v1 shows it, whichever route it came by.</summary>
/// <param name="Id"><c>sig_…</c></param>
/// <param name="Type">As sent.</param>
/// <param name="Status">Always <c>received</c>.</param>
/// <param name="AccountId">The company, as of today where it was merged.</param>
/// <param name="ContactId">The person, as of today where they were merged.</param>
/// <param name="CreatedAt">When it was received.</param>
/// <param name="MatchedRecordId">The lead; null for a signal about nobody.</param>
/// <param name="Account">As sent; null where nothing was.</param>
/// <param name="Contact">As sent; null where nothing was.</param>
/// <param name="Properties">As sent.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
public sealed record V1SignalView(
    string Id, string Type, string Source, string Status, string? AccountId, string? ContactId, DateTimeOffset CreatedAt, DateTimeOffset OccurredAt,
    string? MatchedRecordId, V1Account? Account, V1Contact? Contact, JsonElement Properties, string? EventName, string? Bucket, string Mode, bool Backfill,
    bool? Qualified, QualificationFigures Qualification, IReadOnlyList<Warning> Warnings)
{
    /// <param name="signal">The signal.</param>
    /// <param name="typeSent">The type as sent, where that differs from the key.</param>
    public static V1SignalView Of(SignalView signal, string? typeSent)
    {
        var account = new V1Account(Text("company_domain"), Text("company_name"), Text("company_linkedin_url"));
        var contact = new V1Contact(Text("email"), Text("first_name"), Text("last_name"), Text("title"), Text("phone"), Text("linkedin_url"));
        return new V1SignalView(
            signal.Id, typeSent ?? signal.SignalType, signal.Source, V1SignalResponse.Received, signal.AccountId, signal.ContactId,
            signal.ReceivedAt, signal.OccurredAt, signal.LeadId,
            account == new V1Account(null, null, null) ? null : account, contact == new V1Contact(null, null, null, null, null, null) ? null : contact,
            signal.Context, signal.EventName, signal.Bucket, signal.Mode, signal.Backfill, signal.Qualified, signal.Qualification,
            V1Names.Translate(signal.Warnings));

        string? Text(string field) => signal.Identity.TryGetProperty(field, out var value) ? value.GetString() : null;
    }
}
