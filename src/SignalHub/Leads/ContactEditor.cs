using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Changes what is known of a person, by the rules that signals are matched by.</summary>
public sealed class ContactEditor(ContactEditStore store, ProfileStore profiles, WorkspaceIdentityRules rules, TimeProvider time)
{
    // These say something, and the value is used all the same.
    private static readonly string[] _harmless =
        [IdentityCodes.UnknownSuffix, IdentityCodes.DomainMismatch, IdentityCodes.TestData];

    /// <summary>
    /// Called after the commit when what conditions see of a person changed: workspace, their account. Scoring belongs to another
    /// slice, which sets this at start.
    /// </summary>
    public Func<Guid, Guid, CancellationToken, Task>? OnProfileChanged { get; set; }

    /// <summary>Creates the contact if nobody has the address; answers its id.</summary>
    /// <param name="text">An e-mail address, or the id of somebody who has one.</param>
    public async Task<(Guid ContactId, bool Created, Problem? Problem)> PutAsync(
        Guid workspaceId, string text, ContactBody body, CancellationToken cancellationToken)
    {
        if (body.Check() is { Count: > 0 } errors)
        {
            return (default, false, Problem.Fields(errors));
        }
        var email = text;
        if (Ids.TryParse(Ids.Contact, text, out var id))
        {
            if (await profiles.ContactAsync(workspaceId, id, cancellationToken) is not { } person)
            {
                return (default, false, Problem.NotFound("The contact"));
            }
            email = person.Email ?? "";
        }
        var known = await rules.GetAsync(workspaceId);
        var key = EmailKey.Parse(email, known);
        if (key.Value is null)
        {
            return (default, false, new Problem(ProblemCodes.InvalidValue, $"The e-mail address in the path {IdentityCodes.Detail(key.Code!)} ({key.Code})."));
        }
        var identity = CanonicalIdentity.From(body.ToIdentity(email), known);
        var unusable = identity.Warnings.Where(w => w.Pointer != "/identity/email" && !_harmless.Contains(w.Code))
            .Select(w => new FieldError(w.Pointer["/identity".Length..], ProblemCodes.InvalidValue.Code, $"/{w.Detail} ({w.Code}).")).ToList();
        if (unusable.Count > 0)
        {
            return (default, false, Problem.Fields(unusable));
        }
        var resolved = await store.ChangeAsync(workspaceId, identity, Timestamps.Truncate(time.GetUtcNow()), cancellationToken);
        if (resolved.NotAttached.Count > 0)
        {
            return (default, false, Problem.Field(ProblemCodes.OutOfRange, "/linkedin_url",
                $"/linkedin_url would be more than the {ContactState.MaxLinkedIn} LinkedIn identifiers that a person has at most."));
        }
        if (resolved.Conflict)
        {
            return (default, false, new Problem(ProblemCodes.Conflict,
                "The e-mail address and the LinkedIn profile belong to two people who are not surely one: nothing was changed."));
        }
        var contact = resolved.Contact!;
        if (contact is { IsNew: false, IsDirty: true, AccountId: { } account } && OnProfileChanged is { } rescore)
        {
            await rescore(workspaceId, account, cancellationToken);
        }
        return (contact.Id, contact.IsNew, null);
    }
}
