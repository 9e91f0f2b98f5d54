namespace SignalHub.Leads.Identity;

/// <summary>What kind of mailbox an address is. On the wire: work, free_mail, relay, role.</summary>
public enum EmailClass
{
    /// <summary>One person's mailbox at an organisation.</summary>
    Work,

    /// <summary>A mailbox at a provider for anyone.</summary>
    FreeMail,

    /// <summary>A forwarding address.</summary>
    Relay,

    /// <summary>A mailbox that several people read (info@, sales@), at an organisation.</summary>
    Role,
}

/// <summary>An e-mail address in its three forms, and what it says about person and company.</summary>
/// <param name="AsSent">The field as it came.</param>
/// <param name="ForSending">Unwrapped and trimmed, case and tag kept, ASCII host: mail sent there arrives.</param>
/// <param name="Key">The form to compare; at most 64 bytes, @ and 253 bytes.</param>
/// <param name="Class">What kind of mailbox it is.</param>
/// <param name="Strong">It identifies one person: false for role mailboxes, also those at free-mail providers.</param>
/// <param name="CompanyDomain">The registrable domain of the company behind it, or null with the reason in <paramref name="NoCompany"/>.</param>
/// <param name="NoCompany">free_mail, relay, public_suffix or bad_domain (.local and its like); null when there is a company.</param>
/// <param name="UnknownSuffix">The company domain was cut by the default rule: its top-level domain is not on the list.</param>
/// <param name="LooksLikeTestData">test@, …@test.com and the like: an ordinary address, with a warning.</param>
public sealed record EmailKey(
    string AsSent,
    string ForSending,
    string Key,
    EmailClass Class,
    bool Strong,
    string? CompanyDomain,
    string? NoCompany,
    bool UnknownSuffix,
    bool LooksLikeTestData)
{
    // Far beyond any address with a display name; keeps hostile text out of the slower steps.
    private const int LongestText = 2_048;

    /// <summary>Canonicalises; total: any text gives a key or one of the codes.</summary>
    public static KeyResult<EmailKey> Parse(string? text, IdentityRules rules)
    {
        if (string.IsNullOrEmpty(text))
        {
            return KeyResult<EmailKey>.Refuse(IdentityCodes.Missing);
        }
        if (text.Length > LongestText)
        {
            return KeyResult<EmailKey>.Refuse(IdentityCodes.TooLong);
        }
        var cleaned = IdentityText.Clean(text);
        if (cleaned.Length == 0 || Fillers.IsFiller(cleaned))
        {
            return KeyResult<EmailKey>.Refuse(cleaned.Length == 0 ? IdentityCodes.Missing : IdentityCodes.Placeholder);
        }
        if (EmailAddressText.Find(cleaned, out var address, out var at) is { } code)
        {
            return KeyResult<EmailKey>.Refuse(code);
        }
        var rawHost = address[(at + 1)..];
        if (Fillers.IsMissingPart(rawHost))
        {
            return KeyResult<EmailKey>.Refuse(IdentityCodes.Placeholder);
        }
        if (HostName.Canonicalize(rawHost, out var host) is { } badHost)
        {
            return KeyResult<EmailKey>.Refuse(badHost);
        }
        return LocalPart.TryCanonicalize(address[..at], out var sendable, out var lower)
            ? Finish(text, sendable, lower, host, rules)
            : KeyResult<EmailKey>.Refuse(IdentityCodes.BadLocal);
    }

    private static KeyResult<EmailKey> Finish(string asSent, string sendable, string lower, string host, IdentityRules rules)
    {
        var keyHost = host == "googlemail.com" ? "gmail.com" : host;
        var forSending = Join(asSent, sendable, host);
        var keyLocal = LocalPart.ForKey(lower, keyHost);
        var key = Join(forSending, keyLocal, keyHost);
        var company = DomainKey.OfHost(keyHost, rules);
        var name = LocalPart.WithoutTag(keyLocal);
        // undefined@acme.com, jane@null.com: a template whose values were missing. Judged in canonical form, so that no
        // spelling of it gets past.
        if (Fillers.IsMissingPart(name) || company.Code == IdentityCodes.Placeholder)
        {
            return KeyResult<EmailKey>.Refuse(IdentityCodes.Placeholder);
        }
        var role = MailboxNames.IsRole(name);
        return new EmailKey(
            asSent,
            forSending,
            key,
            company.Code switch
            {
                IdentityCodes.FreeMail => EmailClass.FreeMail,
                IdentityCodes.Relay => EmailClass.Relay,
                _ => role ? EmailClass.Role : EmailClass.Work,
            },
            Strong: !role,
            company.Value?.Domain,
            company.Code,
            company.Value?.UnknownSuffix ?? false,
            MailboxNames.IsTest(name) || MailboxNames.IsTestHost(host));
    }

    /// <summary>local@host, or the given text when it reads the same (the common case allocates nothing).</summary>
    private static string Join(string same, string local, string host) =>
        same.Length == local.Length + 1 + host.Length && same[local.Length] == '@'
        && same.StartsWith(local, StringComparison.Ordinal) && same.EndsWith(host, StringComparison.Ordinal)
            ? same
            : $"{local}@{host}";
}
