namespace SignalHub.Qualification;

/// <summary>The rank in a title: the highest that any part of it claims, once helpers and owners of things are told apart.</summary>
internal static class TitleSeniority
{
    public static string? Of(List<string> words)
    {
        if (IsHelper(words))
        {
            return TitleTable.Individual;
        }
        var best = int.MaxValue;
        for (var i = 0; i < words.Count; i++)
        {
            var rank = RankAt(words, ref i);
            best = Math.Min(best, rank ?? int.MaxValue);
        }
        return best == int.MaxValue ? null : TitleTable.Ranks[best];
    }

    /// <summary>The rank that begins at that word; phrases of three and two words before single ones.</summary>
    private static int? RankAt(List<string> words, ref int i)
    {
        for (var length = Math.Min(3, words.Count - i); length > 1; length--)
        {
            if (TitleTable.RankPhrases.TryGetValue(string.Join(' ', words.GetRange(i, length)), out var phrase))
            {
                i += length - 1;
                return phrase;
            }
        }
        var word = words[i];
        if (TitleTable.RankWords.TryGetValue(word, out var rank))
        {
            return rank;
        }
        return word switch
        {
            "owner" or "owners" => IsOwnerOfTheCompany(words, i) ? TitleTable.Rank("founder") : TitleTable.Rank("ic"),
            "partner" or "socio" or "associe" => Alone(words, i) ? TitleTable.Rank("c_level") : null,
            "md" or "gm" => i == 0 ? TitleTable.Rank(word == "md" ? "c_level" : "manager") : null,
            "chief" => TitleTable.Rank("c_level"),
            "president" or "prasident" or "presidente" => TitleTable.Rank("c_level"),
            // "Team Lead", "Engineering Lead" lead people; "Lead Engineer" and "Tech Lead" are senior in their craft.
            "lead" => i > 0 && i == LastOfPart(words, i) && words[i - 1] != "tech" && words[i - 1] != "technical"
                ? TitleTable.Rank("manager")
                : TitleTable.Rank("senior"),
            _ => ByEnding(word),
        };
    }

    /// <summary>German compounds: Vertriebsleiterin, Abteilungsleiter.</summary>
    private static int? ByEnding(string word) => word.Length > 7 && (word.EndsWith("leiter", StringComparison.Ordinal)
        || word.EndsWith("leiterin", StringComparison.Ordinal) || word.EndsWith("leitung", StringComparison.Ordinal))
            ? TitleTable.Rank("head")
            : null;

    /// <summary>An assistant, intern or student, whoever they work for. "Assistant Vice President" is none: the rank follows.</summary>
    private static bool IsHelper(List<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var last = i == LastOfPart(words, i);
            var helps = TitleTable.Helpers.Contains(words[i]) && (last || TitleTable.Genitives.Contains(words[i + 1]));
            var begins = TitleTable.Beginners.Contains(words[i]) && (last || i == 0);
            if (helps || begins)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>"Owner", "Business Owner", "Co-Owner", "Owner and CEO"; not "Product Owner" or "Process Owner".</summary>
    private static bool IsOwnerOfTheCompany(List<string> words, int i) =>
        i == 0
        || words[i - 1] is TitleTable.Break or "co" or "business" or "company" or "small" or "sole" or "franchise" or "shop" or "store"
            or "part";

    private static bool Alone(List<string> words, int i) =>
        (i == 0 || words[i - 1] == TitleTable.Break) && i == LastOfPart(words, i);

    private static int LastOfPart(List<string> words, int i)
    {
        while (i + 1 < words.Count && words[i + 1] != TitleTable.Break)
        {
            i++;
        }
        return i;
    }
}
