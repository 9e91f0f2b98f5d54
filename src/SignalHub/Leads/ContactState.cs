using SignalHub.Leads.Identity;
using SignalHub.Qualification;

namespace SignalHub.Leads;

/// <summary>A key that a contact or account holds, with the form to show.</summary>
public sealed record HeldKey(string Kind, string Key, string Display)
{
    public bool IsNew { get; init; }

    public static void Stored(List<HeldKey> keys)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            keys[i] = keys[i].IsNew ? keys[i] with { IsNew = false } : keys[i];
        }
    }
}

/// <summary>A row while a batch works on it.</summary>
public abstract class StoredState
{
    /// <summary>Made by this batch.</summary>
    public bool IsNew { get; set; }

    public bool IsDirty { get; set; }

    /// <summary>Something of it is to be written.</summary>
    public virtual bool IsChanged => IsDirty;

    /// <summary>The transaction that wrote the row (xmin): a write is refused when another one has written it since.</summary>
    public uint Version { get; set; }

    /// <summary>Taken from memory, so not locked: other writers may have changed the row.</summary>
    public bool IsRemembered { get; set; }

    /// <summary>Who remembers it between batches; null: nobody yet.</summary>
    public KnownIdentities? RememberedBy { get; set; }

    /// <summary>The transaction committed.</summary>
    public virtual void Stored(uint transaction)
    {
        Version = IsNew || IsChanged ? transaction : Version;
        IsNew = IsDirty = false;
    }
}

/// <summary>A value that a newer one replaced.</summary>
public sealed record ReplacedValue(Guid SubjectId, string Field, string? Value);

/// <summary>A contact while a batch works on it: what the database had, plus what the signals of the batch said.</summary>
public sealed class ContactState : StoredState
{
    /// <summary>Keys of one kind that a person may hold: more is a shared mailbox or a mistake.</summary>
    public const int MaxEmails = 5;

    public const int MaxLinkedIn = 2;

    public required Guid WorkspaceId { get; init; }
    public required Guid Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? FirstName { get; set; }
    public string? LastName { get; set; }
    public string? Title { get; set; }
    public string? Seniority { get; set; }
    public string? Function { get; set; }
    public string? Phone { get; set; }
    public DateTimeOffset? NamesAt { get; set; }
    public string? Email { get; set; }
    public string? EmailClass { get; set; }
    public string? LinkedinUrl { get; set; }
    public Guid? AccountId { get; set; }

    /// <summary>When the signal that said so explicitly happened; null: only derived from an e-mail address.</summary>
    public DateTimeOffset? AccountAt { get; set; }

    /// <summary>A newer signal said what is known: <see cref="NamesAt"/> or <see cref="AccountAt"/> is to be written, if nothing else.</summary>
    public bool HasNewTimes { get; private set; }

    public override bool IsChanged => IsDirty || HasNewTimes;

    public Guid? MergedInto { get; set; }

    /// <summary>Its lead while it is remembered; a batch asks its world.</summary>
    public LeadState? RememberedLead { get; set; }

    public List<HeldKey> Keys { get; } = [];

    /// <summary>Known to this signal only (test mode, dry run): scored, never stored.</summary>
    public bool IsTransient { get; init; }

    public override void Stored(uint transaction)
    {
        base.Stored(transaction);
        HasNewTimes = false;
        HeldKey.Stored(Keys);
    }

    /// <summary>How many more keys of that kind it may take.</summary>
    public bool HasRoomFor(string kind)
    {
        var isEmail = kind == IdentityKinds.Email;
        var held = 0;
        foreach (var key in Keys)
        {
            held += key.Kind == IdentityKinds.Email == isEmail ? 1 : 0;
        }
        return held < (isEmail ? MaxEmails : MaxLinkedIn);
    }

    public void Attach(IdentityKey key)
    {
        Keys.Add(new HeldKey(IdentityKinds.Of(key.Kind), key.Key, key.Display) { IsNew = true });
        if (key.Kind == IdentityKeyKind.Email && Email is null)
        {
            Email = key.Display;
        }
        else if (key.Kind == IdentityKeyKind.LinkedIn)
        {
            LinkedinUrl ??= key.Display;
        }
        IsDirty = true;
    }

    /// <summary>Blanks are filled; a value of a newer signal replaces an older one, which goes to the history.</summary>
    public void ApplyNames(CanonicalIdentity identity, DateTimeOffset occurredAt, List<ReplacedValue> history)
    {
        if (identity.FirstName is null && identity.LastName is null && identity.Title is null && identity.Phone is null)
        {
            return;
        }
        var newer = NamesAt is null || occurredAt >= NamesAt;
        FirstName = Choose("first_name", FirstName, identity.FirstName, newer, history);
        LastName = Choose("last_name", LastName, identity.LastName, newer, history);
        Phone = Choose("phone", Phone, identity.Phone, newer, history);
        var title = Choose("title", Title, identity.Title, newer, history);
        if (title != Title)
        {
            Title = title;
            var titleClass = Titles.Classify(title);
            (Seniority, Function) = (titleClass.Seniority, titleClass.Function);
        }
        if (newer && NamesAt != occurredAt)
        {
            NamesAt = occurredAt;
            HasNewTimes = true;
        }
    }

    /// <summary>An explicit account counts by its signal's time; a derived one only fills a blank.</summary>
    public void ApplyAccount(Guid accountId, bool isExplicit, DateTimeOffset occurredAt)
    {
        var replaces = isExplicit ? AccountAt is null || occurredAt >= AccountAt : AccountId is null;
        if (!replaces || (AccountId == accountId && (!isExplicit || AccountAt == occurredAt)))
        {
            return;
        }
        IsDirty |= AccountId != accountId;
        HasNewTimes = true;
        AccountId = accountId;
        AccountAt = isExplicit ? occurredAt : null;
    }

    private string? Choose(string field, string? old, string? given, bool newer, List<ReplacedValue> history)
    {
        if (given is null || given == old || (old is not null && !newer))
        {
            return old;
        }
        if (old is not null)
        {
            history.Add(new ReplacedValue(Id, field, old));
        }
        IsDirty = true;
        return given;
    }
}
