using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class HostileReceiverTests
{
    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_chain_of_redirects_is_not_followed_and_its_first_location_is_named(int status)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Otherwise(WebhookReceiver.Status(status, headers: ("Location", receiver.Url + "/elsewhere")));

        var result = await SendAsync(receiver.Url);

        Assert.Single(receiver.Requests);
        Assert.Equal((status, receiver.Url + "/elsewhere"), (result.Status, result.Location));
        Assert.Equal(ErrorClass.Redirect, Outcome.Of(result).Error);
    }

    [Fact]
    public async Task Cookies_and_compression_are_neither_offered_nor_kept()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer(WebhookReceiver.Status(200, "ok", ("Set-Cookie", "session=secret")));
        using var sender = Sender();

        var result = await sender.SendAsync(Request(receiver.Url), default);
        await sender.SendAsync(Request(receiver.Url), default);

        Assert.All(receiver.Requests, r => Assert.Empty(r.Headers.Keys.Intersect(["Cookie", "Accept-Encoding", "traceparent"], StringComparer.OrdinalIgnoreCase)));
        Assert.Contains(result.ResponseHeaders!, h => h is { Key: "Set-Cookie", Value: "(redacted)" });
        Assert.Equal(("ok", false), (result.Body, result.Truncated));
    }

    [Fact]
    public async Task A_record_shows_signatures_timings_and_the_address_and_no_secret()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var sender = Sender();

        var first = await sender.SendAsync(Request(receiver.Url), default);
        var second = await sender.SendAsync(Request(receiver.Url), default);

        Assert.Equal(("127.0.0.1", "127.0.0.1"), (first.ResolvedIp, second.ResolvedIp));
        Assert.NotNull(first.ConnectMs);
        Assert.Null(second.ConnectMs);
        Assert.InRange(first.FirstByteMs!.Value, 0.001, first.DurationMs);
        Assert.Contains(first.RequestHeaders, h => h.Key == "webhook-signature" && h.Value.StartsWith("v1,", StringComparison.Ordinal));
        Assert.DoesNotContain(first.RequestHeaders, h => h.Value.Contains(DeliveryBench.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_slow_drip_ends_with_the_timeout_although_the_head_was_a_200()
    {
        await using var raw = RawReceiver.Start("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx", keepOpen: true);

        var result = await SendAsync(raw.Url, timeout: TimeSpan.FromMilliseconds(300));

        Assert.Equal((200, ErrorClass.Timeout), (result.Status, result.Error));
        Assert.Equal(Verdict.Failed, Outcome.Of(result).Verdict);
        Assert.Equal("x", result.Body);
        Assert.InRange(result.DurationMs, 250, 10_000);
    }

    [Fact]
    public async Task A_receiver_that_says_nothing_ends_with_the_timeout()
    {
        await using var raw = RawReceiver.Start("", keepOpen: true);

        var result = await SendAsync(raw.Url, timeout: TimeSpan.FromMilliseconds(300));

        Assert.Equal((null, ErrorClass.Timeout), (result.Status, result.Error));
    }

    [Fact]
    public async Task An_endless_body_counts_as_delivered_once_64_kb_were_read()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var aborted = new TaskCompletionSource();
        receiver.Answer(async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(new string('x', 8_192)));
            }
        });

        var result = await SendAsync(receiver.Url);

        Assert.Equal(Verdict.Delivered, Outcome.Of(result).Verdict);
        Assert.Equal((16 * 1024, true), (result.Body!.Length, result.Truncated));
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_gzip_bomb_stays_packed()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[30_000_000]);
        }
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer(async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(packed.ToArray());
        });

        var result = await SendAsync(receiver.Url);

        Assert.Equal(Verdict.Delivered, Outcome.Of(result).Verdict);
        Assert.InRange(result.Body!.Length, 1, 16 * 1024);
        Assert.DoesNotContain(result.Body, c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntoo short", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 200)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", null)]
    [InlineData("HTTP/1.1 200 OK\r\nConte", null)]
    [InlineData("", null)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", null)]
    public async Task An_answer_that_breaks_off_is_a_failed_try(string answer, int? status)
    {
        await using var raw = RawReceiver.Start(answer);

        var result = await SendAsync(raw.Url);

        Assert.Equal((status, ErrorClass.BrokenResponse), (result.Status, result.Error));
        Assert.Equal(Verdict.Failed, Outcome.Of(result).Verdict);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")]
    public async Task A_reset_before_or_in_the_middle_of_an_answer_is_a_failed_try(string answer)
    {
        await using var raw = RawReceiver.Start(answer, reset: true);

        var result = await SendAsync(raw.Url);

        Assert.Equal(ErrorClass.BrokenResponse, result.Error);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Headers_of_a_megabyte_are_refused(int lines)
    {
        var header = "X-Big: " + new string('x', 1_000_000 / lines) + "\r\n";
        await using var raw = RawReceiver.Start("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat(header, lines)) + "\r\n");

        var result = await SendAsync(raw.Url);

        Assert.Equal(ErrorClass.ResponseHeadersTooLarge, result.Error);
    }

    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nold but fine", 200, "old but fine")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok")]
    [InlineData("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, "")]
    public async Task Unusual_but_valid_answers_are_understood(string answer, int status, string body)
    {
        await using var raw = RawReceiver.Start(answer);

        var result = await SendAsync(raw.Url);

        Assert.Equal((status, null, body), (result.Status, result.Error, result.Body));
    }

    [Fact]
    public async Task A_receiver_that_says_continue_for_ever_is_not_listened_to_for_ever()
    {
        await using var raw = RawReceiver.Start("HTTP/1.1 100 Continue\r\n\r\n", endless: true);

        var result = await SendAsync(raw.Url);

        Assert.Equal((null, ErrorClass.ResponseHeadersTooLarge), (result.Status, result.Error));
    }

    [Fact]
    public async Task A_receiver_that_wants_http_2_without_tls_is_a_broken_response()
    {
        // What such a server sends first: an empty SETTINGS frame.
        await using var raw = RawReceiver.Start("\0\0\0\u0004\0\0\0\0\0");

        var result = await SendAsync(raw.Url);

        Assert.Equal((null, ErrorClass.BrokenResponse), (result.Status, result.Error));
    }

    [Fact]
    public async Task A_closed_port_is_connection_refused()
    {
        var result = await SendAsync("http://127.0.0.1:1/hook");

        Assert.Equal((null, ErrorClass.ConnectionRefused), (result.Status, result.Error));
    }

    [Fact]
    public async Task A_name_without_address_is_a_dns_error()
    {
        var unknown = await SendAsync("http://nowhere.example/", resolve: (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        var empty = await SendAsync("http://nowhere.example/", resolve: (_, _) => Task.FromResult<IPAddress[]>([]));

        Assert.Equal((ErrorClass.DnsError, ErrorClass.DnsError), (unknown.Error, empty.Error));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("93.184.215.14", "10.0.0.1")]
    [InlineData("::1")]
    [InlineData("169.254.169.254")]
    public async Task A_name_that_resolves_to_a_refused_address_is_not_connected_to(params string[] answers)
    {
        var result = await SendAsync("http://rebinding.example/", resolve: (_, _) => Task.FromResult(answers.Select(IPAddress.Parse).ToArray()));

        Assert.Equal((null, ErrorClass.BlockedAddress, null), (result.Status, result.Error, result.ResolvedIp));
    }

    [Fact]
    public async Task Dns_is_asked_once_and_the_checked_address_is_the_one_connected_to()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var asked = 0;
        var port = new Uri(receiver.Url).Port;

        // The first answer is allowed; whoever asks again would be led elsewhere.
        var result = await SendAsync($"http://rebinding.example:{port}/hook", resolve: (_, _) =>
            Task.FromResult<IPAddress[]>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Loopback : IPAddress.Parse("10.0.0.1")]));

        Assert.Equal((200, "127.0.0.1", 1), (result.Status, result.ResolvedIp, asked));
    }

    [Fact]
    public async Task An_untrusted_certificate_is_a_tls_error()
    {
        using var certificate = SelfSigned();
        await using var receiver = await WebhookReceiver.StartAsync(certificate);

        var result = await SendAsync(receiver.Url);

        Assert.Equal(ErrorClass.TlsError, result.Error);
        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task Plain_text_on_a_tls_port_is_a_tls_error()
    {
        await using var raw = RawReceiver.Start("HTTP/1.1 400 Bad Request\r\n\r\n");

        var result = await SendAsync(raw.Url.Replace("http:", "https:", StringComparison.Ordinal));

        Assert.Equal(ErrorClass.TlsError, result.Error);
    }

    [Fact]
    public async Task A_handshake_that_never_ends_is_a_connect_timeout()
    {
        await using var raw = RawReceiver.Start("", keepOpen: true);

        var result = await SendAsync(raw.Url.Replace("http:", "https:", StringComparison.Ordinal), connect: TimeSpan.FromMilliseconds(300));

        Assert.Equal(ErrorClass.ConnectTimeout, result.Error);
    }

    [Fact]
    public async Task Dns_that_never_answers_is_a_connect_timeout()
    {
        var result = await SendAsync("http://slow.example/", connect: TimeSpan.FromMilliseconds(300), resolve: async (_, ct) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return [];
        });

        Assert.Equal(ErrorClass.ConnectTimeout, result.Error);
    }

    [Fact]
    public async Task A_receiver_that_speaks_http_2_only_is_reached()
    {
        using var certificate = SelfSigned();
        await using var receiver = await WebhookReceiver.StartAsync(certificate, HttpProtocols.Http2);

        var result = await SendAsync(receiver.Url, trust: (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString());

        Assert.Equal((200, null, "127.0.0.1"), (result.Status, result.Error, result.ResolvedIp));
        Assert.Equal("HTTP/2", Assert.Single(receiver.Requests).Protocol);
    }

    [Fact]
    public async Task A_stream_that_is_reset_in_the_middle_of_an_http_2_answer_is_a_failed_try()
    {
        using var certificate = SelfSigned();
        await using var receiver = await WebhookReceiver.StartAsync(certificate, HttpProtocols.Http2);
        receiver.Answer(async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

        var result = await SendAsync(receiver.Url, trust: (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString());

        Assert.Equal((200, ErrorClass.BrokenResponse), (result.Status, result.Error));
    }

    [Fact]
    public async Task A_stopping_process_cuts_a_send_off()
    {
        await using var raw = RawReceiver.Start("", keepOpen: true);
        using var stop = new CancellationTokenSource();
        using var sender = Sender();

        var sending = sender.SendAsync(Request(raw.Url), stop.Token);
        await raw.Connected.WaitAsync(TimeSpan.FromSeconds(20));
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private static WebhookSender Sender(ResolveHost? resolve = null, TimeSpan? connect = null, RemoteCertificateValidationCallback? trust = null)
    {
        var options = new WebhookOptions { AllowHttp = true, AllowedNetworks = ["127.0.0.0/8"] };
        options.ConnectTimeout = connect ?? options.ConnectTimeout;
        var guard = new OutboundGuard(options.Networks(), options.AllowHttp);
        return new WebhookSender(guard, options, TimeProvider.System, resolve ?? Dns.GetHostAddressesAsync, trust);
    }

    private static async Task<AttemptResult> SendAsync(
        string url, TimeSpan? timeout = null, ResolveHost? resolve = null, TimeSpan? connect = null, RemoteCertificateValidationCallback? trust = null)
    {
        using var sender = Sender(resolve, connect, trust);
        return await sender.SendAsync(Request(url, timeout), default);
    }

    private static DeliveryRequest Request(string url, TimeSpan? timeout = null) => new()
    {
        Url = url,
        Timeout = timeout ?? TimeSpan.FromSeconds(20),
        Secrets = new SigningSecrets(WebhookSecret.Parse(DeliveryBench.Secret)),
        SignatureHeader = "X-SignalHub-Signature",
        EventId = Ids.New(DateTimeOffset.UnixEpoch),
        EventType = "signal.qualified",
        DeliveryId = Ids.New(DateTimeOffset.UnixEpoch),
        Attempt = 1,
        Body = "{}"u8.ToArray(),
    };

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var from = TimeProvider.System.GetUtcNow().AddDays(-1);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(from, from.AddDays(2));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
