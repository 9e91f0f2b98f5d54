namespace SignalHub.Leads.Identity;

/// <summary>
/// The people and companies that were met last, with their leads, so that a batch about them reads nothing. What is
/// remembered may be stale: each write names the version it was made from, and a batch that meets another one starts again with
/// what is stored. Used by one batch at a time, which may use others as well: each keeps only whom it is <see cref="StoredState.RememberedBy"/>.
/// Whoever is remembered again stays the same object, and keeps its texts where a signal says the same: what is made anew for each signal and
/// lives on is what the collector works for.
/// </summary>
/// <param name="capacity">People and companies kept, at about a kilobyte each.</param>
public sealed class KnownIdentities(int capacity)
{
    // Rare and large: read each time, so that the memory needed is known.
    private const int MaxFacts = 4_096;
    private const int MaxSources = 16;

    private Generation _young = new();
    private Generation _old = new();

    /// <summary>
    /// Moves what is known of a signal's people and companies into the world; false, and nothing moved, if anything of it is not
    /// known or could lead to a merge.
    /// </summary>
    public bool TryTake(Guid workspaceId, CanonicalIdentity identity, IdentityWorld world)
    {
        ContactState? contact = null;
        var accounts = new List<AccountState>(2);
        foreach (var key in identity.Keys)
        {
            if (!key.IsOfPerson)
            {
                continue;
            }
            var found = FindContact(KeyRef.Of(workspaceId, key), world);
            if (found is null || (contact is not null && !ReferenceEquals(contact, found)))
            {
                return false;
            }
            contact = found;
        }
        foreach (var key in identity.AccountKeys)
        {
            if (FindAccount(KeyRef.Of(workspaceId, key), world) is not { } found)
            {
                return false;
            }
            accounts.Add(found);
        }
        if (contact?.AccountId is { } accountId)
        {
            if (FindAccount(accountId, world) is not { } found)
            {
                return false;
            }
            accounts.Add(found);
        }
        Move(contact, accounts, world);
        return true;
    }

    /// <summary>Whomever <see cref="TryTake"/> asks for is to be remembered here, unless it is elsewhere already.</summary>
    public void Claim(Guid workspaceId, CanonicalIdentity identity, IdentityWorld world)
    {
        foreach (var key in identity.Keys)
        {
            if (key.IsOfPerson && world.ContactKeys.TryGetValue(KeyRef.Of(workspaceId, key), out var id)
                && world.Contacts.TryGetValue(id, out var contact))
            {
                contact.RememberedBy ??= this;
                Claim(world.AccountOf(contact.AccountId));
            }
        }
        foreach (var key in identity.AccountKeys)
        {
            Claim(world.AccountKeys.TryGetValue(KeyRef.Of(workspaceId, key), out var id) ? world.AccountOf(id) : null);
        }
    }

    private void Claim(AccountState? account)
    {
        if (account is not null)
        {
            account.RememberedBy ??= this;
        }
    }

    /// <summary>Keeps what a committed batch worked with, as far as it is to be remembered here.</summary>
    /// <param name="world">What the batch read and wrote.</param>
    /// <param name="transaction">The transaction that wrote it.</param>
    public void Remember(IdentityWorld world, uint transaction)
    {
        if (world.Merges.Count > 0)
        {
            return;     // keys moved between people; they are read anew when they are needed
        }
        foreach (var contact in world.Contacts.Values)
        {
            if (contact.RememberedBy != this)
            {
                continue;
            }
            if (world.LeadsByContact.TryGetValue(contact.Id, out var lead))
            {
                lead.Stored(transaction);
            }
            contact.Stored(transaction);
            if (lead is null or { BySource.Count: <= MaxSources })
            {
                contact.RememberedLead = lead;
                Young().Add(contact);
            }
        }
        foreach (var account in world.Accounts.Values)
        {
            if (account.RememberedBy != this)
            {
                continue;
            }
            if (world.LeadsByAccount.TryGetValue(account.Id, out var lead))
            {
                lead.Stored(transaction);
            }
            account.Stored(transaction);
            if (account.FactsJson.Length <= MaxFacts && lead is null or { BySource.Count: <= MaxSources })
            {
                account.RememberedLead = lead;
                Young().Add(account);
            }
        }
    }

    private Generation Young()
    {
        if (_young.Count >= capacity / 2)
        {
            (_old, _young) = (_young, new Generation());
        }
        return _young;
    }

    private ContactState? FindContact(in KeyRef key, IdentityWorld world) =>
        world.ContactKeys.TryGetValue(key, out var id) ? world.Contacts[id]
        : _young.Contacts.GetValueOrDefault(key) ?? _old.Contacts.GetValueOrDefault(key);

    private AccountState? FindAccount(in KeyRef key, IdentityWorld world) =>
        world.AccountKeys.TryGetValue(key, out var id) ? world.Accounts[id]
        : _young.Accounts.GetValueOrDefault(key) ?? _old.Accounts.GetValueOrDefault(key);

    private AccountState? FindAccount(Guid id, IdentityWorld world) =>
        world.Accounts.TryGetValue(id, out var account) ? account
        : _young.AccountsById.GetValueOrDefault(id) ?? _old.AccountsById.GetValueOrDefault(id);

    private void Move(ContactState? contact, List<AccountState> accounts, IdentityWorld world)
    {
        if (contact is not null && world.Contacts.TryAdd(contact.Id, contact))
        {
            Forget(contact);
            (contact.IsRemembered, contact.RememberedBy) = (true, this);
            foreach (var key in contact.Keys)
            {
                world.ContactKeys[new KeyRef(contact.WorkspaceId, key.Kind, key.Key)] = contact.Id;
            }
            if (contact.RememberedLead is { } lead)
            {
                world.LeadsByContact[contact.Id] = lead;
            }
        }
        foreach (var account in accounts)
        {
            if (world.Accounts.TryAdd(account.Id, account))
            {
                Forget(account);
                (account.IsRemembered, account.RememberedBy) = (true, this);
                foreach (var key in account.Keys)
                {
                    world.AccountKeys[new KeyRef(account.WorkspaceId, key.Kind, key.Key)] = account.Id;
                }
                if (account.RememberedLead is { } lead)
                {
                    world.LeadsByAccount[account.Id] = lead;
                }
            }
        }
    }

    private void Forget(ContactState contact)
    {
        _young.Remove(contact);
        _old.Remove(contact);
    }

    private void Forget(AccountState account)
    {
        _young.Remove(account);
        _old.Remove(account);
    }

    /// <summary>What was used since the last turn; two of them make a cheap least-recently-used order.</summary>
    private sealed class Generation
    {
        public Dictionary<KeyRef, ContactState> Contacts { get; } = [];
        public Dictionary<KeyRef, AccountState> Accounts { get; } = [];
        public Dictionary<Guid, AccountState> AccountsById { get; } = [];
        public int Count => Contacts.Count + AccountsById.Count;

        public void Add(ContactState contact)
        {
            foreach (var key in contact.Keys)
            {
                Contacts[new KeyRef(contact.WorkspaceId, key.Kind, key.Key)] = contact;
            }
        }

        public void Add(AccountState account)
        {
            AccountsById[account.Id] = account;
            foreach (var key in account.Keys)
            {
                Accounts[new KeyRef(account.WorkspaceId, key.Kind, key.Key)] = account;
            }
        }

        public void Remove(ContactState contact)
        {
            foreach (var key in contact.Keys)
            {
                Contacts.Remove(new KeyRef(contact.WorkspaceId, key.Kind, key.Key));
            }
        }

        public void Remove(AccountState account)
        {
            AccountsById.Remove(account.Id);
            foreach (var key in account.Keys)
            {
                Accounts.Remove(new KeyRef(account.WorkspaceId, key.Kind, key.Key));
            }
        }
    }
}
