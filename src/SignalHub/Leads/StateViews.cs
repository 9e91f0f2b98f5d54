using SignalHub.Leads.Identity;
using SignalHub.Resources;

namespace SignalHub.Leads;

/// <summary>What a batch has in memory, in the shapes that are shown.</summary>
public static class StateViews
{
    public static AccountView View(this AccountState account) => ViewMapping.Account(
        account.Id, account.Name, account.Domain, account.Keys.Where(k => k.Kind == IdentityKinds.Domain).Select(k => k.Key).ToArray(),
        account.Facts, account.CreatedAt);

    public static ContactView View(this ContactState contact) => ViewMapping.Contact(
        contact.Id, contact.FirstName, contact.LastName, contact.Title, contact.Seniority, contact.Function, contact.Email,
        contact.Keys.Where(k => k.Kind == IdentityKinds.Email).Select(k => k.Display).ToArray(),
        contact.LinkedinUrl, contact.Phone, contact.AccountId, contact.CreatedAt);

    public static LeadSummary View(this LeadState lead) => ViewMapping.Lead(
        lead.Id, lead.ContactId is not null,
        new LeadFigures(lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore, lead.Qualified, lead.FirstQualifiedAt),
        lead.SignalCount, new AttributionView(lead.FirstSource, lead.LastSource, lead.BySource),
        lead.FirstSignalAt, lead.LastSignalAt, lead.CreatedAt, lead.UpdatedAt);
}
