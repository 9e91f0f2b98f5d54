namespace SignalHub.Conditions;

/// <summary>
/// Text as both back ends see it (PostgreSQL: collation "C"): upper and lower case of A to Z are alike when matching, every other
/// character is only itself, and order is by code point.
/// </summary>
internal static class AsciiText
{
    public static bool EqualsIgnoringCase(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i] && Lower(left[i]) != Lower(right[i]))
            {
                return false;
            }
        }
        return true;
    }

    public static bool Contains(ReadOnlySpan<char> text, ReadOnlySpan<char> part)
    {
        if (part.IsEmpty)
        {
            return true;
        }
        var (lower, upper) = (Lower(part[0]), Upper(part[0]));
        while (text.Length >= part.Length)
        {
            var at = text[..^(part.Length - 1)].IndexOfAny(lower, upper);
            if (at < 0)
            {
                return false;
            }
            if (EqualsIgnoringCase(text.Slice(at, part.Length), part))
            {
                return true;
            }
            text = text[(at + 1)..];
        }
        return false;
    }

    public static bool StartsWith(ReadOnlySpan<char> text, ReadOnlySpan<char> part) =>
        text.Length >= part.Length && EqualsIgnoringCase(text[..part.Length], part);

    public static bool EndsWith(ReadOnlySpan<char> text, ReadOnlySpan<char> part) =>
        text.Length >= part.Length && EqualsIgnoringCase(text[^part.Length..], part);

    /// <summary>Negative, zero or positive by code point, which is also the order of the UTF-8 bytes.</summary>
    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
        {
            return left.Length - right.Length;
        }
        return CodePointRank(left[same]) - CodePointRank(right[same]);
    }

    public static string ToLower(string text) => text.AsSpan().ContainsAnyInRange('A', 'Z')
        ? string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = Lower(source[i]);
            }
        })
        : text;

    /// <summary>Characters as people count them: a surrogate pair is one.</summary>
    public static int CodePoints(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }
        return count;
    }

    public static char Lower(char c) => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;

    private static char Upper(char c) => char.IsAsciiLetterLower(c) ? (char)(c & ~0x20) : c;

    // UTF-16 puts surrogates (code points from U+10000) below U+E000 to U+FFFF; this moves them above.
    private static int CodePointRank(char c) => c < 0xD800 ? c : c >= 0xE000 ? c - 0x800 : c + 0x2000;
}
