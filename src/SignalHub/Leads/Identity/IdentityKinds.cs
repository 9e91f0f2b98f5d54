namespace SignalHub.Leads.Identity;

/// <summary>How key kinds are stored.</summary>
public static class IdentityKinds
{
    public const string Email = "email";
    public const string LinkedIn = "linkedin";
    public const string LinkedInUrn = "linkedin_urn";
    public const string Domain = "domain";
    public const string Name = "name";

    public static string Of(IdentityKeyKind kind) => kind switch
    {
        IdentityKeyKind.Email => Email,
        IdentityKeyKind.LinkedIn => LinkedIn,
        IdentityKeyKind.LinkedInUrn => LinkedInUrn,
        IdentityKeyKind.CompanyDomain => Domain,
        IdentityKeyKind.CompanyLinkedIn => LinkedIn,
        IdentityKeyKind.CompanyName => Name,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
