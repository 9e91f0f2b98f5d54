using System.Text;

namespace SignalHub.Qualification;

/// <summary>What a job title says about rank and field of work; null where it says nothing that the table knows.</summary>
/// <param name="Seniority">founder, c_level, vp, head, director, manager, senior or ic.</param>
/// <param name="Function">One of <see cref="TitleTable.Functions"/>.</param>
/// <param name="TableVersion">The version of the table that decided; grows with every change of an answer.</param>
public sealed record TitleClass(string? Seniority, string? Function, int TableVersion);

/// <summary>
/// Maps job titles to seniority and function by a built-in, versioned table (English; the common German, French, Spanish,
/// Italian and Portuguese titles). Pure: the same title and version give the same answer.
/// </summary>
public static class Titles
{
    /// <summary>Of the table; kept with each stored qualification.</summary>
    public const int Version = 1;

    // A title is a line on a business card; what stands behind 200 characters is somebody's biography.
    private const int LongestTitle = 200;

    private const int MostWords = 24;

    private static readonly TitleClass Nothing = new(null, null, Version);

    /// <summary>Total: any text, also null, gives an answer.</summary>
    public static TitleClass Classify(string? title)
    {
        if (string.IsNullOrWhiteSpace(title))
        {
            return Nothing;
        }
        var words = Words(title.Length > LongestTitle ? title[..LongestTitle] : title);
        if (words.Count == 0 || IsFiller(words))
        {
            return Nothing;
        }
        var own = OwnWords(words);
        var function = TitleFunctions.Of(own);
        var seniority = TitleSeniority.Of(own) ?? (function is null ? null : TitleTable.Individual);
        return seniority is null && function is null ? Nothing : new TitleClass(seniority, function, Version);
    }

    /// <summary>
    /// Lower-case words without accents; "co-founder" and "vice-president" come apart, "R&amp;D" and "C.T.O." stay one word. A comma,
    /// slash, ampersand, dash or bracket between words is a word of its own, <see cref="TitleTable.Break"/>.
    /// </summary>
    private static List<string> Words(string title)
    {
        var words = new List<string>(8);
        var word = new StringBuilder(24);
        foreach (var c in Decompose(title))
        {
            if (char.IsLetterOrDigit(c) || (c == '+' && word.Length > 0))
            {
                word.Append(char.ToLowerInvariant(c));
            }
            else if (c is '.' or '\'' or '\u2019' || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.NonSpacingMark)
            {
                // C.T.O., Sr., CEO's, é: no end of a word.
            }
            else
            {
                Flush(words, word);
                if (c is not '-' && !char.IsWhiteSpace(c) && words.Count > 0 && words[^1] != TitleTable.Break)
                {
                    words.Add(TitleTable.Break);
                }
            }
            if (words.Count >= MostWords)
            {
                break;
            }
        }
        Flush(words, word);
        return words;
    }

    private static string Decompose(string title)
    {
        if (Ascii.IsValid(title))
        {
            return title;
        }
        var clean = new StringBuilder(title.Length);
        foreach (var rune in title.EnumerateRunes())
        {
            clean.Append(rune);
        }
        return clean.ToString().Normalize(NormalizationForm.FormKD);
    }

    private static void Flush(List<string> words, StringBuilder word)
    {
        if (word.Length > 0)
        {
            words.Add(word.ToString());
            word.Clear();
        }
    }

    private static bool IsFiller(List<string> words) =>
        words.Count <= 3 && TitleTable.Fillers.Contains(string.Join(' ', words.Where(w => w != TitleTable.Break)));

    /// <summary>
    /// The words about the person: what follows "to" or "office of" is somebody else's title ("Executive Assistant to the CEO"),
    /// and so is a possessive in front ("CEO's assistant" is found by its last word).
    /// </summary>
    private static List<string> OwnWords(List<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var other = (i > 0 && TitleTable.Towards.Contains(words[i]))
                || (words[i] == "office" && i + 1 < words.Count && words[i + 1] is "of");
            if (other)
            {
                return words[..i];
            }
        }
        return words;
    }
}
