using Microsoft.EntityFrameworkCore;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Storage.Rows;

namespace SignalHub.Leads;

/// <summary>
/// Reads contacts and accounts. Those that were merged into others are in no list; their ids lead to the survivor, which is
/// always one step away.
/// </summary>
public sealed class ProfileStore(IDbContextFactory<SignalHubDbContext> contexts)
{
    /// <summary>A page of the accounts and one row more.</summary>
    /// <param name="domain">Only the account with this key (<see cref="DomainKey.Domain"/>).</param>
    /// <param name="since">By created_at, included; <paramref name="until"/> is not.</param>
    public async Task<IReadOnlyList<Listed<AccountView>>> AccountsAsync(
        Guid workspaceId, string? domain, DateTimeOffset? since, DateTimeOffset? until, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var accounts = db.Accounts.Where(a => a.WorkspaceId == workspaceId && a.MergedInto == null
            && (since == null || a.CreatedAt >= since) && (until == null || a.CreatedAt < until));
        if (domain is not null)
        {
            accounts = accounts.Where(a => db.AccountIdentities.Any(i =>
                i.WorkspaceId == workspaceId && i.Kind == IdentityKinds.Domain && i.Key == domain && i.AccountId == a.Id));
        }
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            accounts = accounts.Where(a => EF.Functions.LessThan(ValueTuple.Create(a.CreatedAt, a.Id), ValueTuple.Create(time, id)));
        }
        var rows = await accounts.OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.Id).Take(page.Limit + 1).ToListAsync(cancellationToken);
        var domains = await DomainsAsync(db, workspaceId, rows, cancellationToken);
        return [.. rows.Select(a => new Listed<AccountView>(View(a, domains), a.CreatedAt, a.Id))];
    }

    /// <summary>The account, or the survivor of the account, with this id.</summary>
    public async Task<AccountView?> AccountAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await LoadAccountsAsync(db, workspaceId, [id], cancellationToken)).GetValueOrDefault(id);
    }

    /// <summary>The account with this domain (<see cref="DomainKey.Domain"/>).</summary>
    public async Task<AccountView?> AccountAsync(Guid workspaceId, string domain, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var id = await db.AccountIdentities.Where(i => i.WorkspaceId == workspaceId && i.Kind == IdentityKinds.Domain && i.Key == domain)
            .Select(i => (Guid?)i.AccountId).FirstOrDefaultAsync(cancellationToken);
        return id is { } known ? (await LoadAccountsAsync(db, workspaceId, [known], cancellationToken)).GetValueOrDefault(known) : null;
    }

    /// <summary>A page of the contacts and one row more.</summary>
    /// <param name="email">Only the contact with this key (<see cref="EmailKey.Key"/>).</param>
    /// <param name="accountId">Only contacts of this account, or of the survivor of this account.</param>
    /// <param name="since">By created_at, included; <paramref name="until"/> is not.</param>
    public async Task<IReadOnlyList<Listed<ContactView>>> ContactsAsync(
        Guid workspaceId, string? email, Guid? accountId, DateTimeOffset? since, DateTimeOffset? until, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var contacts = db.Contacts.Where(c => c.WorkspaceId == workspaceId && c.MergedInto == null
            && (since == null || c.CreatedAt >= since) && (until == null || c.CreatedAt < until));
        if (email is not null)
        {
            contacts = contacts.Where(c => db.ContactIdentities.Any(i =>
                i.WorkspaceId == workspaceId && i.Kind == IdentityKinds.Email && i.Key == email && i.ContactId == c.Id));
        }
        if (accountId is { } account)
        {
            // A merge does not touch the contacts of the account that is gone.
            var family = await db.Accounts.FamilyAsync(workspaceId, account, cancellationToken);
            contacts = contacts.Where(c => c.AccountId != null && family.Contains(c.AccountId.Value));
        }
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            contacts = contacts.Where(c => EF.Functions.LessThan(ValueTuple.Create(c.CreatedAt, c.Id), ValueTuple.Create(time, id)));
        }
        var views = await ViewsAsync(db, workspaceId,
            contacts.OrderByDescending(c => c.CreatedAt).ThenByDescending(c => c.Id).Take(page.Limit + 1), cancellationToken);
        return [.. views.Select(v => new Listed<ContactView>(v.View, v.Row.CreatedAt, v.Row.Id))];
    }

    /// <summary>The contact, or the survivor of the contact, with this id.</summary>
    public async Task<ContactView?> ContactAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var survivor = db.Contacts.Where(c => c.WorkspaceId == workspaceId && c.Id == id).Select(c => c.MergedInto ?? c.Id);
        var contact = db.Contacts.Where(c => c.WorkspaceId == workspaceId && c.Id == survivor.FirstOrDefault());
        var views = await ViewsAsync(db, workspaceId, contact, cancellationToken);
        return views.Count == 0 ? null : views[0].View;
    }

    /// <summary>The contact with this e-mail key (<see cref="EmailKey.Key"/>).</summary>
    public async Task<ContactView?> ContactOfAsync(Guid workspaceId, string email, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var owner = db.ContactIdentities.Where(i => i.WorkspaceId == workspaceId && i.Kind == IdentityKinds.Email && i.Key == email).Select(i => i.ContactId);
        var views = await ViewsAsync(db, workspaceId, db.Contacts.Where(c => c.WorkspaceId == workspaceId && owner.Contains(c.Id)), cancellationToken);
        return views.Count == 0 ? null : views[0].View;
    }

    /// <summary>Contacts by id, in two queries however many they are.</summary>
    internal static async Task<IReadOnlyDictionary<Guid, ContactView>> LoadContactsAsync(
        SignalHubDbContext db, Guid workspaceId, Guid[] ids, CancellationToken cancellationToken)
    {
        var views = await ViewsAsync(db, workspaceId, db.Contacts.Where(c => c.WorkspaceId == workspaceId && ids.Contains(c.Id)), cancellationToken);
        return views.ToDictionary(v => v.Row.Id, v => v.View);
    }

    /// <summary>
    /// Accounts by the ids asked for, each answered by its survivor; in two queries however many they are, three when one of
    /// them was merged.
    /// </summary>
    internal static async Task<IReadOnlyDictionary<Guid, AccountView>> LoadAccountsAsync(
        SignalHubDbContext db, Guid workspaceId, Guid[] ids, CancellationToken cancellationToken)
    {
        var rows = (await ByIdAsync(ids)).ToDictionary(a => a.Id);
        var survivors = rows.Values.Select(a => a.MergedInto).OfType<Guid>().Where(id => !rows.ContainsKey(id)).Distinct().ToArray();
        if (survivors.Length > 0)
        {
            foreach (var survivor in await ByIdAsync(survivors))
            {
                rows.Add(survivor.Id, survivor);
            }
        }
        var live = rows.Values.Where(a => a.MergedInto is null).ToList();
        var domains = await DomainsAsync(db, workspaceId, live, cancellationToken);
        var views = live.ToDictionary(a => a.Id, a => View(a, domains));
        return rows.Values.Where(a => views.ContainsKey(a.MergedInto ?? a.Id)).ToDictionary(a => a.Id, a => views[a.MergedInto ?? a.Id]);

        Task<List<AccountRow>> ByIdAsync(Guid[] wanted) =>
            db.Accounts.Where(a => a.WorkspaceId == workspaceId && wanted.Contains(a.Id)).ToListAsync(cancellationToken);
    }

    private static async Task<List<(ContactRow Row, ContactView View)>> ViewsAsync(
        SignalHubDbContext db, Guid workspaceId, IQueryable<ContactRow> contacts, CancellationToken cancellationToken)
    {
        var rows = await contacts.Select(c => new
        {
            Row = c,
            MergedAccountId = db.Accounts.Where(a => a.WorkspaceId == workspaceId && a.Id == c.AccountId).Select(a => a.MergedInto).FirstOrDefault(),
        }).ToListAsync(cancellationToken);
        var ids = rows.Select(r => r.Row.Id).ToArray();
        var emails = (await db.ContactIdentities
            .Where(i => i.WorkspaceId == workspaceId && ids.Contains(i.ContactId) && i.Kind == IdentityKinds.Email)
            .OrderBy(i => i.CreatedAt).ThenBy(i => i.Key).Select(i => new { i.ContactId, i.Display }).ToListAsync(cancellationToken))
            .ToLookup(i => i.ContactId, i => i.Display);
        return [.. rows.Select(r => (r.Row, View(r.Row, [.. emails[r.Row.Id]], r.MergedAccountId ?? r.Row.AccountId)))];
    }

    private static async Task<ILookup<Guid, string>> DomainsAsync(
        SignalHubDbContext db, Guid workspaceId, IReadOnlyList<AccountRow> accounts, CancellationToken cancellationToken)
    {
        var ids = accounts.Select(a => a.Id).ToArray();
        var domains = await db.AccountIdentities
            .Where(i => i.WorkspaceId == workspaceId && ids.Contains(i.AccountId) && i.Kind == IdentityKinds.Domain)
            .OrderBy(i => i.CreatedAt).ThenBy(i => i.Key).Select(i => new { i.AccountId, i.Key }).ToListAsync(cancellationToken);
        return domains.ToLookup(i => i.AccountId, i => i.Key);
    }

    private static AccountView View(AccountRow a, ILookup<Guid, string> domains) =>
        ViewMapping.Account(a.Id, a.Name, a.Domain, [.. domains[a.Id]], ViewMapping.ReadFacts(a.Facts), a.CreatedAt);

    private static ContactView View(ContactRow c, IReadOnlyList<string> emails, Guid? accountId) => ViewMapping.Contact(
        c.Id, c.FirstName, c.LastName, c.Title, c.Seniority, c.Function, c.Email, emails, c.LinkedinUrl, c.Phone, accountId, c.CreatedAt);
}
