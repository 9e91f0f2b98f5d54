namespace SignalHub.Leads.Identity;

/// <summary>Why a value is no identifier: stable words, shown in warnings and problems and held by the vectors.</summary>
public static class IdentityCodes
{
    public const string Missing = "missing";
    public const string Placeholder = "placeholder";
    public const string TooLong = "too_long";
    public const string NoAtSign = "no_at_sign";
    public const string MultipleAddresses = "multiple_addresses";
    public const string BadLocal = "bad_local";
    public const string EmptyDomain = "empty_domain";
    public const string SingleLabel = "single_label";
    public const string IpLiteral = "ip_literal";
    public const string BadDomain = "bad_domain";
    public const string PublicSuffix = "public_suffix";
    public const string FreeMail = "free_mail";
    public const string Relay = "relay";
    public const string SocialHost = "social_host";
    public const string ShortLink = "short_link";
    public const string NotLinkedIn = "not_linkedin";
    public const string BadLinkedIn = "bad_linkedin";

    /// <summary>Only ever warnings: the value is used.</summary>
    public const string UnknownSuffix = "unknown_suffix";
    public const string DomainMismatch = "domain_mismatch";
    public const string TestData = "looks_like_test_data";
    public const string TooManyEmails = "too_many_emails";

    /// <summary>One sentence that alone tells a RevOps person what to change. Never quotes the value: it may be personal data.</summary>
    public static string Detail(string code) => code switch
    {
        Missing => "is blank",
        Placeholder => "holds a placeholder instead of a value; check the field mapping of the sending tool",
        TooLong => "is longer than any real value of its kind",
        NoAtSign => "has no @ sign",
        MultipleAddresses => "holds more than one address; send one, or use emails[]",
        BadLocal => "has a part before the @ that no mail system accepts",
        EmptyDomain => "has no domain",
        SingleLabel => "has a domain without a dot",
        IpLiteral => "has an IP address where a domain is needed",
        BadDomain => "has a domain that is not valid in the DNS",
        PublicSuffix => "is a suffix under which anyone can register, not a company's domain",
        FreeMail => "is the domain of a free-mail provider, which says nothing about the company",
        Relay => "is the domain of a forwarding service, which says nothing about the company",
        SocialHost => "is a page on a social network, not the company's own domain",
        ShortLink => "is a short link, which is never followed; send the full profile URL",
        NotLinkedIn => "is not a LinkedIn URL; send https://www.linkedin.com/in/… or /company/…",
        BadLinkedIn => "is a LinkedIn URL, but not that of a profile or company page",
        UnknownSuffix => "ends in a top-level domain that the installed Public Suffix List does not know; used as it is",
        DomainMismatch => "differs from the company domain of the e-mail address; the explicit domain was used",
        TestData => "looks like test data",
        TooManyEmails => "holds more addresses than are kept; the rest were ignored",
        _ => "is not usable",
    };
}

/// <summary>A canonical key or the stable code of <see cref="IdentityCodes"/> that says why there is none; exactly one is set.</summary>
public readonly record struct KeyResult<T>(T? Value, string? Code)
    where T : class
{
    public bool Usable => Value is not null;

    public static implicit operator KeyResult<T>(T value) => new(value, null);

    internal static KeyResult<T> Refuse(string code) => new(null, code);
}
