using System.Buffers;
using System.Text;

namespace SignalHub.Leads.Identity;

/// <summary>
/// The part before the @ (RFC 5321 4.1.2, RFC 6532 for non-ASCII): a dot-atom, or a quoted string where nothing else will do.
/// </summary>
internal static class LocalPart
{
    /// <summary>Longest local part in UTF-8 bytes (RFC 5321 4.5.3.1.1).</summary>
    private const int LongestUtf8 = 64;

    private static readonly SearchValues<char> Specials = SearchValues.Create("()<>[]:;@\\,\"");

    private static readonly SearchValues<char> PlainLower = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_+'=");

    // Providers where everyone knows that a tag only sorts mail. Elsewhere a tag can be a tenant, and dots always count.
    private static readonly HashSet<string> TagProviders = new(StringComparer.Ordinal)
    {
        "msn.com", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "pm.me", "fastmail.com",
    };

    private static readonly string[] TagProviderNames = ["outlook.", "hotmail.", "live.", "yandex."];

    /// <summary>
    /// NFC, unquoted when that leaves a plain dot-atom: <paramref name="sendable"/> keeps its case (mail systems may care),
    /// <paramref name="lower"/> is the form to compare. Null and no text when it is refused.
    /// </summary>
    public static bool TryCanonicalize(string raw, out string sendable, out string lower)
    {
        sendable = lower = "";
        // Longer text cannot fit: every UTF-16 unit is at least one byte, and quoting at most doubles it.
        if (raw.Length is 0 or > 2 * LongestUtf8 + 2 || IdentityText.HasLoneSurrogate(raw))
        {
            return false;
        }
        var quoted = raw[0] == '"';
        if (quoted && !TryUnquote(raw, out raw))
        {
            return false;
        }
        var content = IdentityText.Nfc(raw);
        if (!HasGoodDots(content) || IdentityText.HasSpaceOrControl(content))
        {
            return false;
        }
        var special = content.AsSpan().ContainsAny(Specials);
        if (special && !quoted)
        {
            return false;
        }
        sendable = special ? Quote(content) : content;
        lower = IdentityText.Lower(sendable);
        return Encoding.UTF8.GetByteCount(lower) <= LongestUtf8;
    }

    /// <summary>Drops what the provider ignores: dots and tag at gmail.com, the tag at other consumer providers. Never to an empty part.</summary>
    public static string ForKey(string lower, string host)
    {
        var gmail = host == "gmail.com";
        if (lower[0] == '"' || !(gmail || IgnoresTag(host)) || !lower.AsSpan().ContainsAny('+', '.'))
        {
            return lower;
        }
        var plus = lower.IndexOf('+', StringComparison.Ordinal);
        var untagged = plus > 0 && (gmail || lower[plus - 1] != '.') ? lower[..plus] : lower;
        return gmail ? untagged.Replace(".", "", StringComparison.Ordinal) : untagged;
    }

    /// <summary>The part before the first tag, for comparing with the names of role mailboxes and test data.</summary>
    public static ReadOnlySpan<char> WithoutTag(string lower)
    {
        var plus = lower.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 ? lower.AsSpan(0, plus) : lower;
    }

    private static bool IgnoresTag(string host)
    {
        if (TagProviders.Contains(host))
        {
            return true;
        }
        foreach (var name in TagProviderNames)
        {
            if (host.StartsWith(name, StringComparison.Ordinal))
            {
                return IsCountrySuffix(host.AsSpan(name.Length));
            }
        }
        return false;
    }

    /// <summary>com, de, co.uk, com.br: not outlook.acme.com or live.github.io.</summary>
    private static bool IsCountrySuffix(ReadOnlySpan<char> suffix)
    {
        if (suffix is "com")
        {
            return true;
        }
        var country = suffix.StartsWith("com.") ? suffix[4..] : suffix.StartsWith("co.") ? suffix[3..] : suffix;
        return country.Length == 2 && char.IsAsciiLetterLower(country[0]) && char.IsAsciiLetterLower(country[1]);
    }

    private static bool HasGoodDots(string local) =>
        local.Length > 0 && local[0] != '.' && local[^1] != '.'
        && (!local.AsSpan().ContainsAnyExcept(PlainLower) || !local.Contains("..", StringComparison.Ordinal));

    private static bool TryUnquote(string raw, out string content)
    {
        content = "";
        if (raw.Length < 3 || raw[^1] != '"')
        {
            return false;
        }
        var builder = new StringBuilder(raw.Length);
        for (var i = 1; i < raw.Length - 1; i++)
        {
            var escape = raw[i] == '\\';
            i += escape ? 1 : 0;
            if (i == raw.Length - 1 || (raw[i] == '"' && !escape))
            {
                return false;
            }
            builder.Append(raw[i]);
        }
        content = builder.ToString();
        return true;
    }

    private static string Quote(string content) =>
        $"\"{content.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
