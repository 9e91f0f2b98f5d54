using System.Text;
using System.Text.Json;

namespace SignalHub.Webhooks.Formats;

/// <summary>Text in the form that Slack takes (docs.slack.dev, "Formatting message text", and the limits of its blocks).</summary>
internal static class SlackText
{
    /// <summary>Characters of a section's text, and of the message's own.</summary>
    public const int MaxSection = 3_000;

    /// <summary>Characters of a header, which is plain text.</summary>
    public const int MaxHeader = 150;

    /// <summary>Characters of one value: a message is for reading.</summary>
    private const int MaxValue = 500;

    /// <summary>&amp;, &lt; and &gt; as entities, so that no value can mention a channel or pose as a link; cut where it is longer than wanted.</summary>
    public static string Escape(string text, int most = MaxValue)
    {
        var escaped = new StringBuilder(Math.Min(text.Length + 16, most));
        for (var i = 0; i < text.Length; i++)
        {
            var part = text[i] switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                var c when char.IsHighSurrogate(c) && i + 1 < text.Length => text.Substring(i++, 2),
                var c when char.IsControl(c) && c != '\n' => " ",
                var c => c.ToString(),
            };
            // One place is kept for the sign that something is missing.
            if (escaped.Length + part.Length > most - (i + 1 < text.Length ? 1 : 0))
            {
                return escaped.Append('…').ToString();
            }
            escaped.Append(part);
        }
        return escaped.ToString();
    }

    /// <summary>Plain text on one line, for a header.</summary>
    public static string Plain(string text, int most)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        if (line.Length <= most)
        {
            return line;
        }
        return $"{line.AsSpan(0, char.IsHighSurrogate(line[most - 2]) ? most - 2 : most - 1)}…";
    }

    /// <summary>The value as people read it; null for what is not there, empty or an object.</summary>
    public static string? Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() is { } text && !string.IsNullOrWhiteSpace(text) ? text : null,
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => null,
    };

    /// <summary>The value at a path; null where one step of it is not there.</summary>
    public static string? At(JsonElement from, params ReadOnlySpan<string> path) => Of(Find(from, path));

    public static JsonElement Find(JsonElement from, params ReadOnlySpan<string> path)
    {
        foreach (var step in path)
        {
            if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(step, out from))
            {
                return default;
            }
        }
        return from;
    }
}
