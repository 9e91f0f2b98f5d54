using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Finds a company or person by what a client has: our id, or a domain or address in any spelling.</summary>
public sealed class ProfileFinder(ProfileStore profiles, WorkspaceIdentityRules rules)
{
    /// <param name="text">As it stands in the path: <c>acc_…</c>, a domain, an encoded URL.</param>
    public async Task<AccountView?> AccountAsync(Guid workspaceId, string text, CancellationToken cancellationToken)
    {
        if (Ids.TryParse(Ids.Account, text, out var id))
        {
            return await profiles.AccountAsync(workspaceId, id, cancellationToken);
        }
        return DomainKey.Parse(Decode(text), await rules.GetAsync(workspaceId)).Value is { } key
            ? await profiles.AccountAsync(workspaceId, key.Domain, cancellationToken)
            : null;
    }

    /// <param name="text">As it stands in the path: <c>con_…</c> or an e-mail address.</param>
    public async Task<ContactView?> ContactAsync(Guid workspaceId, string text, CancellationToken cancellationToken)
    {
        if (Ids.TryParse(Ids.Contact, text, out var id))
        {
            return await profiles.ContactAsync(workspaceId, id, cancellationToken);
        }
        return EmailKey.Parse(Decode(text), await rules.GetAsync(workspaceId)).Value is { } key
            ? await profiles.ContactOfAsync(workspaceId, key.Key, cancellationToken)
            : null;
    }

    /// <summary>Servers decode every escape in a path but that of the slash.</summary>
    internal static string Decode(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
