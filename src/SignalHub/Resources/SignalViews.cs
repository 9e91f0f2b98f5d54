using System.Text.Json;

namespace SignalHub.Resources;

/// <summary>The four figures of a qualification; all null when it was not run or not to be shown.</summary>
/// <param name="IcpCode">Code of the best ICP; null when none matches.</param>
/// <param name="IcpScore">0–100.</param>
/// <param name="PersonaCode">Code of the best persona of that ICP; null when no person is known or none matches.</param>
/// <param name="PersonaScore">0–100.</param>
public sealed record QualificationFigures(string? IcpCode, int? IcpScore, string? PersonaCode, int? PersonaScore)
{
    public static readonly QualificationFigures None = new(null, null, null, null);
}

/// <summary>Something that was corrected or ignored, and did not prevent the signal.</summary>
/// <param name="Code">A stable word.</param>
/// <param name="Pointer">JSON Pointer (RFC 6901) into the request.</param>
public sealed record Warning(string Code, string Pointer, string Detail);

/// <summary>One captured event as shown everywhere: <c>GET /signals</c>, <c>GET /signals/{id}</c>, and (with lead, account and contact) webhook data.</summary>
/// <param name="Id"><c>sig_…</c></param>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
/// <param name="Identity">As sent, cleaned.</param>
/// <param name="Context">As sent.</param>
public record SignalView(
    string Id, string SignalType, string Source, string? EventName, string? Bucket, string Mode, bool Backfill,
    DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, JsonElement Identity, JsonElement Context,
    string? LeadId, string? AccountId, string? ContactId, bool? Qualified, QualificationFigures Qualification,
    IReadOnlyList<Warning> Warnings);

/// <summary>A signal with whom it is about: the <c>data</c> of <c>signal.qualified</c>.</summary>
public sealed record SignalData(
    string Id, string SignalType, string Source, string? EventName, string? Bucket, string Mode, bool Backfill,
    DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, JsonElement Identity, JsonElement Context,
    string? LeadId, string? AccountId, string? ContactId, bool? Qualified, QualificationFigures Qualification,
    IReadOnlyList<Warning> Warnings, LeadSummary? Lead, AccountView? Account, ContactView? Contact)
    : SignalView(Id, SignalType, Source, EventName, Bucket, Mode, Backfill, OccurredAt, ReceivedAt, Identity, Context,
        LeadId, AccountId, ContactId, Qualified, Qualification, Warnings);
