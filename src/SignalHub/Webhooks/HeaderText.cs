using System.Text;

namespace SignalHub.Webhooks;

/// <summary>Headers of a try as they are stored: a line <c>name: value</c> each, of values without line breaks.</summary>
internal static class HeaderText
{
    private const string Separator = ": ";

    public static string Write(IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var text = new StringBuilder(headers.Count * 48);
        foreach (var (name, value) in headers)
        {
            text.Append(text.Length > 0 ? "\n" : "").Append(name).Append(Separator).Append(value);
        }
        return text.ToString();
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
