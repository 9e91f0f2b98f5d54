using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Storage.Rows;

namespace SignalHub.Leads;

/// <summary>Which leads a list shows; null: any.</summary>
/// <param name="OfContact">True: people's leads; false: accounts' own.</param>
/// <param name="MinIcpScore">0–100, included.</param>
/// <param name="Source">Leads that have a signal of this source.</param>
/// <param name="Since">By created_at, included.</param>
/// <param name="Until">By created_at, excluded.</param>
public sealed record LeadFilter(
    bool? Qualified, string? IcpCode, string? PersonaCode, string? Source, bool? OfContact, int? MinIcpScore, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>Reads leads, with contact and account, in a number of queries that does not depend on how many they are.</summary>
public sealed class LeadStore(IDbContextFactory<SignalHubDbContext> contexts)
{
    /// <summary>A page and one row more; those that were merged into others are left out.</summary>
    public async Task<IReadOnlyList<Listed<LeadView>>> ListAsync(Guid workspaceId, LeadFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var leads = Filter(db.Leads.Where(l => l.WorkspaceId == workspaceId && l.MergedInto == null), filter);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            leads = leads.Where(l => EF.Functions.LessThan(ValueTuple.Create(l.CreatedAt, l.Id), ValueTuple.Create(time, id)));
        }
        return await ViewsAsync(db, workspaceId, leads.OrderByDescending(l => l.CreatedAt).ThenByDescending(l => l.Id).Take(page.Limit + 1), cancellationToken);
    }

    /// <summary>The lead, or the survivor of the lead, with this id.</summary>
    public async Task<LeadView?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await ViewsAsync(db, workspaceId, Survivor(db, workspaceId, id), cancellationToken)) is [var found, ..] ? found.View : null;
    }

    /// <summary>Leads by id, in a number of queries that does not depend on how many they are; merged ones are left out.</summary>
    public async Task<IReadOnlyList<LeadView>> FindManyAsync(Guid workspaceId, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        Guid[] wanted = [.. ids];
        var rows = await ViewsAsync(db, workspaceId, db.Leads.Where(l => l.WorkspaceId == workspaceId && wanted.Contains(l.Id)), cancellationToken);
        return [.. rows.Select(r => r.View)];
    }

    /// <summary>Whether there is such a lead, and the stored explanation of the signal it shows; null before one is scored.</summary>
    public async Task<(bool Exists, JsonElement? Compact)> QualificationAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await Survivor(db, workspaceId, id).Select(l => new { l.Qualification }).FirstOrDefaultAsync(cancellationToken);
        return (found is not null, Json.Parse(found?.Qualification));
    }

    private static IQueryable<LeadRow> Survivor(SignalHubDbContext db, Guid workspaceId, Guid id)
    {
        var survivor = db.Leads.Where(l => l.WorkspaceId == workspaceId && l.Id == id).Select(l => l.MergedInto ?? l.Id);
        return db.Leads.Where(l => l.WorkspaceId == workspaceId && l.Id == survivor.FirstOrDefault());
    }

    private static IQueryable<LeadRow> Filter(IQueryable<LeadRow> leads, LeadFilter filter)
    {
        if (filter.Qualified is { } qualified)
        {
            leads = leads.Where(l => l.Qualified == qualified);
        }
        if (filter.IcpCode is { } icp)
        {
            leads = leads.Where(l => l.IcpCode == icp);
        }
        if (filter.PersonaCode is { } persona)
        {
            leads = leads.Where(l => l.PersonaCode == persona);
        }
        if (filter.Source is { } source)
        {
            // First and last source also where the count went to "(other)".
            leads = leads.Where(l => l.FirstSource == source || l.LastSource == source || EF.Functions.JsonExists(l.BySource, source));
        }
        if (filter.OfContact is { } ofContact)
        {
            leads = leads.Where(l => (l.ContactId != null) == ofContact);
        }
        if (filter.MinIcpScore is { } score)
        {
            leads = leads.Where(l => l.IcpScore >= score);
        }
        if (filter.Since is { } since)
        {
            leads = leads.Where(l => l.CreatedAt >= since);
        }
        return filter.Until is { } until ? leads.Where(l => l.CreatedAt < until) : leads;
    }

    private static async Task<IReadOnlyList<Listed<LeadView>>> ViewsAsync(
        SignalHubDbContext db, Guid workspaceId, IQueryable<LeadRow> leads, CancellationToken cancellationToken)
    {
        // Without the explanation, which is most of the row and has its own route.
        var rows = await leads.Select(l => new
        {
            l.Id,
            l.ContactId,
            l.AccountId,
            Figures = new LeadFigures(l.IcpCode, l.IcpScore, l.PersonaCode, l.PersonaScore, l.Qualified, l.FirstQualifiedAt),
            l.SignalCount,
            l.FirstSource,
            l.LastSource,
            l.BySource,
            l.FirstSignalAt,
            l.LastSignalAt,
            l.CreatedAt,
            l.UpdatedAt,
        }).ToListAsync(cancellationToken);
        var contacts = await ProfileStore.LoadContactsAsync(db, workspaceId, [.. rows.Select(l => l.ContactId).OfType<Guid>().Distinct()], cancellationToken);
        var accounts = await ProfileStore.LoadAccountsAsync(db, workspaceId, [.. rows.Select(l => l.AccountId).OfType<Guid>().Distinct()], cancellationToken);
        return [.. rows.Select(l => new Listed<LeadView>(
            new LeadView(
                ViewMapping.Lead(l.Id, l.ContactId is not null, l.Figures, l.SignalCount,
                    new AttributionView(l.FirstSource, l.LastSource, ViewMapping.ReadBySource(l.BySource)),
                    l.FirstSignalAt, l.LastSignalAt, l.CreatedAt, l.UpdatedAt),
                Of(contacts, l.ContactId), Of(accounts, l.AccountId)),
            l.CreatedAt, l.Id))];
    }

    private static TView? Of<TView>(IReadOnlyDictionary<Guid, TView> views, Guid? id) where TView : class =>
        id is { } known ? views.GetValueOrDefault(known) : null;
}
