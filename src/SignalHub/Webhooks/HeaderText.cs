namespace SignalHub.Webhooks;

/// <summary>Headers of a try as they are stored: a line <c>name: value</c> each, of values without line breaks.</summary>
internal static class HeaderText
{
    private const string Separator = ": ";

    public static string Write(IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var length = 0;
        foreach (var (name, value) in headers)
        {
            length += name.Length + Separator.Length + value.Length + 1;
        }
        return string.Create(Math.Max(0, length - 1), headers, static (text, headers) =>
        {
            var end = 0;
            void Append(Span<char> to, ReadOnlySpan<char> part)
            {
                part.CopyTo(to[end..]);
                end += part.Length;
            }
            foreach (var (name, value) in headers)
            {
                if (end > 0)
                {
                    text[end++] = '\n';
                }
                Append(text, name);
                Append(text, Separator);
                Append(text, value);
            }
        });
    }

    /// <summary>An object reads better than a list of pairs; a repeated name's values are joined as HTTP joins them.</summary>
    public static IReadOnlyDictionary<string, string> Read(string text)
    {
        var byName = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var end = line.IndexOf(Separator, StringComparison.Ordinal);
            var (name, value) = end < 0 ? (line, "") : (line[..end], line[(end + Separator.Length)..]);
            byName[name] = byName.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
        }
        return byName;
    }
}
