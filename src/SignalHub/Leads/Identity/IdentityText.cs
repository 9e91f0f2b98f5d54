using System.Buffers;
using System.Globalization;
using System.Text;

namespace SignalHub.Leads.Identity;

/// <summary>What all identifiers and names share: trimming what cannot be seen, NFC, percent-decoding. Never throws.</summary>
internal static class IdentityText
{
    private static readonly SearchValues<char> VisibleAscii =
        SearchValues.Create(Enumerable.Range(0x21, 0x7E - 0x20).Select(c => (char)c).ToArray());

    /// <summary>
    /// Drops space, controls and invisible characters at both ends, and the invisible ones (zero-width, BOM, soft hyphen,
    /// bidi marks: what spreadsheets and chat programs paste along) everywhere. The same instance when there is nothing to do.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(VisibleAscii))
        {
            return text;
        }
        var start = 0;
        var end = text.Length;
        while (start < end && IsEdge(text[start]))
        {
            start++;
        }
        while (end > start && IsEdge(text[end - 1]))
        {
            end--;
        }
        var span = text.AsSpan(start, end - start);
        if (!HasInvisible(span))
        {
            return span.Length == text.Length ? text : span.ToString();
        }
        var builder = new StringBuilder(span.Length);
        foreach (var c in span)
        {
            if (!IsInvisible(c))
            {
                builder.Append(c);
            }
        }
        // Taking a zero-width character out may leave a space at the edge.
        return Clean(builder.ToString());
    }

    /// <summary>
    /// Trims and composes a name, title or phone number; joiners inside are kept, since Persian and Indic names need them.
    /// Null when nothing is left.
    /// </summary>
    public static string? CleanName(string text)
    {
        var span = text.AsSpan();
        while (!span.IsEmpty && IsEdge(span[0]))
        {
            span = span[1..];
        }
        while (!span.IsEmpty && IsEdge(span[^1]))
        {
            span = span[..^1];
        }
        return span.IsEmpty ? null : Nfc(span.Length == text.Length ? text : span.ToString());
    }

    /// <summary>Unicode space, a control, or a character that shows nothing.</summary>
    public static bool IsEdge(char c) => char.IsWhiteSpace(c) || char.IsControl(c) || IsInvisible(c);

    public static bool HasSpaceOrControl(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c) || char.IsControl(c))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>NFC; text with lone surrogates, which has no normal form, comes back with U+FFFD in their place.</summary>
    public static string Nfc(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }
        var whole = HasLoneSurrogate(text) ? ReplaceLoneSurrogates(text) : text;
        return whole.IsNormalized() ? whole : whole.Normalize();
    }

    public static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                i++;
                continue;
            }
            return true;
        }
        return false;
    }

    /// <summary>Lower case by the invariant culture (a Turkish server must not make other keys), composed again after it.</summary>
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        return ReferenceEquals(lower, text) ? text : Nfc(lower);
    }

    /// <summary>
    /// Percent-decodes once as UTF-8. Bytes that are no UTF-8 become U+FFFD, a % without two hex digits stays: callers refuse both.
    /// </summary>
    public static string PercentDecode(string text) => text.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(text) : text;

    private static bool HasInvisible(ReadOnlySpan<char> span)
    {
        foreach (var c in span)
        {
            if (IsInvisible(c))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsInvisible(char c) => c >= '\u00AD' && (c is '\u034F' or '\u3164' or '\uFFA0' or '\u2800'
        || CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.Format);

    private static string ReplaceLoneSurrogates(string text)
    {
        var builder = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            builder.Append(rune);
        }
        return builder.ToString();
    }
}
