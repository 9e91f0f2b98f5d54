using System.Security.Cryptography;
using System.Text;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// An endpoint's signing secret. The text is what its owner sees and configures; the two signature forms take different keys
/// from it: the hex form the UTF-8 text as shown, prefix included; the <c>v1</c> form the decoded bytes of a
/// <c>whsec_</c> secret (Standard Webhooks) or, for any other secret, its characters.
/// </summary>
public sealed class WebhookSecret
{
    public const string Prefix = "whsec_";

    private const int MinLength = 8;
    private const int MaxLength = 256;

    // Standard Webhooks, "Signature scheme": between 24 and 64 bytes.
    private const int MinKeyBytes = 24;
    private const int MaxKeyBytes = 64;
    private const int NewKeyBytes = 32;

    private WebhookSecret(string text, byte[] key)
    {
        Text = text;
        V1Key = key;
        TextKey = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The secret as its owner sees it.</summary>
    public string Text { get; }

    internal byte[] V1Key { get; }

    internal byte[] TextKey { get; }

    /// <summary><c>whsec_</c> and the base64 of 32 random bytes.</summary>
    public static WebhookSecret New()
    {
        var key = RandomNumberGenerator.GetBytes(NewKeyBytes);
        return new WebhookSecret(Prefix + Convert.ToBase64String(key), key);
    }

    /// <summary>What is wrong with a secret that somebody chose, in a sentence that does not repeat it; null when it can be used.</summary>
    public static string? Validate(string text)
    {
        if (text.Length is < MinLength or > MaxLength)
        {
            return $"A secret has {MinLength} to {MaxLength} characters.";
        }
        if (text.Any(c => c is < ' ' or > '~'))
        {
            return "A secret consists of printable ASCII characters.";
        }
        if (text.StartsWith(Prefix, StringComparison.Ordinal) && Decode(text) is null)
        {
            return $"What follows {Prefix} has to be the base64 of {MinKeyBytes} to {MaxKeyBytes} bytes.";
        }
        return null;
    }

    /// <summary>A secret that passed <see cref="Validate"/>; anything else is a bug.</summary>
    public static WebhookSecret Parse(string text) => Validate(text) is { } problem
        ? throw new ArgumentException(problem, nameof(text))
        : new WebhookSecret(text, Decode(text) ?? Encoding.ASCII.GetBytes(text));

    /// <summary>Never the secret: this may end up in a log.</summary>
    public override string ToString() => "WebhookSecret(…)";

    private static byte[]? Decode(string text)
    {
        // Space inside base64 is skipped by .NET and refused by other verifiers.
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Contains(' ', StringComparison.Ordinal))
        {
            return null;
        }
        var buffer = new byte[MaxLength];
        return Convert.TryFromBase64Chars(text.AsSpan(Prefix.Length), buffer, out var length) && length is >= MinKeyBytes and <= MaxKeyBytes
            ? buffer[..length]
            : null;
    }
}

/// <summary>
/// The secrets of one endpoint: the current one, and during a rotation's grace the one before it.
/// </summary>
/// <param name="PreviousUntil">When the grace ends; null with a previous secret means it has ended.</param>
public sealed record SigningSecrets(WebhookSecret Current, WebhookSecret? Previous = null, DateTimeOffset? PreviousUntil = null)
{
    /// <summary>The previous secret while its grace lasts, else null.</summary>
    public WebhookSecret? LivePrevious(DateTimeOffset now) => PreviousUntil > now ? Previous : null;
}
