using Microsoft.EntityFrameworkCore;
using SignalHub.Storage.Rows;

namespace SignalHub.Leads;

/// <summary>
/// Finds everything that an id stands for: a survivor and whatever was merged into it. Signals are never rewritten, so what
/// asks for a lead's, contact's or account's signals asks for all of these.
/// </summary>
public static class TombstoneStore
{
    /// <summary>Survivor first; empty when the workspace has no such account.</summary>
    public static async Task<Guid[]> FamilyAsync(this IQueryable<AccountRow> accounts, Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var known = accounts.Where(a => a.WorkspaceId == workspaceId);
        var survivor = await known.Where(a => a.Id == id).Select(a => (Guid?)(a.MergedInto ?? a.Id)).FirstOrDefaultAsync(cancellationToken);
        return survivor is { } head
            ? [head, .. await known.Where(a => a.MergedInto == head).Select(a => a.Id).ToListAsync(cancellationToken)]
            : [];
    }

    /// <inheritdoc cref="FamilyAsync(IQueryable{AccountRow}, Guid, Guid, CancellationToken)"/>
    public static async Task<Guid[]> FamilyAsync(this IQueryable<ContactRow> contacts, Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var known = contacts.Where(c => c.WorkspaceId == workspaceId);
        var survivor = await known.Where(c => c.Id == id).Select(c => (Guid?)(c.MergedInto ?? c.Id)).FirstOrDefaultAsync(cancellationToken);
        return survivor is { } head
            ? [head, .. await known.Where(c => c.MergedInto == head).Select(c => c.Id).ToListAsync(cancellationToken)]
            : [];
    }

    /// <inheritdoc cref="FamilyAsync(IQueryable{AccountRow}, Guid, Guid, CancellationToken)"/>
    public static async Task<Guid[]> FamilyAsync(this IQueryable<LeadRow> leads, Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var known = leads.Where(l => l.WorkspaceId == workspaceId);
        var survivor = await known.Where(l => l.Id == id).Select(l => (Guid?)(l.MergedInto ?? l.Id)).FirstOrDefaultAsync(cancellationToken);
        return survivor is { } head
            ? [head, .. await known.Where(l => l.MergedInto == head).Select(l => l.Id).ToListAsync(cancellationToken)]
            : [];
    }
}
