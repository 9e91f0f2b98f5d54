using System.Buffers;

namespace SignalHub.Leads.Identity;

/// <summary>Finds the one address in what people and tools put into an e-mail field.</summary>
internal static class EmailAddressText
{
    private const string MailTo = "mailto:";

    private static readonly SearchValues<char> Separators = SearchValues.Create(",;| \t\r\n/");

    /// <summary>
    /// Unwraps <c>mailto:</c>, <c>Name &lt;a@b&gt;</c> and <c>a@b (Name)</c>. Gives the bare address and where its @ stands, or
    /// the code why there is not exactly one.
    /// </summary>
    public static string? Find(string cleaned, out string address, out int at)
    {
        at = -1;
        if (Unwrap(cleaned, out address) is { } wrapped)
        {
            return wrapped;
        }
        if (address.Length == 0)
        {
            return IdentityCodes.Missing;
        }
        if (Fillers.IsFiller(address))
        {
            return IdentityCodes.Placeholder;
        }
        at = UnquotedIndexOf(address, "@", 0);
        if (at < 0)
        {
            // Japanese input methods give a full-width @; only a lone one is taken for the real thing.
            var wide = address.AsSpan().IndexOfAny('\uFF20', '\uFE6B');
            if (wide < 0)
            {
                return address.Contains('@', StringComparison.Ordinal) ? IdentityCodes.BadLocal : IdentityCodes.NoAtSign;
            }
            address = string.Concat(address.AsSpan(0, wide), "@", address.AsSpan(wide + 1));
            at = wide;
        }
        var second = UnquotedIndexOf(address, "@", at + 1);
        if (second < 0)
        {
            return null;
        }
        return address.AsSpan(at + 1, second - at - 1).ContainsAny(Separators) ? IdentityCodes.MultipleAddresses : IdentityCodes.BadLocal;
    }

    private static string? Unwrap(string text, out string address)
    {
        address = WithoutQuotes(TrimSeparators(WithoutMailTo(text)));
        if (!address.EndsWith('>'))
        {
            address = WithoutComment(address);
            return null;
        }
        var open = UnquotedIndexOf(address, "<", 0);
        if (open < 0)
        {
            return IdentityCodes.BadLocal;
        }
        if (UnquotedIndexOf(address, "<", open + 1) >= 0)
        {
            return IdentityCodes.MultipleAddresses;
        }
        var display = address.AsSpan(0, open).Trim();
        var inner = TrimSeparators(WithoutMailTo(address[(open + 1)..^1].Trim()));
        // Some mail programs repeat the address as the name; any other address there makes two.
        var named = display.Trim("'()");
        if (UnquotedIndexOf(display, "@", 0) >= 0 && !named.Equals(inner, StringComparison.OrdinalIgnoreCase))
        {
            return IdentityCodes.MultipleAddresses;
        }
        address = inner;
        return null;
    }

    private static string WithoutMailTo(string text)
    {
        if (!text.StartsWith(MailTo, StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }
        var rest = text[MailTo.Length..];
        var query = rest.IndexOf('?', StringComparison.Ordinal);
        return IdentityText.Clean(IdentityText.PercentDecode(query < 0 ? rest : rest[..query]));
    }

    /// <summary>'jane@acme.com' and "jane@acme.com", as CSV exports leave them: no domain ends in a quote.</summary>
    private static string WithoutQuotes(string text) =>
        text.Length > 2 && text[0] is '"' or '\'' && text[0] == text[^1] && text.IndexOf(text[0], 1) == text.Length - 1
            ? IdentityText.Clean(text[1..^1])
            : text;

    /// <summary>Drops the commas and semicolons that a list of one leaves behind.</summary>
    private static string TrimSeparators(string text) => text.Length > 0 && (IsSeparator(text[0]) || IsSeparator(text[^1]))
        ? IdentityText.Clean(text.Trim(',', ';', ' '))
        : text;

    private static bool IsSeparator(char c) => c is ',' or ';';

    private static string WithoutComment(string text)
    {
        if (!text.EndsWith(')'))
        {
            return text;
        }
        var open = UnquotedIndexOf(text, "(", 0);
        return open > 0 && !text.AsSpan(open).Contains('@') ? text[..open].TrimEnd() : text;
    }

    /// <summary>The first of these characters outside of a quoted string (RFC 5322 3.2.4), from that position; -1 if none.</summary>
    private static int UnquotedIndexOf(ReadOnlySpan<char> text, ReadOnlySpan<char> any, int from)
    {
        if (text.IndexOf('"') < 0)
        {
            var found = from > text.Length ? -1 : text[from..].IndexOfAny(any);
            return found < 0 ? -1 : found + from;
        }
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (quoted && text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && i >= from && any.Contains(text[i]))
            {
                return i;
            }
        }
        return -1;
    }
}
