using System.Text.Json;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>
/// The one place where accounts, contacts and leads take the shape that is shown: lists and single reads come here with rows,
/// webhooks with what a batch has in memory.
/// </summary>
public static class ViewMapping
{
    public const string ContactKind = "contact";
    public const string AccountKind = "account";

    /// <param name="domains">All domains the company is known by, the oldest first.</param>
    public static AccountView Account(
        Guid id, string? name, string? domain, IReadOnlyList<string> domains, IReadOnlyDictionary<string, FactView> facts, DateTimeOffset createdAt) =>
        new(Ids.Text(Ids.Account, id), name, domain, domains, facts.ToDictionary(f => f.Key, f => f.Value.Value, StringComparer.Ordinal), facts, createdAt);

    /// <param name="emails">All addresses in the form for sending, the oldest first.</param>
    /// <param name="accountId">The survivor, where the account was merged.</param>
    public static ContactView Contact(
        Guid id, string? firstName, string? lastName, string? title, string? seniority, string? function, string? email,
        IReadOnlyList<string> emails, string? linkedinUrl, string? phone, Guid? accountId, DateTimeOffset createdAt) =>
        new(Ids.Text(Ids.Contact, id), firstName, lastName, title, seniority, function, email, emails, linkedinUrl, phone,
            Ids.Text(Ids.Account, accountId), createdAt);

    /// <param name="ofContact">It is a person's lead; otherwise the account's own.</param>
    public static LeadSummary Lead(
        Guid id, bool ofContact, LeadFigures figures, long signalCount, AttributionView attribution,
        DateTimeOffset? firstSignalAt, DateTimeOffset? lastSignalAt, DateTimeOffset createdAt, DateTimeOffset updatedAt) =>
        new(Ids.Text(Ids.Lead, id), ofContact ? ContactKind : AccountKind, figures.IcpCode, figures.IcpScore,
            figures.PersonaCode, figures.PersonaScore, figures.Qualified, figures.FirstQualifiedAt, signalCount, attribution,
            firstSignalAt, lastSignalAt, createdAt, updatedAt);

    /// <summary>Facts as stored: <c>{"employees": {"value": 320, "source": "explicit", "at": …}}</c>.</summary>
    public static IReadOnlyDictionary<string, FactView> ReadFacts(JsonElement facts) =>
        facts.Deserialize<Dictionary<string, FactView>>(Json.Options)!;

    /// <summary>Signals by source as stored: <c>{"segment": 12}</c>.</summary>
    public static IReadOnlyDictionary<string, long> ReadBySource(JsonElement bySource) =>
        new SortedDictionary<string, long>(bySource.Deserialize<Dictionary<string, long>>(Json.Options)!, StringComparer.Ordinal);
}

/// <summary>What the newest scored live signal of a lead came to; all null before one is scored.</summary>
public readonly record struct LeadFigures(
    string? IcpCode, int? IcpScore, string? PersonaCode, int? PersonaScore, bool? Qualified, DateTimeOffset? FirstQualifiedAt);
