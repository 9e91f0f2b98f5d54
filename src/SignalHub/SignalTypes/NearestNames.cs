namespace SignalHub.SignalTypes;

/// <summary>The few candidates closest to a name; a candidate that cannot be among them any more costs next to nothing.</summary>
internal sealed class NearestNames(string name, int count)
{
    // "trial" is what was meant by "trial_started" sooner than "trail" is, but shorter pieces are in everything.
    private const int ShortestPart = 4;
    private const int DistanceOfPart = 2;

    private readonly List<(int Distance, string Key)> _best = new(count + 1);

    public IReadOnlyList<string> Keys => [.. _best.Select(b => b.Key)];

    /// <summary>A candidate by one of its names, each at most <see cref="TypeKey.MaxLength"/> long.</summary>
    public void Offer(string key, string candidate)
    {
        var limit = _best.Count < count ? TypeKey.MaxLength : _best[^1].Distance;
        var distance = Distance(candidate, limit);
        var known = _best.FindIndex(b => b.Key == key);
        if (distance > limit || (known >= 0 && _best[known].Distance <= distance))
        {
            return;
        }
        if (known >= 0)
        {
            _best.RemoveAt(known);
        }
        var at = _best.FindIndex(b => b.Distance > distance || (b.Distance == distance && string.CompareOrdinal(b.Key, key) > 0));
        _best.Insert(at < 0 ? _best.Count : at, (distance, key));
        if (_best.Count > count)
        {
            _best.RemoveAt(count);
        }
    }

    private int Distance(string candidate, int limit)
    {
        var isPart = Math.Min(name.Length, candidate.Length) >= ShortestPart
            && (candidate.Contains(name, StringComparison.Ordinal) || name.Contains(candidate, StringComparison.Ordinal));
        return isPart && candidate.Length != name.Length ? DistanceOfPart : EditDistance(name, candidate, limit);
    }

    /// <summary>Insertions, deletions and replacements that make one of the other; more than the limit is answered as limit + 1.</summary>
    internal static int EditDistance(string from, string to, int limit)
    {
        if (Math.Abs(from.Length - to.Length) > limit)
        {
            return limit + 1;
        }
        Span<int> row = stackalloc int[TypeKey.MaxLength + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            row[j] = j;
        }
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            var least = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
                least = Math.Min(least, row[j]);
            }
            if (least > limit)
            {
                return limit + 1;
            }
        }
        return Math.Min(row[to.Length], limit + 1);
    }
}
