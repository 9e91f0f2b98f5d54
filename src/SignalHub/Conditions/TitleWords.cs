using System.Globalization;
using System.Text;

namespace SignalHub.Conditions;

/// <summary>
/// The entries of <c>title_matches</c>. A title is normalised to its words: accents dropped, lower case, everything that is
/// neither letter nor digit separates. An entry matches when each of its words occurs, in any order and place. The title is
/// walked once, whatever the number of entries.
/// </summary>
internal sealed class TitleWords
{
    private readonly Dictionary<string, int> _words = new(StringComparer.OrdinalIgnoreCase);
    private readonly int[][] _entries;

    public TitleWords(IEnumerable<string> entries)
    {
        _entries = [.. entries.Select(WordsOf).Where(words => words.Length > 0)];
    }

    public bool Matches(ReadOnlySpan<char> title)
    {
        var text = Ascii.IsValid(title) ? title : Fold(title.ToString());
        var lookup = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        // A condition has at most 4,096 characters, so at most 2,048 words.
        Span<bool> seen = stackalloc bool[_words.Count];
        while (NextWord(ref text) is { IsEmpty: false } word)
        {
            if (lookup.TryGetValue(word, out var index))
            {
                seen[index] = true;
            }
        }
        foreach (var entry in _entries)
        {
            if (AllSeen(entry, seen))
            {
                return true;
            }
        }
        return false;
    }

    private static bool AllSeen(int[] entry, ReadOnlySpan<bool> seen)
    {
        foreach (var word in entry)
        {
            if (!seen[word])
            {
                return false;
            }
        }
        return true;
    }

    private int[] WordsOf(string entry)
    {
        var text = Fold(entry).AsSpan();
        var indexes = new List<int>();
        while (NextWord(ref text) is { IsEmpty: false } word)
        {
            var key = word.ToString();
            if (!_words.TryGetValue(key, out var index))
            {
                _words.Add(key, index = _words.Count);
            }
            indexes.Add(index);
        }
        return [.. indexes];
    }

    private static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> text)
    {
        var start = 0;
        while (start < text.Length && !char.IsLetterOrDigit(text[start]))
        {
            start++;
        }
        var end = start;
        while (end < text.Length && char.IsLetterOrDigit(text[end]))
        {
            end++;
        }
        var word = text[start..end];
        text = text[end..];
        return word;
    }

    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var rune in WellFormed(text).Normalize(NormalizationForm.FormKD).EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark)
            {
                folded.Append(Rune.ToLowerInvariant(rune).ToString());
            }
        }
        return folded.ToString();
    }

    // Normalize throws on halves of surrogate pairs; enumerating runes replaces them.
    private static string WellFormed(string text)
    {
        var runes = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            runes.Append(rune.ToString());
        }
        return runes.ToString();
    }
}
