using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Makes the HTTP tries: the only place an outgoing byte comes from. No redirects, no cookies, no proxy, no decompression;
/// one timeout over connect, send and the whole answer; everything of the answer is bounded. Whatever the receiver does, the
/// outcome is a value.
/// </summary>
public sealed class WebhookSender : IDisposable
{
    /// <summary>Bytes of an answer's body that are read; a receiver that sends more has been heard.</summary>
    private const int MaxBodyRead = 64 * 1024;

    /// <summary>Of a response head. Real ones are below 4 KB.</summary>
    private const int MaxResponseHeadersKb = 16;

    private const int MaxDetail = 500;

    /// <summary>URLs whose check is remembered; a few thousand are a megabyte. Beyond that the memory starts anew.</summary>
    private const int MaxChecked = 5_000;

    /// <summary>Idle connections cost the receiver; bursts come again within this.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpMessageInvoker _http;
    private readonly OutboundGuard _guard;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, (Uri? Uri, string? Problem)> _checked = new(StringComparer.Ordinal);

    public WebhookSender(OutboundGuard guard, IOptions<WebhookOptions> options, TimeProvider clock, ResolveHost resolve)
        : this(guard, options.Value, clock, resolve, trust: null)
    {
    }

    /// <param name="trust">Null: the system's rules. Tests pass their own, to have TLS without touching the machine's store.</param>
    internal WebhookSender(
        OutboundGuard guard, WebhookOptions options, TimeProvider clock, ResolveHost resolve, RemoteCertificateValidationCallback? trust)
    {
        _guard = guard;
        _clock = clock;
        var connector = new GuardedConnector(guard, resolve, options.ConnectTimeout, clock);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = connector.ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = options.ConnectionLifetime,
            PooledConnectionIdleTimeout = IdleTimeout,
            MaxResponseHeadersLength = MaxResponseHeadersKb,
            // What we did not read of a body we do not want: close instead of reading on for up to a megabyte.
            MaxResponseDrainSize = 0,
            // No traceparent to strangers.
            ActivityHeadersPropagator = null,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = trust },
        });
    }

    /// <summary>One try. Cancelling it (the process stops) throws; everything else is a result.</summary>
    public async Task<AttemptResult> SendAsync(DeliveryRequest delivery, CancellationToken cancellationToken)
    {
        var exchange = new Exchange(_clock.GetUtcNow(), _clock.GetTimestamp());
        var (uri, problem) = Check(delivery.Url);
        if (problem is not null)
        {
            return Failed(exchange, ErrorClass.BlockedAddress, problem);
        }
        using var request = Request(delivery, uri, exchange);
        using var timeout = new CancellationTokenSource(delivery.Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        AttemptTrace.Current.Value = exchange.Trace;
        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            exchange.Answered(response, _clock);
            await ReadBodyAsync(exchange, response, either.Token);
            return Result(exchange);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is HttpRequestException or IOException or OperationCanceledException)
        {
            var (error, detail) = timeout.IsCancellationRequested ? TimedOut(exchange, delivery.Timeout) : Classify(e);
            return Failed(exchange, error, detail);
        }
        finally
        {
            AttemptTrace.Current.Value = null;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The guard's settings are those of the process: what it said of a URL holds as long as it runs.</summary>
    private (Uri? Uri, string? Problem) Check(string url)
    {
        if (_checked.TryGetValue(url, out var known))
        {
            return known;
        }
        var problem = _guard.CheckUrl(url);
        if (_checked.Count >= MaxChecked)
        {
            _checked.Clear();
        }
        return _checked[url] = (problem is null ? new Uri(url) : null, problem);
    }

    private static HttpRequestMessage Request(DeliveryRequest delivery, Uri? uri, Exchange exchange)
    {
        var eventId = Ids.Text(Ids.Event, delivery.EventId);
        var signature = WebhookSigner.Sign(delivery.Secrets, eventId, exchange.StartedAt, delivery.Body.Span);
        KeyValuePair<string, string>[] headers =
        [
            new("User-Agent", DeliveryHeaders.UserAgent),
            new(DeliveryHeaders.WebhookId, eventId),
            new(DeliveryHeaders.WebhookTimestamp, signature.Timestamp),
            new(DeliveryHeaders.WebhookSignature, signature.V1),
            new(delivery.SignatureHeader, signature.Hex),
            new(DeliveryHeaders.Event, delivery.EventType),
            new(DeliveryHeaders.Delivery, Ids.Text(Ids.Delivery, delivery.DeliveryId)),
            new(DeliveryHeaders.Attempt, delivery.Attempt.ToString(CultureInfo.InvariantCulture)),
        ];
        var content = new ReadOnlyMemoryContent(delivery.Body);
        content.Headers.ContentType = Json;
        var request = new HttpRequestMessage(HttpMethod.Post, uri)
        {
            Content = content,
            // https: whatever ALPN gives; http: 1.1.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        request.Options.Set(GuardedConnector.TraceKey, exchange.Trace);
        exchange.RequestHeaders = [new("Content-Type", "application/json"), .. headers];
        return request;
    }

    private static async Task ReadBodyAsync(Exchange exchange, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBodyRead);
        var length = 0;
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            int read;
            while (length < MaxBodyRead
                && (read = await stream.ReadAsync(buffer.AsMemory(length, MaxBodyRead - length), cancellationToken)) > 0)
            {
                length += read;
            }
        }
        finally
        {
            // What came before a break is shown too: it often says why.
            exchange.Body = ReceivedText.Body(buffer.AsSpan(0, length));
            exchange.Truncated = length > ReceivedText.MaxBody;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (string Error, string Detail) TimedOut(Exchange exchange, TimeSpan timeout) =>
        exchange.Trace.RemoteAddress is null
            ? (ErrorClass.ConnectTimeout, $"No connection within {timeout.TotalSeconds:0.#} s.")
            : (ErrorClass.Timeout, exchange.Status is null
                ? $"No answer within {timeout.TotalSeconds:0.#} s."
                : $"The answer was not complete within {timeout.TotalSeconds:0.#} s.");

    private static (string Error, string Detail) Classify(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case ConnectFailedException failed:
                    return (failed.ErrorClass, failed.Message);
                case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                    return (ErrorClass.ResponseHeadersTooLarge, $"The head of the answer is longer than {MaxResponseHeadersKb} KB.");
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    return (ErrorClass.TlsError, Innermost(e));
                case OperationCanceledException:
                    return (ErrorClass.ConnectTimeout, "The TLS handshake did not end in time.");
            }
        }
        return (ErrorClass.BrokenResponse, Innermost(exception));
    }

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner and not CryptographicException)
        {
            exception = inner;
        }
        return ReceivedText.Line(exception.Message, MaxDetail);
    }

    private AttemptResult Failed(Exchange exchange, string error, string detail) =>
        Result(exchange) with { Error = error, Detail = detail };

    private AttemptResult Result(Exchange exchange) => new()
    {
        StartedAt = exchange.StartedAt,
        Status = exchange.Status,
        ResolvedIp = exchange.Trace.RemoteAddress,
        RequestHeaders = exchange.RequestHeaders,
        ResponseHeaders = exchange.ResponseHeaders,
        Body = exchange.Body,
        Truncated = exchange.Truncated,
        ConnectMs = exchange.Trace.ConnectTime?.TotalMilliseconds,
        FirstByteMs = exchange.FirstByte?.TotalMilliseconds,
        DurationMs = _clock.GetElapsedTime(exchange.StartTicks).TotalMilliseconds,
        RetryAfter = exchange.RetryAfter,
        Location = exchange.Location,
    };

    /// <summary>What is known of a try while it goes on.</summary>
    private sealed class Exchange(DateTimeOffset startedAt, long startTicks)
    {
        public DateTimeOffset StartedAt { get; } = startedAt;

        public long StartTicks { get; } = startTicks;

        public AttemptTrace Trace { get; } = new();

        public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; set; } = [];

        public int? Status { get; private set; }

        public IReadOnlyList<KeyValuePair<string, string>>? ResponseHeaders { get; private set; }

        public string? RetryAfter { get; private set; }

        public string? Location { get; private set; }

        public TimeSpan? FirstByte { get; private set; }

        public string? Body { get; set; }

        public bool Truncated { get; set; }

        public void Answered(HttpResponseMessage response, TimeProvider clock)
        {
            FirstByte = clock.GetElapsedTime(StartTicks);
            Status = (int)response.StatusCode;
            ResponseHeaders = ReceivedText.Headers(response);
            RetryAfter = First(response, "Retry-After");
            Location = First(response, "Location");
        }

        private static string? First(HttpResponseMessage response, string header) =>
            response.Headers.NonValidated.TryGetValues(header, out var values) && values.Count > 0
                ? ReceivedText.Line(values.First(), OutboundGuard.MaxUrlLength)
                : null;
    }
}
