namespace SignalHub.Leads.Identity;

/// <summary>
/// LinkedIn's URNs (<c>urn:li:person:AbC</c>, <c>urn:li:fs_salesProfile:(ACwAA…,NAME_SEARCH,x)</c>). Their ids keep their case.
/// </summary>
internal static class LinkedInUrn
{
    private const string Prefix = "urn:li:";

    private const int LongestUrn = 200;

    /// <summary>
    /// A URN around an ACoAA or ACwAA token is that token (<c>urn/ACwAA…</c>); one of a company or school is its page; any
    /// other is kept whole in the namespace: <c>urn/li:member:123</c>.
    /// </summary>
    public static KeyResult<LinkedInKey> Parse(string text)
    {
        var urn = IdentityText.PercentDecode(text);
        if (!urn.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || urn.Length > LongestUrn)
        {
            return LinkedInKey.Refuse(IdentityCodes.BadLinkedIn);
        }
        var colon = urn.IndexOf(':', Prefix.Length);
        if (colon <= Prefix.Length || colon == urn.Length - 1)
        {
            return LinkedInKey.Refuse(IdentityCodes.BadLinkedIn);
        }
        var type = urn[Prefix.Length..colon];
        var id = urn[(colon + 1)..];
        if (TokenIn(id) is { } token)
        {
            return LinkedInKey.Token(token);
        }
        if (!IsPlain(type) || !IsPlain(id))
        {
            return LinkedInKey.Refuse(IdentityCodes.BadLinkedIn);
        }
        if (Fillers.IsMissingPart(id))
        {
            return LinkedInKey.Refuse(IdentityCodes.Placeholder);
        }
        return type.ToLowerInvariant() switch
        {
            "company" or "organization" or "fs_company" or "fsd_company" or "fs_normalized_company" or "fs_minicompany" or "fs_salescompany" =>
                LinkedInKey.Page(LinkedInKind.Company, "company", id),
            "school" or "fs_school" or "fsd_school" or "fs_minischool" => LinkedInKey.Page(LinkedInKind.Company, "school", id),
            _ => new LinkedInKey(LinkedInKind.PersonUrn, $"urn/li:{type}:{id}", $"{Prefix}{type}:{id}"),
        };
    }

    /// <summary>The key form itself: <c>urn/ACwAA…</c> or <c>urn/li:member:123</c>.</summary>
    public static KeyResult<LinkedInKey> FromKey(ReadOnlySpan<string> segments)
    {
        var id = segments[0];
        if (segments.Length == 1 && id.StartsWith("li:", StringComparison.OrdinalIgnoreCase))
        {
            return Parse("urn:" + id);
        }
        return segments.Length == 1 ? LinkedInKey.OpaqueToken(id) : LinkedInKey.Refuse(IdentityCodes.BadLinkedIn);
    }

    /// <summary>The token alone or as first part of a tuple.</summary>
    private static string? TokenIn(string id)
    {
        var first = id.AsSpan().TrimStart('(');
        var end = first.IndexOfAny(',', ')');
        first = end < 0 ? first : first[..end];
        return LinkedInKey.IsToken(first) ? first.ToString() : null;
    }

    private static bool IsPlain(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or ':' or '(' or ')' or ','))
            {
                return false;
            }
        }
        return text.Length > 0;
    }
}
