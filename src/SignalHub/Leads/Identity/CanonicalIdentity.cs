namespace SignalHub.Leads.Identity;

/// <summary>
/// The identity of a signal in canonical form: the keys to match by, the cleaned names, and everything the sender should be
/// told. Pure: the same input and rules give the same result.
/// </summary>
public sealed record CanonicalIdentity
{
    /// <summary>Person keys, then company keys, each kind in the order sent, no key twice.</summary>
    public required IReadOnlyList<IdentityKey> Keys { get; init; }

    /// <summary>The company keys in the order in which they decide the account: explicit domain, LinkedIn page, e-mail domain, name.</summary>
    public required IReadOnlyList<IdentityKey> AccountKeys { get; init; }

    /// <summary>
    /// The canonical keys of the fields sent, as <c>kind:key</c> in ordinal order: the identity part of the natural dedupe key.
    /// Without the company domain derived from an e-mail, which changes with the lists.
    /// </summary>
    public required IReadOnlyList<string> SentKeys { get; init; }

    /// <summary>Everything to tell about the fields, in their order; most of it harmless.</summary>
    public required IReadOnlyList<IdentityIssue> Warnings { get; init; }

    /// <summary>What was wrong with each identifier given, when no key is left (422 identity_required); else empty.</summary>
    public required IReadOnlyList<IdentityIssue> Problems { get; init; }

    /// <summary>The kind of the first usable e-mail address; null without one.</summary>
    public EmailClass? EmailClass { get; init; }

    /// <summary>The first usable e-mail address in its form for sending.</summary>
    public string? Email { get; init; }

    /// <summary>The company's domain: the explicit one, else the first e-mail's; null without either.</summary>
    public string? CompanyDomain { get; init; }

    /// <summary><see cref="CompanyDomain"/> comes from an e-mail address.</summary>
    public bool DerivedCompanyDomain { get; init; }

    public string? CompanyName { get; init; }

    public string? FirstName { get; init; }

    public string? LastName { get; init; }

    public string? Title { get; init; }

    public string? Phone { get; init; }

    /// <summary>At least one key of a person, not only of a company.</summary>
    public bool HasPerson => Keys.Count > 0 && Keys[0].IsOfPerson;

    /// <summary>At least one key to match by.</summary>
    public bool HasUsableKey => Keys.Count > 0;

    public static CanonicalIdentity From(IdentityInput input, IdentityRules rules) => new CanonicalIdentityBuilder(input, rules).Build();
}
