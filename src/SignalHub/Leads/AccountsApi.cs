using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Workspaces;

namespace SignalHub.Leads;

/// <summary>Handlers of companies.</summary>
internal static class AccountsApi
{
    /// <summary>Lists companies, newest first by creation.</summary>
    /// <param name="domain">Only the company known by that domain, in any form: a host, a URL.</param>
    /// <param name="since">Only companies created at or after that time: RFC 3339, or a date.</param>
    /// <param name="until">Only companies created before that time: RFC 3339, or a date.</param>
    internal static async Task<Results<Ok<Page<AccountView>>, Problem>> ListAccounts(
        HttpContext context, Caller caller, PageRequest page, ProfileStore profiles, WorkspaceIdentityRules rules, QueryText domain,
        QueryInstant since, QueryInstant until, CancellationToken cancellationToken)
    {
        string? key = null;
        if (domain.Value is { } text)
        {
            var parsed = DomainKey.Parse(text, await rules.GetAsync(caller.WorkspaceId));
            if (parsed.Value is null)
            {
                return new Problem(ProblemCodes.InvalidQuery, $"domain {IdentityCodes.Detail(parsed.Code!)} ({parsed.Code}).");
            }
            key = parsed.Value.Domain;
        }
        return TypedResults.Ok(page.ToPage(context, await profiles.AccountsAsync(caller.WorkspaceId, key, since.Value, until.Value, page, cancellationToken)));
    }

    /// <summary>Shows a company.</summary>
    /// <remarks>The id of a company that was merged into another one shows that one.</remarks>
    /// <param name="id">`acc_…`, or a domain of the company.</param>
    internal static async Task<Results<Ok<AccountView>, Problem>> GetAccount(
        Caller caller, string id, ProfileFinder profiles, CancellationToken cancellationToken) =>
        await profiles.AccountAsync(caller.WorkspaceId, id, cancellationToken) is { } account ? TypedResults.Ok(account) : Problem.NotFound("The account");

    /// <summary>Sets what is known of a company.</summary>
    /// <remarks>
    /// Creates the company if its domain is not known. Attributes that are not named stay as they are, null removes one; what is set here
    /// is believed before anything that was mapped from signals or derived. The company's leads are scored again.
    /// </remarks>
    /// <param name="id">The company's domain, in any form: a host, an encoded URL; or `acc_…` of a known one. A free-mail provider is no company.</param>
    internal static async Task<Results<Ok<AccountView>, Created<AccountView>, Problem>> PutAccount(
        Caller caller, string id, Body<AccountBody> body, AccountEditor accounts, ProfileStore profiles, CancellationToken cancellationToken)
    {
        var (accountId, created, problem) = await accounts.PutAsync(caller.WorkspaceId, ProfileFinder.Decode(id), body.Value, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }
        var view = (await profiles.AccountAsync(caller.WorkspaceId, accountId, cancellationToken))!;
        return created ? TypedResults.Created($"/accounts/{view.Id}", view) : TypedResults.Ok(view);
    }
}
