using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Leads;

/// <summary>Handlers of companies.</summary>
internal static class AccountsApi
{
    /// <summary>Lists companies, newest first by creation.</summary>
    /// <param name="domain">Only the company known by that domain, in any form: a host, a URL.</param>
    internal static async Task<Results<Ok<Page<AccountView>>, Problem>> ListAccounts(
        HttpContext context, Caller caller, PageRequest page, ProfileStore profiles, WorkspaceIdentityRules rules, QueryText domain,
        CancellationToken cancellationToken)
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
        return TypedResults.Ok(page.ToPage(context, await profiles.AccountsAsync(caller.WorkspaceId, key, page, cancellationToken)));
    }

    /// <summary>Shows a company.</summary>
    /// <remarks>The id of a company that was merged into another one shows that one.</remarks>
    /// <param name="id">`acc_…`, or a domain of the company.</param>
    internal static async Task<Results<Ok<AccountView>, Problem>> GetAccount(
        Caller caller, string id, ProfileStore profiles, WorkspaceIdentityRules rules, CancellationToken cancellationToken)
    {
        AccountView? account = null;
        if (Ids.TryParse(Ids.Account, id, out var accountId))
        {
            account = await profiles.AccountAsync(caller.WorkspaceId, accountId, cancellationToken);
        }
        else if (DomainKey.Parse(Decode(id), await rules.GetAsync(caller.WorkspaceId)).Value is { } key)
        {
            account = await profiles.AccountAsync(caller.WorkspaceId, key.Domain, cancellationToken);
        }
        return account is not null ? TypedResults.Ok(account) : Problem.NotFound("The account");
    }

    /// <summary>Sets what is known of a company.</summary>
    /// <remarks>
    /// Creates the company if it is not known. Attributes that are not named stay as they are, null removes one; what is set here
    /// is believed before anything that was mapped from signals or derived. The company's leads are scored again.
    /// </remarks>
    /// <param name="domain">The company's domain, in any form: a host, an encoded URL. A free-mail provider is no company.</param>
    internal static async Task<Results<Ok<AccountView>, Created<AccountView>, Problem>> PutAccount(
        Caller caller, string domain, Body<AccountBody> body, AccountEditor accounts, ProfileStore profiles, CancellationToken cancellationToken)
    {
        var (id, created, problem) = await accounts.PutAsync(caller.WorkspaceId, Decode(domain), body.Value, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }
        var view = (await profiles.AccountAsync(caller.WorkspaceId, id, cancellationToken))!;
        return created ? TypedResults.Created($"/accounts/{view.Id}", view) : TypedResults.Ok(view);
    }

    /// <summary>Servers decode every escape in a path but that of the slash.</summary>
    private static string Decode(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
