using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Resources;

/// <summary>A company as shown everywhere: lists, single reads, webhook data.</summary>
/// <param name="Id"><c>acc_…</c></param>
/// <param name="Domain">The first domain it was known by; all are in <paramref name="Domains"/>.</param>
/// <param name="Attributes">Each fact's value by name.</param>
/// <param name="Facts">Each fact with its source (<c>explicit</c>, <c>mapped</c>, <c>derived</c>) and time.</param>
public sealed record AccountView(
    string Id, string? Name, string? Domain, IReadOnlyList<string> Domains,
    IReadOnlyDictionary<string, JsonElement> Attributes, IReadOnlyDictionary<string, FactView> Facts, DateTimeOffset CreatedAt);

/// <summary>What is known of a company under one name, who said so and when.</summary>
public sealed record FactView(JsonElement Value, string Source, DateTimeOffset At);

/// <summary>A person as shown everywhere.</summary>
/// <param name="Id"><c>con_…</c></param>
/// <param name="Seniority">From the title: founder, c_level, vp, head, director, manager, senior, ic; null when unknown.</param>
/// <param name="Function">From the title: engineering, sales, …; null when unknown.</param>
/// <param name="Email">The first address, in the form for sending; all are in <paramref name="Emails"/>.</param>
public sealed record ContactView(
    string Id, string? FirstName, string? LastName, string? Title, string? Seniority, string? Function,
    string? Email, IReadOnlyList<string> Emails, string? LinkedinUrl, string? Phone, string? AccountId, DateTimeOffset CreatedAt);

/// <summary>Where a lead's signals came from.</summary>
/// <param name="BySource">Signals by source; at most 100 names, the rest under <c>(other)</c>.</param>
public sealed record AttributionView(string? FirstSource, string? LastSource, IReadOnlyDictionary<string, long> BySource);

/// <summary>A lead without the person and the company, where these stand beside it: the <c>lead</c> of a signal's webhook data.</summary>
/// <param name="Id"><c>lead_…</c></param>
/// <param name="Kind"><c>contact</c> or <c>account</c>.</param>
/// <param name="IcpScore">0–100, of the newest scored live signal; null before one is scored.</param>
/// <param name="Qualified">Of the newest scored live signal.</param>
public record LeadSummary(
    string Id, string Kind,
    string? IcpCode, int? IcpScore, string? PersonaCode, int? PersonaScore, bool? Qualified,
    DateTimeOffset? FirstQualifiedAt, long SignalCount, AttributionView Attribution,
    DateTimeOffset? FirstSignalAt, DateTimeOffset? LastSignalAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A lead as shown everywhere: what the workspace knows of a person, or of a company when no person is known.</summary>
public sealed record LeadView(
    string Id, string Kind,
    string? IcpCode, int? IcpScore, string? PersonaCode, int? PersonaScore, bool? Qualified,
    DateTimeOffset? FirstQualifiedAt, long SignalCount, AttributionView Attribution,
    DateTimeOffset? FirstSignalAt, DateTimeOffset? LastSignalAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    [property: JsonPropertyOrder(1)] ContactView? Contact, [property: JsonPropertyOrder(1)] AccountView? Account)
    : LeadSummary(Id, Kind, IcpCode, IcpScore, PersonaCode, PersonaScore, Qualified, FirstQualifiedAt, SignalCount, Attribution,
        FirstSignalAt, LastSignalAt, CreatedAt, UpdatedAt)
{
    /// <summary>The same lead with whom it is about.</summary>
    public LeadView(LeadSummary lead, ContactView? contact, AccountView? account)
        : this(lead.Id, lead.Kind, lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore, lead.Qualified, lead.FirstQualifiedAt,
            lead.SignalCount, lead.Attribution, lead.FirstSignalAt, lead.LastSignalAt, lead.CreatedAt, lead.UpdatedAt, contact, account)
    {
    }
}
