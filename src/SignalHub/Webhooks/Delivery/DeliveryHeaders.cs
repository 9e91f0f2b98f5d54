namespace SignalHub.Webhooks.Delivery;

/// <summary>Names of the headers of a delivery, and the rule for those that users choose.</summary>
public static class DeliveryHeaders
{
    public const string WebhookId = "webhook-id";
    public const string WebhookTimestamp = "webhook-timestamp";
    public const string WebhookSignature = "webhook-signature";
    public const string Event = "X-SignalHub-Event";
    public const string Delivery = "X-SignalHub-Delivery";
    public const string Attempt = "X-SignalHub-Attempt";

    /// <summary>Name of the hex signature's header unless the endpoint says otherwise.</summary>
    public const string DefaultSignature = "X-SignalHub-Signature";

    private const int MaxNameLength = 64;

    /// <summary>tchar of RFC 9110 section 5.6.2 beside letters and digits.</summary>
    private const string TokenPunctuation = "!#$%&'*+-.^_`|~";

    /// <summary>Names that steer the connection, or that we set.</summary>
    private static readonly string[] Reserved =
    [
        "Host", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "User-Agent",
        Event, Delivery, Attempt,
    ];

    private static readonly string[] ReservedPrefixes = ["Content-", "Proxy-", "webhook-"];

    /// <summary><c>SignalHub/1.2.3</c>.</summary>
    public static string UserAgent { get; } = "SignalHub/" + typeof(DeliveryHeaders).Assembly.GetName().Version!.ToString(3);

    private static readonly string[] _secretWords = ["authorization", "cookie", "token", "secret", "password", "key"];

    /// <summary>A user's header as the delivery log shows it: what may be a credential is not shown.</summary>
    internal static KeyValuePair<string, string> Shown(KeyValuePair<string, string> header) =>
        MayBeSecret(header.Key) ? new(header.Key, "(not shown)") : header;

    /// <summary>Whether a header's value may be a credential, going by its name.</summary>
    internal static bool MayBeSecret(string name) => _secretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>What is wrong with a header name that a user chose, or null.</summary>
    public static string? ValidateName(string name)
    {
        var isToken = name.All(c => char.IsAsciiLetterOrDigit(c) || TokenPunctuation.Contains(c, StringComparison.Ordinal));
        if (name.Length is 0 or > MaxNameLength || !isToken)
        {
            return $"A header name has 1 to {MaxNameLength} letters, digits and hyphens.";
        }
        return Reserved.Contains(name, StringComparer.OrdinalIgnoreCase)
            || ReservedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            ? $"The header {name} cannot be chosen: it belongs to HTTP or to the delivery itself."
            : null;
    }
}
