namespace SignalHub.Leads.Identity;

/// <summary>A company's key: its registrable domain by the Public Suffix List.</summary>
/// <param name="Domain">Registrable domain, lower-case ASCII.</param>
/// <param name="Host">The whole canonical host it was cut from.</param>
/// <param name="UnknownSuffix">The top-level domain is not on the installed list; the default rule was used.</param>
public sealed record DomainKey(string Domain, string Host, bool UnknownSuffix)
{
    private const int LongestText = 2_048;

    private static readonly char[] Leftovers = ['"', '\'', ',', ';', ' '];

    // Names that never leave a local network or never resolve (RFC 6761, RFC 6762): the same in every company.
    private static readonly string[] LocalSuffixes = [".local", ".localhost", ".localdomain", ".invalid"];

    // Where a company has a page of its own, so that the page's host is not the company.
    private static readonly HashSet<string> SocialDomains = new(StringComparer.Ordinal)
    {
        "linkedin.com", "lnkd.in", "facebook.com", "fb.com", "fb.me", "instagram.com", "threads.net", "threads.com", "twitter.com", "x.com", "t.co",
        "youtube.com", "youtu.be", "tiktok.com", "pinterest.com", "xing.com", "vk.com", "reddit.com", "snapchat.com", "t.me", "weibo.com",
        "crunchbase.com", "glassdoor.com", "wellfound.com", "angel.co", "producthunt.com", "github.com", "gitlab.com", "linktr.ee", "bsky.app",
    };

    /// <summary>From a URL, a host or an e-mail address; total: any text gives a key or one of the codes.</summary>
    public static KeyResult<DomainKey> Parse(string? text, IdentityRules rules)
    {
        if (string.IsNullOrEmpty(text))
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.Missing);
        }
        if (text.Length > LongestText)
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.TooLong);
        }
        // Quotes and separators are what lists and CSV exports leave around a domain.
        var cleaned = IdentityText.Clean(text).Trim(Leftovers);
        if (cleaned.Length == 0 || Fillers.IsFiller(cleaned))
        {
            return KeyResult<DomainKey>.Refuse(cleaned.Length == 0 ? IdentityCodes.Missing : IdentityCodes.Placeholder);
        }
        var url = UrlText.Split(cleaned);
        if (Fillers.IsPunctuation(url.Authority) && url is { HasScheme: true, Authority.Length: > 0 } && url.Authority[0] != '[')
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.Placeholder);
        }
        if (!UrlText.TryHost(url.Authority, out var rawHost))
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.BadDomain);
        }
        if (Fillers.IsMissingPart(rawHost))
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.Placeholder);
        }
        if (HostName.Canonicalize(rawHost, out var host) is { } code)
        {
            return KeyResult<DomainKey>.Refuse(code);
        }
        var result = OfHost(host, rules);
        var social = url.HasPath && result.Value is { } key && SocialDomains.Contains(key.Domain);
        return social ? KeyResult<DomainKey>.Refuse(IdentityCodes.SocialHost) : result;
    }

    /// <summary>The company behind a canonical host, or why there is none: bad_domain, free_mail, relay, public_suffix, placeholder.</summary>
    internal static KeyResult<DomainKey> OfHost(string host, IdentityRules rules)
    {
        foreach (var suffix in LocalSuffixes)
        {
            if (host.EndsWith(suffix, StringComparison.Ordinal))
            {
                return KeyResult<DomainKey>.Refuse(IdentityCodes.BadDomain);
            }
        }
        var length = rules.Suffixes.RegistrableLength(host, out var known);
        var mail = FreeMail.Classify(host, length, rules.Overrides);
        if (mail != MailHost.Organisation)
        {
            return KeyResult<DomainKey>.Refuse(mail == MailHost.Relay ? IdentityCodes.Relay : IdentityCodes.FreeMail);
        }
        if (length == 0)
        {
            return KeyResult<DomainKey>.Refuse(IdentityCodes.PublicSuffix);
        }
        var domain = length == host.Length ? host : host[^length..];
        // undefined.com, null.com: what is left of a template around a missing value; n.a says the same.
        return Fillers.IsMissingPart(domain.AsSpan(0, domain.IndexOf('.', StringComparison.Ordinal))) || Fillers.IsFiller(domain)
            ? KeyResult<DomainKey>.Refuse(IdentityCodes.Placeholder)
            : new DomainKey(domain, host, !known);
    }
}
