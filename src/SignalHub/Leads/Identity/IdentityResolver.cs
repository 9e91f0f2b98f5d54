using SignalHub.Storage;

namespace SignalHub.Leads.Identity;

/// <summary>Whom a signal is about.</summary>
/// <param name="Conflict">The keys belong to several people, who were not joined.</param>
/// <param name="NotAttached">Keys that the contact had no room for.</param>
public sealed record ResolvedIdentity(ContactState? Contact, AccountState? Account, bool Conflict, IReadOnlyList<IdentityKey> NotAttached);

/// <summary>What a resolution needs to know of its signal.</summary>
/// <param name="SignalId">Null: somebody says so, and no signal.</param>
/// <param name="ReadOnly">Test mode: known people and companies are found, nothing is made or changed.</param>
public readonly record struct ResolvedSignal(Guid WorkspaceId, Guid? SignalId, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, bool ReadOnly);

/// <summary>
/// Decides which contact and account a signal belongs to, and whether two contacts are one (spec: identity.md, Matching). Pure:
/// it changes the world in memory, and the world alone.
/// </summary>
public static class IdentityResolver
{
    // Strongest first: an address is one mailbox, a LinkedIn slug can be changed and taken by another, a urn is one view of a profile.
    private static readonly IdentityKeyKind[] PersonKinds = [IdentityKeyKind.Email, IdentityKeyKind.LinkedIn, IdentityKeyKind.LinkedInUrn];

    public static ResolvedIdentity Resolve(IdentityWorld world, CanonicalIdentity identity, in ResolvedSignal signal)
    {
        var notAttached = new List<IdentityKey>();
        var (contact, conflict) = ResolveContact(world, identity, signal, notAttached);
        if (contact is not null && (!signal.ReadOnly || contact.IsTransient))
        {
            contact.ApplyNames(identity, signal.OccurredAt, world.History);
        }
        var (account, isExplicit) = ResolveAccount(world, identity, signal);
        if (account is not null && (!signal.ReadOnly || account.IsTransient) && (isExplicit || !IsNamedElsewhere(world, identity, account)))
        {
            account.ApplyName(identity.CompanyName, signal.OccurredAt, world.History);
        }
        if (contact is not null && account is not null && (!signal.ReadOnly || contact.IsTransient))
        {
            contact.ApplyAccount(account.Id, isExplicit, signal.OccurredAt);
        }
        return new ResolvedIdentity(contact, account ?? world.AccountOf(contact?.AccountId), conflict, notAttached);
    }

    private static (ContactState?, bool Conflict) ResolveContact(
        IdentityWorld world, CanonicalIdentity identity, in ResolvedSignal signal, List<IdentityKey> notAttached)
    {
        var keys = PersonKeys(identity);
        if (keys.Count == 0)
        {
            return (null, false);
        }
        var owners = Owners(world, keys, signal.WorkspaceId);
        if (owners.Count == 0)
        {
            return (Create(world, identity, keys, signal, notAttached), false);
        }
        var winner = owners[0];
        if (signal.ReadOnly)
        {
            return (winner, owners.Count > 1);
        }
        var conflict = false;
        if (owners.Count > 1)
        {
            var reason = owners.Count == 2 ? WhyNotMerge(world, owners[0], owners[1]) : "several_people";
            if (reason is null)
            {
                winner = MergePair(world, owners[0], owners[1], signal.SignalId);
            }
            else
            {
                conflict = true;
                AddCandidates(world, owners, reason, signal);
            }
        }
        AttachNew(world, winner, keys, notAttached);
        if (winner.EmailClass is null && winner.Email is not null)
        {
            winner.EmailClass = NameOf(identity.EmailClass);
        }
        return (winner, conflict);
    }

    /// <summary>
    /// The keys that identify a person, strongest first. A role mailbox (info@…) is weak: it stands for a person only where
    /// nothing better is given, and is never attached to somebody known by a better key.
    /// </summary>
    private static List<IdentityKey> PersonKeys(CanonicalIdentity identity)
    {
        var anyStrong = identity.Keys.Any(k => k.Strong && k.IsOfPerson);
        var keys = new List<IdentityKey>();
        foreach (var kind in PersonKinds)
        {
            foreach (var key in identity.Keys)
            {
                if (key.Kind == kind && key.Strong == anyStrong)
                {
                    keys.Add(key);
                }
            }
        }
        return keys;
    }

    private static List<ContactState> Owners(IdentityWorld world, List<IdentityKey> keys, Guid workspaceId)
    {
        var owners = new List<ContactState>();
        foreach (var key in keys)
        {
            if (world.ContactKeys.TryGetValue(KeyRef.Of(workspaceId, key), out var id) && world.Contacts[id] is var owner && !owners.Contains(owner))
            {
                owners.Add(owner);
            }
        }
        return owners;
    }

    private static ContactState Create(
        IdentityWorld world, CanonicalIdentity identity, List<IdentityKey> keys, in ResolvedSignal signal, List<IdentityKey> notAttached)
    {
        var contact = new ContactState
        {
            WorkspaceId = signal.WorkspaceId,
            Id = Ids.New(signal.ReceivedAt),
            CreatedAt = signal.ReceivedAt,
            EmailClass = NameOf(identity.EmailClass),
            IsNew = true,
            IsTransient = signal.ReadOnly,
        };
        if (signal.ReadOnly)
        {
            keys.ForEach(contact.Attach);
            return contact;
        }
        world.Contacts.Add(contact.Id, contact);
        AttachNew(world, contact, keys, notAttached);
        return contact;
    }

    private static void AttachNew(IdentityWorld world, ContactState contact, List<IdentityKey> keys, List<IdentityKey> notAttached)
    {
        foreach (var key in keys)
        {
            var reference = KeyRef.Of(contact.WorkspaceId, key);
            if (world.ContactKeys.ContainsKey(reference))
            {
                continue;
            }
            if (!contact.HasRoomFor(IdentityKinds.Of(key.Kind)))
            {
                notAttached.Add(key);
                continue;
            }
            contact.Attach(key);
            world.ContactKeys.Add(reference, contact.Id);
        }
    }

    /// <summary>Null when the two are surely one person; otherwise the reason they are only candidates.</summary>
    public static string? WhyNotMerge(IdentityWorld world, ContactState a, ContactState b)
    {
        if (world.DoNotMerge.Contains((a.Id, b.Id)) || world.DoNotMerge.Contains((b.Id, a.Id)))
        {
            return "do_not_merge_pair";
        }
        if (a.Keys.Any(x => b.Keys.Any(y => x.Kind == y.Kind)))
        {
            return "same_kind_keys";
        }
        if (Contradict(a.FirstName, b.FirstName) || Contradict(a.LastName, b.LastName))
        {
            return "different_names";
        }
        return a.AccountId is { } x1 && b.AccountId is { } x2 && x1 != x2 ? "different_companies" : null;
    }

    private static bool Contradict(string? a, string? b) =>
        a is not null && b is not null && !string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    /// <summary>The older one survives; the other becomes a tombstone whose ids keep resolving. Signals are never rewritten.</summary>
    private static ContactState MergePair(IdentityWorld world, ContactState a, ContactState b, Guid? signalId)
    {
        var (survivor, loser) = a.CreatedAt < b.CreatedAt || (a.CreatedAt == b.CreatedAt && a.Id.CompareTo(b.Id) <= 0) ? (a, b) : (b, a);
        var moved = loser.Keys.ToList();
        foreach (var key in moved)
        {
            world.ContactKeys[new KeyRef(survivor.WorkspaceId, key.Kind, key.Key)] = survivor.Id;
            survivor.Keys.Add(key);
        }
        loser.Keys.Clear();
        survivor.FirstName ??= loser.FirstName;
        survivor.LastName ??= loser.LastName;
        if (survivor.Title is null && loser.Title is not null)
        {
            (survivor.Title, survivor.Seniority, survivor.Function) = (loser.Title, loser.Seniority, loser.Function);
        }
        survivor.Phone ??= loser.Phone;
        survivor.NamesAt ??= loser.NamesAt;
        if (survivor.Email is null)
        {
            (survivor.Email, survivor.EmailClass) = (loser.Email, loser.EmailClass);
        }
        survivor.LinkedinUrl ??= loser.LinkedinUrl;
        if (survivor.AccountId is null)
        {
            (survivor.AccountId, survivor.AccountAt) = (loser.AccountId, loser.AccountAt);
        }
        survivor.IsDirty = loser.IsDirty = true;
        loser.MergedInto = survivor.Id;
        world.Merges.Add(new Merge(survivor.WorkspaceId, survivor, loser, moved, signalId, "complementary_keys"));
        MergeLeads(world, survivor, loser);
        return survivor;
    }

    private static void MergeLeads(IdentityWorld world, ContactState survivor, ContactState loser)
    {
        if (!world.LeadsByContact.Remove(loser.Id, out var lost))
        {
            return;
        }
        if (!world.LeadsByContact.TryGetValue(survivor.Id, out var kept))
        {
            lost.ContactId = survivor.Id;
            lost.IsDirty = true;
            world.LeadsByContact.Add(survivor.Id, lost);
            return;
        }
        kept.Absorb(lost);
        lost.MergedInto = kept.Id;
        lost.IsDirty = true;
        world.MergedLeads.Add(lost);
    }

    private static void AddCandidates(IdentityWorld world, List<ContactState> owners, string reason, in ResolvedSignal signal)
    {
        foreach (var other in owners.Skip(1))
        {
            var (first, second) = owners[0].CreatedAt <= other.CreatedAt ? (owners[0].Id, other.Id) : (other.Id, owners[0].Id);
            world.Candidates.Add(new MergeCandidate(signal.WorkspaceId, first, second, reason, signal.SignalId));
        }
    }

    /// <summary>
    /// Explicit domain, then LinkedIn company, the e-mail's domain, the name (identity.AccountKeys are in that order). The strongest key
    /// with an owner decides, unless the owner holds another key of a kind that a stronger key names: then it is another company.
    /// </summary>
    private static (AccountState?, bool IsExplicit) ResolveAccount(IdentityWorld world, CanonicalIdentity identity, in ResolvedSignal signal)
    {
        var keys = identity.AccountKeys;
        if (keys.Count == 0)
        {
            return (null, false);
        }
        AccountState? account = null;
        for (var i = 0; i < keys.Count && account is null; i++)
        {
            if (world.AccountKeys.TryGetValue(KeyRef.Of(signal.WorkspaceId, keys[i]), out var id) && world.Accounts[id] is var owner
                && !keys.Take(i).Any(stronger => Holds(owner, stronger.Kind)))
            {
                account = owner;
            }
        }
        account ??= CreateAccount(world, signal);
        if (account.IsTransient || !signal.ReadOnly)
        {
            AttachAccountKeys(world, account, keys, signal);
        }
        var isExplicit = keys[0].Kind == IdentityKeyKind.CompanyLinkedIn || !identity.DerivedCompanyDomain;
        return (account, isExplicit);
    }

    /// <summary>The name is another company's: with only an e-mail address to go by, it says where somebody works, not what this company is called.</summary>
    private static bool IsNamedElsewhere(IdentityWorld world, CanonicalIdentity identity, AccountState account) =>
        identity.AccountKeys.Any(k => k.Kind == IdentityKeyKind.CompanyName
            && world.AccountKeys.TryGetValue(KeyRef.Of(account.WorkspaceId, k), out var owner) && owner != account.Id);

    private static bool HasRoomFor(AccountState account, IdentityKeyKind kind) =>
        kind == IdentityKeyKind.CompanyName ? account.Keys.Count(k => k.Kind == IdentityKinds.Name) < AccountState.MaxNames : !Holds(account, kind);

    private static bool Holds(AccountState account, IdentityKeyKind kind)
    {
        var name = IdentityKinds.Of(kind);
        return account.Keys.Any(k => k.Kind == name);
    }

    private static AccountState CreateAccount(IdentityWorld world, in ResolvedSignal signal)
    {
        var account = new AccountState
        {
            WorkspaceId = signal.WorkspaceId,
            Id = Ids.New(signal.ReceivedAt),
            CreatedAt = signal.ReceivedAt,
            FactsJson = "{}",
            IsNew = true,
            IsTransient = signal.ReadOnly,
        };
        if (!signal.ReadOnly)
        {
            world.Accounts.Add(account.Id, account);
        }
        return account;
    }

    private static void AttachAccountKeys(IdentityWorld world, AccountState account, IReadOnlyList<IdentityKey> keys, in ResolvedSignal signal)
    {
        foreach (var key in keys)
        {
            var reference = KeyRef.Of(signal.WorkspaceId, key);
            if (world.AccountKeys.TryGetValue(reference, out var owner))
            {
                if (owner != account.Id)
                {
                    var reason = key.Kind == IdentityKeyKind.CompanyName ? "same_name" : "company_keys_differ";
                    world.Candidates.Add(new MergeCandidate(signal.WorkspaceId, account.Id, owner, reason, signal.SignalId));
                }
                continue;
            }
            if (!HasRoomFor(account, key.Kind))
            {
                continue;
            }
            account.Keys.Add(new HeldKey(reference.Kind, key.Key, key.Display) { IsNew = true });
            if (key.Kind == IdentityKeyKind.CompanyDomain)
            {
                account.Domain ??= key.Key;
            }
            account.IsDirty = true;
            if (!account.IsTransient)
            {
                world.AccountKeys.Add(reference, account.Id);
            }
        }
    }

    private static string? NameOf(EmailClass? emailClass) => emailClass is { } value ? IdentityKey.NameOf(value) : null;
}
