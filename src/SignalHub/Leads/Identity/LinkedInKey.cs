using System.Buffers;

namespace SignalHub.Leads.Identity;

/// <summary>What a LinkedIn URL points to.</summary>
public enum LinkedInKind
{
    /// <summary>A profile by its public name: <c>in/jane-doe</c>.</summary>
    Person,

    /// <summary>A profile by an opaque, case-sensitive token: <c>urn/ACwAA…</c>. The same person has several.</summary>
    PersonUrn,

    /// <summary>A company, school or showcase page: <c>company/acme</c>, <c>school/mit</c>, <c>showcase/acme-labs</c>.</summary>
    Company,
}

/// <summary>A LinkedIn page in canonical form. Nothing is ever fetched.</summary>
/// <param name="Kind">What it points to.</param>
/// <param name="Key">The form to compare, also understood as input.</param>
/// <param name="Display">A URL that opens the page, or the URN as sent where LinkedIn has no URL for it.</param>
public sealed record LinkedInKey(LinkedInKind Kind, string Key, string Display)
{
    private const int LongestText = 2_048;

    // LinkedIn allows 100 characters for people; companies and percent-decoded scripts need no more either.
    private const int LongestSlug = 200;

    // A token is "ACoAA" (member) or "ACwAA" (Sales Navigator) and base64url after it; real ones have 39 characters.
    private const int ShortestToken = 6;

    private static readonly SearchValues<char> PathEnding = SearchValues.Create("%/\\?#:\uFFFD");

    private static readonly string[] PathPrefixes =
        ["in/", "pub/", "company/", "company-beta/", "school/", "showcase/", "sales/", "talent/", "recruiter/", "mwlite/", "public-profile/", "urn/"];

    /// <summary>
    /// From a profile or company URL (with or without scheme and host), a URN or a token. Total: any text gives a key or one of
    /// missing, placeholder, too_long, short_link, not_linkedin, bad_linkedin.
    /// </summary>
    public static KeyResult<LinkedInKey> Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return Refuse(IdentityCodes.Missing);
        }
        if (text.Length > LongestText)
        {
            return Refuse(IdentityCodes.TooLong);
        }
        var cleaned = IdentityText.Clean(text);
        if (cleaned.Length == 0 || Fillers.IsFiller(cleaned))
        {
            return Refuse(cleaned.Length == 0 ? IdentityCodes.Missing : IdentityCodes.Placeholder);
        }
        if (cleaned.StartsWith("urn:", StringComparison.OrdinalIgnoreCase))
        {
            return LinkedInUrn.Parse(cleaned);
        }
        return IsToken(cleaned) ? Token(cleaned) : ParseUrl(cleaned);
    }

    internal static KeyResult<LinkedInKey> Refuse(string code) => KeyResult<LinkedInKey>.Refuse(code);

    /// <summary>ACoAA… and ACwAA…: told from names by their case, since names are folded before they are shown.</summary>
    internal static bool IsToken(ReadOnlySpan<char> text) =>
        text.Length is >= ShortestToken and <= LongestSlug
        && (text.StartsWith("ACoAA", StringComparison.Ordinal) || text.StartsWith("ACwAA", StringComparison.Ordinal)) && IsBase64Url(text);

    /// <summary>Profiles open under /in/ by a member token only; tokens of other tools under the tool they came from.</summary>
    internal static LinkedInKey Token(string token) => new(
        LinkedInKind.PersonUrn,
        "urn/" + token,
        (IsToken(token) ? "https://www.linkedin.com/in/" : "https://www.linkedin.com/talent/profile/") + token);

    /// <summary>The token of any LinkedIn tool, where the place says that it is one.</summary>
    internal static KeyResult<LinkedInKey> OpaqueToken(string id) =>
        Fillers.IsMissingPart(id) ? Refuse(IdentityCodes.Placeholder)
        : id.Length is > 0 and <= LongestSlug && IsBase64Url(id) ? Token(id)
        : Refuse(IdentityCodes.BadLinkedIn);

    private static bool IsBase64Url(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>A company, school or showcase page by its name or number.</summary>
    internal static KeyResult<LinkedInKey> Page(LinkedInKind kind, string space, string rawSlug)
    {
        if (Slug(rawSlug, out var slug) is { } code)
        {
            return Refuse(code);
        }
        var key = $"{space}/{slug}";
        return new LinkedInKey(kind, key, "https://www.linkedin.com/" + key);
    }

    private static KeyResult<LinkedInKey> ParseUrl(string text)
    {
        var pathOnly = text[0] == '/' && !text.StartsWith("//", StringComparison.Ordinal);
        if (pathOnly || HasPathPrefix(text))
        {
            return ParsePath(UrlText.Split("linkedin.com/" + text).Path);
        }
        var url = UrlText.Split(text);
        if (Fillers.IsPunctuation(url.Authority))
        {
            return Refuse(url.Authority.Length > 0 ? IdentityCodes.Placeholder : IdentityCodes.NotLinkedIn);
        }
        if (!UrlText.TryHost(url.Authority, out var rawHost) || HostName.Canonicalize(rawHost, out var host) is not null)
        {
            return Refuse(IdentityCodes.NotLinkedIn);
        }
        if (IsHostOrBelow(host, "lnkd.in"))
        {
            return Refuse(IdentityCodes.ShortLink);
        }
        return IsHostOrBelow(host, "linkedin.com") ? ParsePath(url.Path) : Refuse(IdentityCodes.NotLinkedIn);
    }

    private static bool HasPathPrefix(string text)
    {
        foreach (var prefix in PathPrefixes)
        {
            if (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsHostOrBelow(string host, string domain) =>
        host.EndsWith(domain, StringComparison.Ordinal) && (host.Length == domain.Length || host[^(domain.Length + 1)] == '.');

    private static KeyResult<LinkedInKey> ParsePath(string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var i = 0;
        while (i < segments.Length && IsWrapper(segments[i]))
        {
            i++;
        }
        // A locale may stand in front of the kind: /de/in/jane.
        if (i + 2 < segments.Length && IsLocale(segments[i]) && KindOf(segments[i]) is null)
        {
            i++;
        }
        var kind = i < segments.Length ? KindOf(segments[i]) : null;
        if (kind is null || i + 1 >= segments.Length)
        {
            return Refuse(IdentityCodes.BadLinkedIn);
        }
        var rest = segments.AsSpan(i + 1);
        return kind switch
        {
            "in" => Person(rest[0]),
            "pub" => Pub(rest),
            "urn" => LinkedInUrn.FromKey(rest),
            "sales" or "talent" or "recruiter" => Tool(rest),
            _ => Page(LinkedInKind.Company, kind, rest[0]),
        };
    }

    private static string? KindOf(string segment) => segment.ToLowerInvariant() switch
    {
        "in" => "in",
        "pub" => "pub",
        "company" or "company-beta" or "organization" => "company",
        "school" => "school",
        "showcase" => "showcase",
        "sales" => "sales",
        "talent" => "talent",
        "recruiter" => "recruiter",
        "urn" => "urn",
        _ => null,
    };

    /// <summary>Parts of mobile, public and e-mailed links that stand before the real path.</summary>
    private static bool IsWrapper(string segment) =>
        segment.ToLowerInvariant() is "mwlite" or "public-profile" or "comm" or "profile" or "organization-guest" or "m";

    private static bool IsLocale(string segment) =>
        (segment.Length == 2 || (segment.Length == 5 && segment[2] is '-' or '_'))
        && char.IsAsciiLetter(segment[0]) && char.IsAsciiLetter(segment[1]);

    private static KeyResult<LinkedInKey> Person(string segment) =>
        IsToken(segment) ? Token(segment) : Page(LinkedInKind.Person, "in", segment);

    /// <summary>
    /// The address before 2012, <c>/pub/a-b/x/y/z</c>, lives on as <c>/in/a-b-zyx</c>. /pub/dir/ is a search.
    /// </summary>
    private static KeyResult<LinkedInKey> Pub(ReadOnlySpan<string> segments)
    {
        if (segments[0].Equals("dir", StringComparison.OrdinalIgnoreCase))
        {
            return Refuse(IdentityCodes.BadLinkedIn);
        }
        var numbered = segments.Length >= 4 && IsBase64Url(segments[1]) && IsBase64Url(segments[2]) && IsBase64Url(segments[3]);
        return Page(LinkedInKind.Person, "in", numbered ? $"{segments[0]}-{segments[3]}{segments[2]}{segments[1]}" : segments[0]);
    }

    /// <summary>Sales Navigator and Recruiter: /sales/lead/TOKEN,NAME_SEARCH,X; /talent/profile/TOKEN; /sales/company/1234.</summary>
    private static KeyResult<LinkedInKey> Tool(ReadOnlySpan<string> segments)
    {
        if (segments.Length < 2)
        {
            return Refuse(IdentityCodes.BadLinkedIn);
        }
        var what = segments[0].ToLowerInvariant();
        var decoded = IdentityText.PercentDecode(segments[1]);
        var comma = decoded.IndexOf(',', StringComparison.Ordinal);
        var id = comma < 0 ? decoded : decoded[..comma];
        return what switch
        {
            "company" or "accounts" => Page(LinkedInKind.Company, "company", id),
            "lead" or "people" or "profile" => OpaqueToken(id),
            _ => Refuse(IdentityCodes.BadLinkedIn),
        };
    }

    /// <summary>
    /// Decoded once, NFC, lower. A slug that still holds an escape, or a character that ends a path, is refused: fed back, it
    /// would become another key.
    /// </summary>
    private static string? Slug(string raw, out string slug)
    {
        slug = IdentityText.Lower(IdentityText.Nfc(IdentityText.Clean(IdentityText.PercentDecode(raw))));
        if (slug.Length == 0 || slug.AsSpan().ContainsAny(PathEnding) || IdentityText.HasSpaceOrControl(slug))
        {
            return IdentityCodes.BadLinkedIn;
        }
        if (slug.Length > LongestSlug)
        {
            return IdentityCodes.TooLong;
        }
        return Fillers.IsMissingPart(slug) || Fillers.IsPunctuation(slug) || slug[0] is '{' or '$' ? IdentityCodes.Placeholder : null;
    }
}
