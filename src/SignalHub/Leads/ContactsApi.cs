using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Leads;

/// <summary>Handlers of people.</summary>
internal static class ContactsApi
{
    /// <summary>Lists people, newest first by creation.</summary>
    /// <param name="email">Only the person with that address, in any spelling that is the same mailbox.</param>
    /// <param name="accountId">Only people of that company (`acc_…`).</param>
    internal static async Task<Results<Ok<Page<ContactView>>, Problem>> ListContacts(
        HttpContext context, Caller caller, PageRequest page, ProfileStore profiles, WorkspaceIdentityRules rules, QueryText email, QueryText accountId,
        CancellationToken cancellationToken)
    {
        string? key = null;
        if (email.Value is { } text)
        {
            var parsed = EmailKey.Parse(text, await rules.GetAsync(caller.WorkspaceId));
            if (parsed.Value is null)
            {
                return new Problem(ProblemCodes.InvalidQuery, $"email {IdentityCodes.Detail(parsed.Code!)} ({parsed.Code}).");
            }
            key = parsed.Value.Key;
        }
        Guid? account = null;
        if (accountId.Value is { } given)
        {
            if (!Ids.TryParse(Ids.Account, given, out var parsed))
            {
                return new Problem(ProblemCodes.InvalidQuery, $"account_id must be the id of an account ({Ids.Account}…).");
            }
            account = parsed;
        }
        return TypedResults.Ok(page.ToPage(context, await profiles.ContactsAsync(caller.WorkspaceId, key, account, page, cancellationToken)));
    }

    /// <summary>Shows a person.</summary>
    /// <remarks>The id of a person who was merged into another one shows that one.</remarks>
    /// <param name="id">`con_…`</param>
    internal static async Task<Results<Ok<ContactView>, Problem>> GetContact(
        Caller caller, string id, ProfileStore profiles, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Contact, id, out var contactId) && await profiles.ContactAsync(caller.WorkspaceId, contactId, cancellationToken) is { } contact
            ? TypedResults.Ok(contact)
            : Problem.NotFound("The contact");
}
