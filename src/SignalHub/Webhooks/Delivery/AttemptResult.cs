namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Why a try failed: <c>delivery_attempts.error_class</c>. The words are part of the API. Beyond the specification's list are
/// <see cref="BrokenResponse"/> and <see cref="InternalError"/>, for which none of its words would be true.
/// </summary>
public static class ErrorClass
{
    public const string DnsError = "dns_error";
    public const string ConnectionRefused = "connection_refused";
    public const string ConnectTimeout = "connect_timeout";
    public const string TlsError = "tls_error";
    public const string Timeout = "timeout";
    public const string BlockedAddress = "blocked_address";
    public const string Redirect = "redirect";
    public const string HttpStatus = "http_status";
    public const string ResponseHeadersTooLarge = "response_headers_too_large";
    public const string TemplateError = "template_error";

    /// <summary>Connected, but the connection broke before the answer was complete, or the answer is not HTTP.</summary>
    public const string BrokenResponse = "broken_response";

    /// <summary>Something on our side: an endpoint's secret that cannot be decrypted, a bug.</summary>
    public const string InternalError = "internal_error";

    public static IReadOnlyList<string> All { get; } =
    [
        DnsError, ConnectionRefused, ConnectTimeout, TlsError, Timeout, BlockedAddress, Redirect, HttpStatus, ResponseHeadersTooLarge,
        TemplateError, BrokenResponse, InternalError,
    ];
}

/// <summary>One HTTP request to make: the frozen body, the address, and what is signed with.</summary>
public sealed record DeliveryRequest
{
    public required string Url { get; init; }

    /// <summary>Over the whole exchange, body of the answer included.</summary>
    public required TimeSpan Timeout { get; init; }

    public required SigningSecrets Secrets { get; init; }

    /// <summary>Name of the header of the hex signature.</summary>
    public required string SignatureHeader { get; init; }

    public required Guid EventId { get; init; }

    public required string EventType { get; init; }

    public required Guid DeliveryId { get; init; }

    /// <summary>From 1 on.</summary>
    public required int Attempt { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Headers of its own, beside those that every delivery has.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = NoHeaders;

    internal static readonly IReadOnlyDictionary<string, string> NoHeaders = new Dictionary<string, string>();
}

/// <summary>What one HTTP try gave; everything bounded and printable, so that it can be stored and shown as it is.</summary>
public sealed record AttemptResult
{
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Null when no complete response head arrived.</summary>
    public int? Status { get; init; }

    /// <summary>One of <see cref="ErrorClass"/> when the exchange itself failed; a complete answer of any status has none.</summary>
    public string? Error { get; init; }

    /// <summary>A sentence for the delivery log.</summary>
    public string? Detail { get; init; }

    /// <summary>The address that was connected to.</summary>
    public string? ResolvedIp { get; init; }

    /// <summary>As sent, signatures included; secrets are in none of them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>>? ResponseHeaders { get; init; }

    /// <summary>The first 16 KB, control characters replaced.</summary>
    public string? Body { get; init; }

    /// <summary>Whether there was more of the body than <see cref="Body"/> shows.</summary>
    public bool Truncated { get; init; }

    /// <summary>Name look-up and TCP connect; null when a pooled connection was used.</summary>
    public double? ConnectMs { get; init; }

    /// <summary>From the start to the complete response head.</summary>
    public double? FirstByteMs { get; init; }

    public double DurationMs { get; init; }

    public string? RetryAfter { get; init; }

    /// <summary>Of a redirect.</summary>
    public string? Location { get; init; }
}
