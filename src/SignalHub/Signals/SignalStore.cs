using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using SignalHub.Http;
using SignalHub.Leads;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Storage.Rows;
using SignalHub.Workspaces;

namespace SignalHub.Signals;

/// <summary>Which signals a list shows; null: any. Times: since is included, until is not.</summary>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
/// <param name="TypeKey">In key form.</param>
/// <param name="Since">By received_at, as is <paramref name="Until"/>.</param>
public sealed record SignalFilter(
    string Mode, string? TypeKey, string? Source, string? Bucket, string? EventName, bool? Qualified, Guid? LeadId, Guid? AccountId, Guid? ContactId,
    DateTimeOffset? Since, DateTimeOffset? Until, DateTimeOffset? OccurredSince, DateTimeOffset? OccurredUntil);

/// <summary>
/// Reads signals. They keep the lead, contact and account they were written with; what is shown are the survivors, should
/// these have been merged since, and asking for a survivor finds the signals of all that became part of it.
/// </summary>
public sealed class SignalStore(IDbContextFactory<SignalHubDbContext> contexts)
{
    /// <summary>A page and one row more, newest first by (received_at, id).</summary>
    public async Task<IReadOnlyList<Listed<SignalView>>> ListAsync(Guid workspaceId, SignalFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ofMode = db.Signals.Where(s => s.WorkspaceId == workspaceId && s.Mode == filter.Mode);
        var signals = await AboutAsync(db, workspaceId, ofMode, filter, cancellationToken);
        if (signals is null)
        {
            return [];
        }
        signals = Filter(signals, filter);
        if (page is { BeforeTime: { } time, BeforeId: { } id })
        {
            signals = signals.Where(s => EF.Functions.LessThan(ValueTuple.Create(s.ReceivedAt, s.Id), ValueTuple.Create(time, id)));
        }
        var rows = await Shown(db, workspaceId, signals.OrderByDescending(s => s.ReceivedAt).ThenByDescending(s => s.Id).Take(page.Limit + 1))
            .ToListAsync(cancellationToken);
        return [.. rows.Select(s => new Listed<SignalView>(View(s), s.ReceivedAt, s.Id))];
    }

    /// <summary>
    /// A page and one row more of the live signals of a lead and of those merged into it, newest first by (occurred_at, id);
    /// null when there is no such lead.
    /// </summary>
    public async Task<IReadOnlyList<Listed<SignalView>>?> TimelineAsync(Guid workspaceId, Guid leadId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var family = await db.Leads.FamilyAsync(workspaceId, leadId, cancellationToken);
        return family.Length == 0 ? null : await NewestAsync(db, workspaceId, family, ofAccounts: false, page, cancellationToken);
    }

    /// <summary>The same of a person: their lead's. Empty when there is no such person, or no live signal of theirs.</summary>
    public async Task<IReadOnlyList<Listed<SignalView>>> TimelineOfContactAsync(Guid workspaceId, Guid contactId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var contacts = await db.Contacts.FamilyAsync(workspaceId, contactId, cancellationToken);
        var lead = await LeadOfAsync(db, workspaceId, contacts, cancellationToken);
        return lead is { } known
            ? await NewestAsync(db, workspaceId, await db.Leads.FamilyAsync(workspaceId, known, cancellationToken), ofAccounts: false, page, cancellationToken)
            : [];
    }

    /// <summary>The same of a company: signals that were about it when they came, whoever they were about beside it.</summary>
    public async Task<IReadOnlyList<Listed<SignalView>>> TimelineOfAccountAsync(Guid workspaceId, Guid accountId, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var family = await db.Accounts.FamilyAsync(workspaceId, accountId, cancellationToken);
        return await NewestAsync(db, workspaceId, family, ofAccounts: true, page, cancellationToken);
    }

    /// <summary>
    /// The newest of each, then the newest of these: a walk down the index per lead or account. EF's own translation numbers all
    /// signals of the workspace first.
    /// </summary>
    private static async Task<IReadOnlyList<Listed<SignalView>>> NewestAsync(
        SignalHubDbContext db, Guid workspaceId, Guid[] family, bool ofAccounts, PageRequest page, CancellationToken cancellationToken)
    {
        var (time, id) = (page.BeforeTime ?? DateTimeOffset.MaxValue, page.BeforeId ?? Guid.AllBitsSet);
        var most = page.Limit + 1;
        var newest = ofAccounts
            ? db.Signals.FromSql($"""
                select s.*
                  from unnest({family}) as a(id)
                 cross join lateral (
                    select *
                      from signals
                     where workspace_id = {workspaceId} and account_id = a.id and mode = {Caller.Live}
                       and occurred_at <= {time} and (occurred_at, id) < ({time}, {id})
                     order by occurred_at desc, id desc
                     limit {most}) s
                """)
            : db.Signals.FromSql($"""
                select s.*
                  from unnest({family}) as l(id)
                 cross join lateral (
                    select *
                      from signals
                     where workspace_id = {workspaceId} and lead_id = l.id and mode = {Caller.Live}
                       and occurred_at <= {time} and (occurred_at, id) < ({time}, {id})
                     order by occurred_at desc, id desc
                     limit {most}) s
                """);
        var signals = newest.OrderByDescending(s => s.OccurredAt).ThenByDescending(s => s.Id).Take(page.Limit + 1);
        var rows = await Shown(db, workspaceId, signals).ToListAsync(cancellationToken);
        return [.. rows.Select(s => new Listed<SignalView>(View(s), s.OccurredAt, s.Id))];
    }

    /// <summary>A person's signals are their lead's, and leads have an index.</summary>
    private static Task<Guid?> LeadOfAsync(SignalHubDbContext db, Guid workspaceId, Guid[] contacts, CancellationToken cancellationToken) => db.Leads
        .Where(l => l.WorkspaceId == workspaceId && l.MergedInto == null && l.ContactId != null && contacts.Contains(l.ContactId.Value))
        .Select(l => (Guid?)l.Id).FirstOrDefaultAsync(cancellationToken);

    public async Task<SignalView?> FindAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken) =>
        (await FindAsSentAsync(workspaceId, id, cancellationToken))?.Signal;

    /// <summary>The same, and its type as sent where that differs from the key.</summary>
    public async Task<(SignalView Signal, string? TypeSent)?> FindAsSentAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = ById(db, workspaceId, id) is { } signal ? await Shown(db, workspaceId, signal).FirstOrDefaultAsync(cancellationToken) : null;
        return row is null ? null : (View(row), row.TypeSent);
    }

    /// <summary>Signals by their keys, in one query however many they are; those that are not there are left out.</summary>
    public async Task<IReadOnlyList<SignalView>> FindManyAsync(
        Guid workspaceId, IReadOnlyCollection<(DateTimeOffset OccurredAt, Guid Id)> keys, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        DateTimeOffset[] occurred = [.. keys.Select(k => k.OccurredAt).Distinct()];
        Guid[] ids = [.. keys.Select(k => k.Id)];
        var signals = db.Signals.Where(s => s.WorkspaceId == workspaceId && occurred.Contains(s.OccurredAt) && ids.Contains(s.Id));
        return [.. (await Shown(db, workspaceId, signals).ToListAsync(cancellationToken)).Select(View)];
    }

    /// <summary>The signal's mode and stored explanation; null when there is no such signal.</summary>
    public async Task<(string Mode, JsonElement? Compact)?> QualificationAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = ById(db, workspaceId, id) is { } signal
            ? await signal.Select(s => new { s.Mode, s.Qualification }).FirstOrDefaultAsync(cancellationToken)
            : null;
        return found is null ? null : (found.Mode, Json.Parse(found.Qualification));
    }

    /// <summary>The id carries the millisecond of occurred_at, so one partition is asked; null for an instant that no signal has.</summary>
    private static IQueryable<SignalRow>? ById(SignalHubDbContext db, Guid workspaceId, Guid id)
    {
        var from = Ids.InstantOf(id);
        if (from >= DateTimeOffset.MaxValue.AddDays(-1))
        {
            return null;
        }
        var to = from.AddMilliseconds(1);
        return db.Signals.Where(s => s.WorkspaceId == workspaceId && s.OccurredAt >= from && s.OccurredAt < to && s.Id == id);
    }

    /// <summary>Signals about a lead, contact, account and all that were merged into it; null when the workspace has none such.</summary>
    private static async Task<IQueryable<SignalRow>?> AboutAsync(
        SignalHubDbContext db, Guid workspaceId, IQueryable<SignalRow> signals, SignalFilter filter, CancellationToken cancellationToken)
    {
        if (filter.LeadId is { } leadId)
        {
            var leads = await db.Leads.FamilyAsync(workspaceId, leadId, cancellationToken);
            if (leads.Length == 0)
            {
                return null;
            }
            signals = signals.Where(s => s.LeadId != null && leads.Contains(s.LeadId.Value));
        }
        if (filter.ContactId is { } contactId)
        {
            var contacts = await db.Contacts.FamilyAsync(workspaceId, contactId, cancellationToken);
            if (contacts.Length == 0)
            {
                return null;
            }
            signals = signals.Where(s => s.ContactId != null && contacts.Contains(s.ContactId.Value));
            var lead = await LeadOfAsync(db, workspaceId, contacts, cancellationToken);
            if (lead is { } known)
            {
                var leads = await db.Leads.FamilyAsync(workspaceId, known, cancellationToken);
                signals = signals.Where(s => s.LeadId != null && leads.Contains(s.LeadId.Value));
            }
        }
        if (filter.AccountId is { } accountId)
        {
            var accounts = await db.Accounts.FamilyAsync(workspaceId, accountId, cancellationToken);
            if (accounts.Length == 0)
            {
                return null;
            }
            signals = signals.Where(s => s.AccountId != null && accounts.Contains(s.AccountId.Value));
        }
        return signals;
    }

    private static IQueryable<SignalRow> Filter(IQueryable<SignalRow> signals, SignalFilter filter)
    {
        if (filter.TypeKey is { } type)
        {
            signals = signals.Where(s => s.TypeKey == type);
        }
        if (filter.Source is { } source)
        {
            signals = signals.Where(s => s.Source == source);
        }
        if (filter.Bucket is { } bucket)
        {
            signals = signals.Where(s => s.Bucket == bucket);
        }
        if (filter.EventName is { } eventName)
        {
            signals = signals.Where(s => s.EventName == eventName);
        }
        if (filter.Qualified is { } qualified)
        {
            signals = signals.Where(s => s.Qualified == qualified);
        }
        if (filter.Since is { } since)
        {
            signals = signals.Where(s => s.ReceivedAt >= since);
        }
        if (filter.Until is { } until)
        {
            signals = signals.Where(s => s.ReceivedAt < until);
        }
        if (filter.OccurredSince is { } occurredSince)
        {
            signals = signals.Where(s => s.OccurredAt >= occurredSince);
        }
        return filter.OccurredUntil is { } occurredUntil ? signals.Where(s => s.OccurredAt < occurredUntil) : signals;
    }

    /// <summary>What is shown of a signal: without the explanation, which has its own route, and with survivors, at three probes by key a row.</summary>
    private static IQueryable<ShownSignal> Shown(SignalHubDbContext db, Guid workspaceId, IQueryable<SignalRow> signals) => signals.Select(s => new ShownSignal
    {
        Id = s.Id,
        TypeKey = s.TypeKey,
        TypeSent = s.TypeSent,
        Source = s.Source,
        EventName = s.EventName,
        Bucket = s.Bucket,
        Mode = s.Mode,
        Backfill = s.Backfill,
        OccurredAt = s.OccurredAt,
        ReceivedAt = s.ReceivedAt,
        Identity = s.Identity,
        Context = s.Context,
        LeadId = db.Leads.Where(l => l.WorkspaceId == workspaceId && l.Id == s.LeadId).Select(l => l.MergedInto).FirstOrDefault() ?? s.LeadId,
        AccountId = db.Accounts.Where(a => a.WorkspaceId == workspaceId && a.Id == s.AccountId).Select(a => a.MergedInto).FirstOrDefault() ?? s.AccountId,
        ContactId = db.Contacts.Where(c => c.WorkspaceId == workspaceId && c.Id == s.ContactId).Select(c => c.MergedInto).FirstOrDefault() ?? s.ContactId,
        Qualified = s.Qualified,
        IcpCode = s.IcpCode,
        IcpScore = s.IcpScore,
        PersonaCode = s.PersonaCode,
        PersonaScore = s.PersonaScore,
        Warnings = s.Warnings,
    });

    private static SignalView View(ShownSignal s) => new(
        Ids.Text(Ids.Signal, s.Id), s.TypeKey, s.Source, s.EventName, s.Bucket, s.Mode, s.Backfill, s.OccurredAt, s.ReceivedAt, s.Identity, s.Context,
        Ids.Text(Ids.Lead, s.LeadId), Ids.Text(Ids.Account, s.AccountId), Ids.Text(Ids.Contact, s.ContactId),
        s.Qualified, new QualificationFigures(s.IcpCode, s.IcpScore, s.PersonaCode, s.PersonaScore),
        s.Warnings is { } warnings ? warnings.Deserialize<List<Warning>>(Json.Options)! : []);

    /// <summary>The columns of a signal that are shown.</summary>
    private sealed class ShownSignal
    {
        public Guid Id { get; init; }
        public required string TypeKey { get; init; }
        public string? TypeSent { get; init; }
        public required string Source { get; init; }
        public string? EventName { get; init; }
        public string? Bucket { get; init; }
        public required string Mode { get; init; }
        public bool Backfill { get; init; }
        public DateTimeOffset OccurredAt { get; init; }
        public DateTimeOffset ReceivedAt { get; init; }
        public JsonElement Identity { get; init; }
        public JsonElement Context { get; init; }
        public Guid? LeadId { get; init; }
        public Guid? AccountId { get; init; }
        public Guid? ContactId { get; init; }
        public bool? Qualified { get; init; }
        public string? IcpCode { get; init; }
        public int? IcpScore { get; init; }
        public string? PersonaCode { get; init; }
        public int? PersonaScore { get; init; }
        public JsonElement? Warnings { get; init; }
    }
}
