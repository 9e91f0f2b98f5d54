using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>Who remembers whom when a batch is of several lines.</summary>
public sealed class RememberingInLinesTests
{
    private const uint Transaction = 7;

    private static readonly IdentityKey _domain = new(IdentityKeyKind.CompanyDomain, "acme.com", "acme.com", Strong: true, "/identity/company_domain");
    private static readonly CanonicalIdentity _jane = Sample.Identity("jane@acme.com") with { AccountKeys = [_domain] };
    private static readonly CanonicalIdentity _company = Sample.Identity("") with { Keys = [_domain], AccountKeys = [_domain] };

    private readonly IntakeLine _first = new(100);
    private readonly IntakeLine _second = new(100);

    [Fact]
    public void Who_was_read_is_remembered_by_the_line_of_the_signal()
    {
        var (jane, bob) = (ItemOf(_jane, _first), ItemOf(Sample.Identity("bob@acme.com"), _second));
        var world = new IdentityWorld();
        Add(world, Contact("jane@acme.com", Add(world, Account()).Id));
        Add(world, Contact("bob@acme.com", accountId: null));

        new BatchMemory([_first, _second]).Remember(world, [jane, bob], Transaction);

        Assert.Empty(BatchMemory.Take([jane, bob], new IdentityWorld()));
        Assert.Equal(2, BatchMemory.Take([jane, bob], new IdentityWorld()).Count);      // each is in one place only
    }

    [Fact]
    public void So_is_the_company_that_a_person_belongs_to_beside_the_one_of_the_signal()
    {
        var jane = ItemOf(_jane, _first);
        var world = new IdentityWorld();
        Add(world, Account());
        var other = new AccountState { WorkspaceId = default, Id = Guid.Parse("00000000-0000-8000-8000-000000000003"), CreatedAt = DateTimeOffset.UnixEpoch, FactsJson = "{}" };
        world.Accounts.Add(other.Id, other);
        Add(world, Contact("jane@acme.com", other.Id));

        new BatchMemory([_first]).Remember(world, [jane], Transaction);

        Assert.Empty(BatchMemory.Take([jane], new IdentityWorld()));
    }

    [Fact]
    public void Of_a_company_that_two_lines_know_the_copy_of_its_own_line_is_taken()
    {
        var (jane, company) = (ItemOf(_jane, _first), ItemOf(_company, _second));
        var ofJane = new IdentityWorld();
        Add(ofJane, Contact("jane@acme.com", Add(ofJane, Account()).Id));
        new BatchMemory([_first]).Remember(ofJane, [jane], Transaction);
        var ofCompany = new IdentityWorld();
        var account = Add(ofCompany, Account());
        var lead = new LeadState { WorkspaceId = default, Id = Guid.Empty, CreatedAt = DateTimeOffset.UnixEpoch, BySourceJson = "{}" };
        ofCompany.LeadsByAccount.Add(account.Id, lead);
        new BatchMemory([_second]).Remember(ofCompany, [company], Transaction);

        var world = new IdentityWorld();
        Assert.Empty(BatchMemory.Take([jane, company], world));

        Assert.Same(account, Assert.Single(world.Accounts.Values));
        Assert.Same(lead, world.LeadsByAccount[account.Id]);
        Assert.Single(world.Contacts);
    }

    [Fact]
    public void A_batch_relies_on_all_of_its_lines_or_on_none()
    {
        var both = new BatchMemory([_first, _second]);
        Assert.True(both.Relies());
        new BatchMemory([_second]).Proved(right: false);

        Assert.False(both.Relies());
        Assert.True(both.Relies());     // the one that was wrong has rested
    }

    private static IntakeItem ItemOf(CanonicalIdentity identity, IntakeLine line)
    {
        var item = Sample.Item(identity);
        item.Line = line;
        return item;
    }

    private static ContactState Contact(string email, Guid? accountId)
    {
        var contact = new ContactState { WorkspaceId = default, Id = Guid.Parse($"00000000-0000-8000-8000-00000000000{email.Length % 2}"), CreatedAt = DateTimeOffset.UnixEpoch, AccountId = accountId };
        contact.Keys.Add(new HeldKey(IdentityKinds.Email, email, email));
        return contact;
    }

    private static AccountState Account()
    {
        var account = new AccountState { WorkspaceId = default, Id = Guid.Parse("00000000-0000-8000-8000-000000000002"), CreatedAt = DateTimeOffset.UnixEpoch, FactsJson = "{}" };
        account.Keys.Add(new HeldKey(IdentityKinds.Domain, "acme.com", "acme.com"));
        return account;
    }

    private static void Add(IdentityWorld world, ContactState contact)
    {
        world.Contacts.Add(contact.Id, contact);
        world.ContactKeys.Add(new KeyRef(default, contact.Keys[0].Kind, contact.Keys[0].Key), contact.Id);
    }

    private static AccountState Add(IdentityWorld world, AccountState account)
    {
        world.Accounts.Add(account.Id, account);
        world.AccountKeys.Add(new KeyRef(default, account.Keys[0].Kind, account.Keys[0].Key), account.Id);
        return account;
    }
}
