namespace SignalHub.Leads.Identity;

/// <summary>What a key identifies.</summary>
public enum IdentityKeyKind
{
    Email,
    LinkedIn,
    LinkedInUrn,
    CompanyDomain,
    CompanyLinkedIn,
    CompanyName,
}

/// <summary>One canonical key of a signal.</summary>
/// <param name="Kind">What it identifies.</param>
/// <param name="Key">The form to compare and store.</param>
/// <param name="Display">The form to send to or show.</param>
/// <param name="Strong">
/// It identifies one person, so two signals that share it are about the same one. False for company keys and role mailboxes.
/// </param>
/// <param name="Field">JSON Pointer of the field it came from; for a derived company domain, that of the e-mail.</param>
public sealed record IdentityKey(IdentityKeyKind Kind, string Key, string Display, bool Strong, string Field)
{
    public bool IsOfPerson => Kind is IdentityKeyKind.Email or IdentityKeyKind.LinkedIn or IdentityKeyKind.LinkedInUrn;

    /// <summary>The name on the wire: email, linkedin, linkedin_urn, company_domain, company_linkedin, company_name.</summary>
    public string KindName => NameOf(Kind);

    public static string NameOf(IdentityKeyKind kind) => kind switch
    {
        IdentityKeyKind.Email => "email",
        IdentityKeyKind.LinkedIn => "linkedin",
        IdentityKeyKind.LinkedInUrn => "linkedin_urn",
        IdentityKeyKind.CompanyDomain => "company_domain",
        IdentityKeyKind.CompanyLinkedIn => "company_linkedin",
        _ => "company_name",
    };

    /// <summary>The name on the wire: work, free_mail, relay, role.</summary>
    public static string NameOf(EmailClass emailClass) => emailClass switch
    {
        EmailClass.Work => "work",
        EmailClass.FreeMail => "free_mail",
        EmailClass.Relay => "relay",
        _ => "role",
    };
}

/// <summary>Something to tell the sender about one identity field.</summary>
/// <param name="Code">A stable word of <see cref="IdentityCodes"/>.</param>
/// <param name="Pointer">JSON Pointer into the request, such as <c>/identity/linkedin_url</c>.</param>
/// <param name="Detail">One sentence that says what to change; never the value itself.</param>
public sealed record IdentityIssue(string Code, string Pointer, string Detail);

/// <summary>The identity fields of a signal as sent, all optional; filled member by member. At most five e-mails count.</summary>
public sealed record IdentityInput
{
    public string? Email { get; set; }

    public IReadOnlyList<string?>? Emails { get; set; }

    public string? LinkedInUrl { get; set; }

    public string? CompanyDomain { get; set; }

    public string? CompanyLinkedInUrl { get; set; }

    public string? CompanyName { get; set; }

    /// <summary>The route's companies are also found by name, where nothing better is given.</summary>
    public bool FindsCompanyByName { get; set; }

    public string? FirstName { get; set; }

    public string? LastName { get; set; }

    public string? Title { get; set; }

    public string? Phone { get; set; }
}
