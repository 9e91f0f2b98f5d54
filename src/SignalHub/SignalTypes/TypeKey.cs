using System.Text;

namespace SignalHub.SignalTypes;

/// <summary>The key form of a signal type's name: what requests, rows and webhooks call it.</summary>
public static class TypeKey
{
    /// <summary>Longest key, in UTF-16 units.</summary>
    public const int MaxLength = 100;

    // Runs collapse, so a longer text may have a short key; nobody means one that is this much longer.
    private const int LongestSent = 10 * MaxLength;

    /// <summary>
    /// NFC, trimmed, lower-cased (invariant), each run of other than letters and digits one <c>_</c>: <c>Product trial started</c>
    /// becomes <c>product_trial_started</c>. Null if that leaves no letter or digit, or more than 100 characters. Idempotent;
    /// a text that is a key already is answered itself.
    /// </summary>
    public static string? Normalise(string? sent)
    {
        if (sent is null || sent.Length > LongestSent)
        {
            return null;
        }
        return IsAsciiKey(sent) ? sent : Build(Compose(sent).AsSpan().Trim());
    }

    private static bool IsAsciiKey(string text)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return false;
        }
        var hasName = false;
        var previous = '\0';
        foreach (var c in text)
        {
            var isName = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
            if (!isName && (c != '_' || previous == '_'))
            {
                return false;
            }
            hasName |= isName;
            previous = c;
        }
        return hasName;
    }

    private static string Compose(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }
        // Normalisation throws on a lone surrogate; enumerating runes replaces it.
        var valid = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            valid.Append(rune);
        }
        return valid.ToString().Normalize(NormalizationForm.FormC);
    }

    private static string? Build(ReadOnlySpan<char> text)
    {
        var key = new StringBuilder(text.Length);
        var hasName = false;
        var inRun = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune))
            {
                key.Append(Rune.ToLowerInvariant(rune));
                hasName = true;
                inRun = false;
            }
            else if (!inRun)
            {
                key.Append('_');
                inRun = true;
            }
        }
        return hasName && key.Length <= MaxLength ? key.ToString() : null;
    }
}
