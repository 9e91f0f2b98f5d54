using System.Globalization;

namespace SignalHub.Leads.Identity;

/// <summary>
/// What sending tools write when they have no value: words (null, n/a, [object Object]), punctuation alone ("..." in
/// documentation, "-" in spreadsheets) and templates that were never filled in ({{contact.email}}).
/// </summary>
internal static class Fillers
{
    private const int LongestWord = 24;

    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        "null", "(null)", "<null>", "[null]", "undefined", "(undefined)", "none", "(none)", "-none-", "--none--", "n/a", "#n/a", "n.a.", "n.a",
        "not available", "not applicable", "not provided", "not specified", "not set", "(not set)", "not found", "unknown", "(unknown)",
        "[unknown]", "[object object]", "object object", "<nil>", "(blank)", "(empty)", "no email", "no value", "#ref!", "#value!", "#error!",
    };

    // People are called Nan, Na and Nil, so these are fillers only where an identifier is expected.
    private static readonly HashSet<string> IdentifierWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "nan", "na", "nil", "tbd", "empty", "blank", "string", "false", "true", "xxx",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> WordLookup = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> IdentifierLookup =
        IdentifierWords.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly (string Open, string Close)[] Templates =
        [("{{", "}}"), ("${", "}"), ("#{", "}"), ("*|", "|*"), ("<%", "%>"), ("%", "%"), ("[[", "]]"), ("{", "}")];

    /// <summary>An identifier field (already cleaned, not blank) that holds no identifier at all.</summary>
    public static bool IsFiller(ReadOnlySpan<char> text) =>
        IsNameFiller(text) || (text.Length <= LongestWord && IdentifierLookup.Contains(text)) || HasTemplate(text);

    /// <summary>A name that is none.</summary>
    public static bool IsNameFiller(ReadOnlySpan<char> text) =>
        (text.Length <= LongestWord && WordLookup.Contains(text)) || IsPunctuation(text) || IsTemplate(text);

    /// <summary>The word that JavaScript and templates leave where a part of an address was missing.</summary>
    public static bool IsMissingPart(ReadOnlySpan<char> part) =>
        part.Equals("undefined", StringComparison.OrdinalIgnoreCase) || part.Equals("null", StringComparison.OrdinalIgnoreCase);

    public static bool IsPunctuation(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            var mark = char.IsPunctuation(c) || char.IsWhiteSpace(c)
                || char.GetUnicodeCategory(c) is UnicodeCategory.MathSymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.CurrencySymbol;
            if (!mark)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>{{first}}@acme.com, https://linkedin.com/in/${slug}: no identifier has these.</summary>
    private static bool HasTemplate(ReadOnlySpan<char> text) =>
        text.ContainsAny('{', '|') && (text.IndexOf("{{") >= 0 || text.IndexOf("${") >= 0 || text.IndexOf("*|") >= 0);

    private static bool IsTemplate(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || char.IsAsciiLetterOrDigit(text[0]))
        {
            return false;
        }
        foreach (var (open, close) in Templates)
        {
            if (text.Length >= open.Length + close.Length && text.StartsWith(open) && text.EndsWith(close))
            {
                return true;
            }
        }
        return false;
    }
}
