namespace SignalHub.Leads.Identity;

/// <summary>One key of one workspace: how contacts and accounts are found.</summary>
public readonly record struct KeyRef(Guid WorkspaceId, string Kind, string Key)
{
    public static KeyRef Of(Guid workspaceId, IdentityKey key) => new(workspaceId, IdentityKinds.Of(key.Kind), key.Key);
}

/// <summary>Two contacts that were joined.</summary>
public sealed record Merge(Guid WorkspaceId, ContactState Survivor, ContactState Loser, IReadOnlyList<HeldKey> MovedKeys, Guid? SignalId, string Reason);

/// <summary>Two contacts or accounts that may be one, and why they were not joined.</summary>
public sealed record MergeCandidate(Guid WorkspaceId, Guid FirstId, Guid SecondId, string Reason, Guid? SignalId);

/// <summary>
/// Everything a batch touches, in memory: what the database had under the batch's keys, locked, and what the batch made of it.
/// The decisions work on this alone; the store reads it and writes the difference.
/// </summary>
public sealed class IdentityWorld
{
    public Dictionary<KeyRef, Guid> ContactKeys { get; } = [];
    public Dictionary<KeyRef, Guid> AccountKeys { get; } = [];
    public Dictionary<Guid, ContactState> Contacts { get; } = [];
    public Dictionary<Guid, AccountState> Accounts { get; } = [];
    public Dictionary<Guid, LeadState> LeadsByContact { get; } = [];
    public Dictionary<Guid, LeadState> LeadsByAccount { get; } = [];
    public HashSet<(Guid First, Guid Second)> DoNotMerge { get; } = [];

    public List<Merge> Merges { get; } = [];
    public List<MergeCandidate> Candidates { get; } = [];
    public List<ReplacedValue> History { get; } = [];

    /// <summary>Leads that became part of another one.</summary>
    public List<LeadState> MergedLeads { get; } = [];

    /// <summary>
    /// Whether what was read fits together. It does not when another node changed it between two reads of this transaction;
    /// then the batch starts again.
    /// </summary>
    public bool IsConsistent =>
        ContactKeys.Values.All(id => Contacts.TryGetValue(id, out var contact) && contact.MergedInto is null)
        && AccountKeys.Values.All(id => Accounts.TryGetValue(id, out var account) && account.MergedInto is null)
        && Contacts.Values.All(c => c.AccountId is not { } id || Accounts.ContainsKey(id));

    public AccountState? AccountOf(Guid? id) => id is { } value ? Accounts.GetValueOrDefault(value) : null;
}
