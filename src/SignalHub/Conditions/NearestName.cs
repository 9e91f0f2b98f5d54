namespace SignalHub.Conditions;

/// <summary>"Did you mean": the known name within a typing mistake or two of the given one.</summary>
internal static class NearestName
{
    private const int LongestName = 64;

    /// <summary>The closest candidate at most two edits away (one for names of up to four letters), or null.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length > LongestName)
        {
            return null;
        }
        string? best = null;
        var allowed = name.Length <= 4 ? 1 : 2;
        foreach (var candidate in candidates)
        {
            var distance = Distance(name, candidate);
            if (distance <= allowed && candidate.Length > distance)
            {
                best = candidate;
                allowed = distance - 1;
            }
        }
        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), ignoring case.</summary>
    private static int Distance(string from, string to)
    {
        Span<int> before = stackalloc int[to.Length + 1];
        Span<int> previous = stackalloc int[to.Length + 1];
        Span<int> current = stackalloc int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            previous[j] = j;
        }
        for (var i = 1; i <= from.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var cost = AsciiText.Lower(from[i - 1]) == AsciiText.Lower(to[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1] + 1, previous[j] + 1), previous[j - 1] + cost);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    current[j] = Math.Min(current[j], before[j - 2] + 1);
                }
            }
            previous.CopyTo(before);
            current.CopyTo(previous);
        }
        return previous[to.Length];
    }
}
