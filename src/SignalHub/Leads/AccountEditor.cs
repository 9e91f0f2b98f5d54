using System.Text.Json;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Changes what is known of a company, and has its leads scored again.</summary>
public sealed class AccountEditor(AccountFactStore store, WorkspaceIdentityRules rules, TimeProvider time)
{
    /// <summary>
    /// Called after the commit when what conditions see of an account changed: workspace, account. Scoring belongs to another
    /// slice, which sets this at start.
    /// </summary>
    public Func<Guid, Guid, CancellationToken, Task>? OnFactsChanged { get; set; }

    /// <summary>Creates the account if its domain is not known yet; answers its id.</summary>
    /// <param name="text">An id, or anything with a company domain in it: a host, a URL.</param>
    public async Task<(Guid AccountId, bool Created, Problem? Problem)> PutAsync(
        Guid workspaceId, string text, AccountBody body, CancellationToken cancellationToken)
    {
        if (body.Check() is { Count: > 0 } errors)
        {
            return (default, false, Problem.Fields(errors));
        }
        AccountReference reference;
        if (Ids.TryParse(Ids.Account, text, out var id))
        {
            reference = new AccountReference(id, null);
        }
        else if (DomainKey.Parse(text, await rules.GetAsync(workspaceId)) is var key && key.Value is { } known)
        {
            reference = new AccountReference(null, known.Domain);
        }
        else
        {
            return (default, false, new Problem(ProblemCodes.InvalidDomain, $"The domain in the path {IdentityCodes.Detail(key.Code!)} ({key.Code})."));
        }
        var now = Timestamps.Truncate(time.GetUtcNow());
        var changed = false;
        var (account, problem) = await store.ChangeAsync(workspaceId, reference, now, (account, history) =>
        {
            (changed, var refused) = Apply(account, body, now, history);
            return refused;
        }, cancellationToken);
        if (problem is not null)
        {
            return (default, false, problem);
        }
        if (changed && OnFactsChanged is { } rescore)
        {
            await rescore(workspaceId, account!.Id, cancellationToken);
        }
        return (account!.Id, account.IsNew, null);
    }

    /// <summary>Whether conditions see something else of the account afterwards.</summary>
    private static (bool Changed, Problem? Problem) Apply(AccountState account, AccountBody body, DateTimeOffset now, List<ReplacedValue> history)
    {
        var nameBefore = account.Name;
        if (body.Name?.Trim() is { Length: > 0 } name)
        {
            // A signal's clock may be up to an hour ahead; what somebody says now counts all the same.
            account.ApplyName(name, account.NameAt > now ? account.NameAt.Value : now, history);
        }
        var before = account.Facts;
        var facts = AccountFacts.Apply(before, body.Attributes ?? new Dictionary<string, JsonElement>(), now);
        if (facts.Count > AccountBody.MaxAttributes && facts.Count > before.Count)
        {
            return (false, Problem.Fields([AccountBody.TooMany]));
        }
        account.FactsJson = JsonSerializer.Serialize(facts, Json.Options);
        return (account.Name != nameBefore || !AccountFacts.SayTheSame(before, facts), null);
    }
}
