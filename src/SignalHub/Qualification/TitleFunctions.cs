namespace SignalHub.Qualification;

/// <summary>
/// The field of work in a title: a phrase ("product marketing") before the trade that a person has ("engineer") before the
/// department named ("marketing"), each the first from the left.
/// </summary>
internal static class TitleFunctions
{
    public static string? Of(List<string> words)
    {
        for (var i = 0; i + 1 < words.Count; i++)
        {
            for (var length = Math.Min(3, words.Count - i); length > 1; length--)
            {
                if (TitleTable.FunctionPhrases.TryGetValue(string.Join(' ', words.GetRange(i, length)), out var function))
                {
                    return function;
                }
            }
        }
        return First(words, TitleTable.Trades) ?? First(words, TitleTable.Departments) ?? ByStem(words) ?? First(words, TitleTable.Executives);
    }

    private static string? First(List<string> words, Dictionary<string, string> table)
    {
        foreach (var word in words)
        {
            if (table.TryGetValue(word, out var function))
            {
                return function;
            }
        }
        return null;
    }

    /// <summary>German compounds: Vertriebsleiter, Entwicklungsleiterin, Personalreferent.</summary>
    private static string? ByStem(List<string> words)
    {
        foreach (var word in words)
        {
            foreach (var (stem, function) in TitleTable.Stems)
            {
                if (word.Length > stem.Length && word.StartsWith(stem, StringComparison.Ordinal))
                {
                    return function;
                }
            }
        }
        return null;
    }
}
