using System.Text;

namespace SignalHub.Leads.Identity;

/// <summary>The form in which names of companies are compared where nothing better is known of one.</summary>
public static class CompanyNameKey
{
    /// <summary>Longest key, in UTF-16 units: compatibility forms can be many times longer than what was sent.</summary>
    public const int MaxLength = 500;

    /// <summary>
    /// NFKC without invisible characters, each run of spaces one, lower-cased (invariant); null when nothing is left or it is too
    /// long. Idempotent. Legal forms stay: "Acme" and "Acme Inc" are often two companies.
    /// </summary>
    public static string? Of(string name)
    {
        var composed = Compose(IdentityText.Nfc(IdentityText.Clean(name)));
        var key = new StringBuilder(composed.Length);
        foreach (var c in composed)
        {
            if (!char.IsWhiteSpace(c))
            {
                key.Append(c);
            }
            else if (key.Length > 0 && key[^1] != ' ')
            {
                key.Append(' ');
            }
        }
        if (key.Length > 0 && key[^1] == ' ')
        {
            key.Length--;
        }
        return key.Length is 0 or > MaxLength ? null : key.ToString();
    }

    // Lower case can have another normal form, and a normal form another case.
    private static string Compose(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text.ToLowerInvariant();
        }
        var folded = text.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        return folded.ToLowerInvariant();
    }
}
