namespace SignalHub.Conditions;

/// <summary>
/// Whole-string patterns: <c>*</c> is any run of characters, <c>?</c> is one character; case of A to Z does not matter. Only the
/// last star is ever retried (an earlier one has nothing to gain from taking more), so the work is bounded by text × pattern and
/// never exponential.
/// </summary>
internal static class Glob
{
    public static bool IsMatch(ReadOnlySpan<char> text, ReadOnlySpan<char> pattern)
    {
        var (t, p) = (0, 0);
        var (starAt, retryFrom) = (-1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (starAt, retryFrom) = (p++, t);
            }
            else if (p < pattern.Length && pattern[p] == '?')
            {
                t += CharacterLength(text, t);
                p++;
            }
            else if (p < pattern.Length && AsciiText.Lower(pattern[p]) == AsciiText.Lower(text[t]))
            {
                (t, p) = (t + 1, p + 1);
            }
            else if (starAt >= 0)
            {
                retryFrom += CharacterLength(text, retryFrom);
                (t, p) = (retryFrom, starAt + 1);
            }
            else
            {
                return false;
            }
        }
        return pattern[p..].TrimStart('*').IsEmpty;
    }

    private static int CharacterLength(ReadOnlySpan<char> text, int at) =>
        at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
}
