namespace SignalHub.Leads.Identity;

/// <summary>A URL or bare host cut into its parts, leniently: System.Uri refuses or repairs too much of what people paste.</summary>
/// <param name="HasScheme">There was <c>scheme:</c> with slashes, or a leading <c>//</c>.</param>
/// <param name="Authority">User, host and port as written.</param>
/// <param name="Path">What follows, up to query or fragment, slashes forward.</param>
internal readonly record struct UrlText(bool HasScheme, string Authority, string Path)
{
    /// <summary>There is more than slashes after the host.</summary>
    public bool HasPath => Path.AsSpan().ContainsAnyExcept('/');

    public static UrlText Split(string text)
    {
        var rest = WithoutScheme(text, out var hasScheme);
        var end = rest.IndexOfAny('?', '#');
        rest = end < 0 ? rest : rest[..end];
        var slash = rest.IndexOfAny('/', '\\');
        var authority = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? "" : rest[slash..].ToString();
        return new UrlText(
            hasScheme,
            authority.Length == text.Length ? text : authority.ToString(),
            path.Contains('\\', StringComparison.Ordinal) ? path.Replace('\\', '/') : path);
    }

    /// <summary>Percent-decodes once, drops user and port. False when what should be a port is none.</summary>
    public static bool TryHost(string authority, out string host)
    {
        var decoded = IdentityText.PercentDecode(authority);
        var text = decoded.EndsWith('>') && decoded.LastIndexOf('<') is >= 0 and var open
            ? decoded.AsSpan((open + 1)..(decoded.Length - 1))
            : decoded.AsSpan();
        text = text[(text.LastIndexOf('@') + 1)..];
        var colon = text.LastIndexOf(':');
        // A second colon is an IPv6 address, with or without brackets: left whole for HostName to name it.
        if (colon >= 0 && !text.StartsWith("[") && text.IndexOf(':') == colon)
        {
            if (text[(colon + 1)..].ContainsAnyExceptInRange('0', '9'))
            {
                host = "";
                return false;
            }
            text = text[..colon];
        }
        host = IdentityText.Clean(text.Length == decoded.Length ? decoded : text.ToString());
        return true;
    }

    private static ReadOnlySpan<char> WithoutScheme(string text, out bool hasScheme)
    {
        var span = text.AsSpan();
        var colon = span.IndexOf(':');
        if (colon > 0 && char.IsAsciiLetter(span[0]) && IsScheme(span[..colon]))
        {
            var after = span[(colon + 1)..];
            var scheme = span[..colon];
            var web = scheme.Equals("http", StringComparison.OrdinalIgnoreCase) || scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
            var mail = scheme.Equals("mailto", StringComparison.OrdinalIgnoreCase);
            if (web || mail || after.StartsWith("//"))
            {
                hasScheme = true;
                return after.TrimStart("/\\");
            }
        }
        hasScheme = span.StartsWith("//") || span.StartsWith(@"\\");
        return hasScheme ? span.TrimStart("/\\") : span;
    }

    private static bool IsScheme(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }
        return true;
    }
}
