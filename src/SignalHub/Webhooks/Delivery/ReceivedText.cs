using System.Net.Http.Headers;
using System.Text;

namespace SignalHub.Webhooks.Delivery;

/// <summary>What a receiver sent, made fit to be stored and shown: bounded, printable, without what is not ours to keep.</summary>
internal static class ReceivedText
{
    /// <summary>Bytes of the answer's body that the delivery log keeps.</summary>
    public const int MaxBody = 16 * 1024;

    private const int MaxHeaders = 64;
    private const int MaxHeaderValue = 1_024;
    private const char Replacement = '\uFFFD';

    /// <summary>A receiver's session is its secret, and of no use in a log.</summary>
    private static readonly string[] Redacted = ["Set-Cookie", "Authorization", "Proxy-Authenticate", "WWW-Authenticate"];

    public static string Body(ReadOnlySpan<byte> bytes)
    {
        var kept = bytes[..Math.Min(bytes.Length, MaxBody)];
        return Printable(Encoding.UTF8.GetString(kept), keepLines: true);
    }

    /// <summary>At most 64 headers with values of at most 1,024 characters, in the order received.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Headers(HttpResponseMessage response)
    {
        var headers = new List<KeyValuePair<string, string>>();
        Add(headers, response.Headers.NonValidated);
        Add(headers, response.Content.Headers.NonValidated);
        return headers;
    }

    /// <summary>One line of at most that many characters.</summary>
    public static string Line(string text, int maxLength) =>
        Printable(text.Length > maxLength ? text[..maxLength] : text, keepLines: false);

    private static void Add(List<KeyValuePair<string, string>> headers, HttpHeadersNonValidated received)
    {
        foreach (var (name, values) in received)
        {
            if (headers.Count >= MaxHeaders)
            {
                return;
            }
            var isRedacted = Redacted.Contains(name, StringComparer.OrdinalIgnoreCase);
            headers.Add(new(Line(name, MaxHeaderValue), isRedacted ? "(redacted)" : Line(values.ToString(), MaxHeaderValue)));
        }
    }

    /// <summary>PostgreSQL cannot store U+0000, terminals act on the other controls, and half a surrogate pair is not UTF-8.</summary>
    private static string Printable(string text, bool keepLines)
    {
        if (IsPlain(text))
        {
            return text;
        }
        var printable = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isLine = keepLines && rune.Value is ('\n' or '\r' or '\t');
            printable.Append(Rune.IsControl(rune) && !isLine ? Replacement.ToString() : rune.ToString());
        }
        return printable.ToString();
    }

    private static bool IsPlain(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c))
            {
                return false;
            }
        }
        return true;
    }
}
