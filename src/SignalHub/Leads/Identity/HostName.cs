using System.Buffers;
using System.Globalization;

namespace SignalHub.Leads.Identity;

/// <summary>
/// The canonical ASCII form of a host (RFC 1123 names, IDNA 2008 by UTS 46 non-transitional, so ß and ς keep their own names),
/// or the code why it is none: empty_domain, single_label, ip_literal, bad_domain.
/// </summary>
internal static class HostName
{
    /// <summary>Longest name in the DNS in its text form without the root dot (RFC 1035).</summary>
    public const int LongestHost = 253;

    private const int LongestLabel = 63;

    // Longer input cannot shrink to 253: keeps hostile text away from ICU.
    private const int LongestInput = 1_024;

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");
    private static readonly SearchValues<char> IdeographicDots = SearchValues.Create("\u3002\uFF0E\uFF61");
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>Gives the canonical host and null, or an empty string and the code.</summary>
    public static string? Canonicalize(string text, out string host)
    {
        host = "";
        if (text.Length > LongestInput)
        {
            return IdentityCodes.BadDomain;
        }
        var dotted = text.AsSpan().ContainsAny(IdeographicDots)
            ? text.Replace('\u3002', '.').Replace('\uFF0E', '.').Replace('\uFF61', '.')
            : text;
        if (dotted.EndsWith('.'))
        {
            dotted = dotted[..^1];
        }
        if (dotted.Length == 0)
        {
            return IdentityCodes.EmptyDomain;
        }
        if (LooksLikeIPv6(dotted))
        {
            return IdentityCodes.IpLiteral;
        }
        var lower = dotted.ToLowerInvariant();
        var plain = !lower.AsSpan().ContainsAnyExcept(HostCharacters) && !lower.Contains("xn--", StringComparison.Ordinal);
        if (!plain && !TryToAscii(lower, out lower))
        {
            return IdentityCodes.BadDomain;
        }
        if (CheckLabels(lower) is { } code)
        {
            return code;
        }
        host = lower;
        return null;
    }

    private static bool TryToAscii(string text, out string ascii)
    {
        ascii = "";
        if (IdentityText.HasLoneSurrogate(text) || HasEmptyLabel(text))
        {
            return false;
        }
        try
        {
            ascii = Idn.GetAscii(IdentityText.Nfc(text)).ToLowerInvariant();
            return !ascii.AsSpan().ContainsAnyExcept(HostCharacters);
        }
        catch (ArgumentException)
        {
            // IdnMapping has no Try form: its refusal is how one learns that a name is no IDN.
            return false;
        }
    }

    private static bool HasEmptyLabel(string text) => text.StartsWith('.') || text.EndsWith('.') || text.Contains("..", StringComparison.Ordinal);

    private static string? CheckLabels(string host)
    {
        if (host.Length > LongestHost)
        {
            return IdentityCodes.BadDomain;
        }
        var labels = 0;
        var numeric = 0;
        var lastNumeric = false;
        foreach (var range in host.AsSpan().Split('.'))
        {
            var label = host.AsSpan(range);
            if (label.IsEmpty || label.Length > LongestLabel || label[0] == '-' || label[^1] == '-' || label.ContainsAnyExcept(HostCharacters))
            {
                return IdentityCodes.BadDomain;
            }
            labels++;
            lastNumeric = IsNumeric(label);
            numeric += lastNumeric ? 1 : 0;
        }
        if (labels == 1)
        {
            return IdentityCodes.SingleLabel;
        }
        // As in the URL standard: a name that ends in a number is an address or nothing (hex and short forms included).
        return lastNumeric ? numeric == labels && labels <= 4 ? IdentityCodes.IpLiteral : IdentityCodes.BadDomain : null;
    }

    private static bool IsNumeric(ReadOnlySpan<char> label) => !label.ContainsAnyExceptInRange('0', '9')
        || (label.StartsWith("0x") && !label[2..].ContainsAnyExcept(HexDigits));

    private static bool LooksLikeIPv6(string text)
    {
        if (text.StartsWith('['))
        {
            return true;
        }
        var first = text.IndexOf(':', StringComparison.Ordinal);
        return first >= 0 && text.IndexOf(':', first + 1) >= 0 && !text.AsSpan().ContainsAnyExcept(IPv6Characters);
    }
}
