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
    /// <param name="since">Only people created at or after that time: RFC 3339, or a date.</param>
    /// <param name="until">Only people created before that time: RFC 3339, or a date.</param>
    internal static async Task<Results<Ok<Page<ContactView>>, Problem>> ListContacts(
        HttpContext context, Caller caller, PageRequest page, ProfileStore profiles, WorkspaceIdentityRules rules, QueryText email, QueryText accountId,
        QueryInstant since, QueryInstant until, CancellationToken cancellationToken)
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
        return TypedResults.Ok(page.ToPage(context, await profiles.ContactsAsync(caller.WorkspaceId, key, account, since.Value, until.Value, page, cancellationToken)));
    }

    /// <summary>Shows a person.</summary>
    /// <remarks>The id of a person who was merged into another one shows that one.</remarks>
    /// <param name="id">`con_…`, or an e-mail address of the person.</param>
    internal static async Task<Results<Ok<ContactView>, Problem>> GetContact(
        Caller caller, string id, ProfileFinder profiles, CancellationToken cancellationToken) =>
        await profiles.ContactAsync(caller.WorkspaceId, id, cancellationToken) is { } contact ? TypedResults.Ok(contact) : Problem.NotFound("The contact");

    /// <summary>Sets what is known of a person.</summary>
    /// <remarks>
    /// Creates the person if nobody has the address. Fields that are absent or blank stay as they are; what is replaced goes to the
    /// history. Two people known by address and by LinkedIn profile are joined where a signal would join them; otherwise this is a 409.
    /// The leads of the person's company are scored again.
    /// </remarks>
    /// <param name="id">An e-mail address of the person, in any spelling; or `con_…` of one who is known and has an address.</param>
    internal static async Task<Results<Ok<ContactView>, Created<ContactView>, Problem>> PutContact(
        Caller caller, string id, Body<ContactBody> body, ContactEditor contacts, ProfileStore profiles, CancellationToken cancellationToken)
    {
        var (contactId, created, problem) = await contacts.PutAsync(caller.WorkspaceId, ProfileFinder.Decode(id), body.Value, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }
        var view = (await profiles.ContactAsync(caller.WorkspaceId, contactId, cancellationToken))!;
        return created ? TypedResults.Created($"/contacts/{view.Id}", view) : TypedResults.Ok(view);
    }
}
