using System.Text.Json;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>What a batch has in memory, in the shapes that are shown.</summary>
public static class StateViews
{
    private static readonly Dictionary<string, FactView> NoFacts = [];

    public static AccountView View(this AccountState account) => new(
        Ids.Text(Ids.Account, account.Id), account.Name, account.Domain,
        account.Keys.Where(k => k.Kind == IdentityKinds.Domain).Select(k => k.Key).ToArray(),
        account.Facts.Count == 0 ? new Dictionary<string, JsonElement>() : account.Facts.ToDictionary(f => f.Key, f => f.Value.Value, StringComparer.Ordinal),
        account.Facts.Count == 0 ? NoFacts : account.Facts, account.CreatedAt);

    public static ContactView View(this ContactState contact) => new(
        Ids.Text(Ids.Contact, contact.Id), contact.FirstName, contact.LastName, contact.Title, contact.Seniority, contact.Function,
        contact.Email, contact.Keys.Where(k => k.Kind == IdentityKinds.Email).Select(k => k.Display).ToArray(),
        contact.LinkedinUrl, contact.Phone, Ids.Text(Ids.Account, contact.AccountId), contact.CreatedAt);

    public static LeadView View(this LeadState lead, ContactView? contact, AccountView? account) => new(
        Ids.Text(Ids.Lead, lead.Id), lead.ContactId is null ? "account" : "contact", contact, account,
        lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore, lead.Qualified, lead.FirstQualifiedAt, lead.SignalCount,
        new AttributionView(lead.FirstSource, lead.LastSource, lead.BySource),
        lead.FirstSignalAt, lead.LastSignalAt, lead.CreatedAt, lead.UpdatedAt);
}
