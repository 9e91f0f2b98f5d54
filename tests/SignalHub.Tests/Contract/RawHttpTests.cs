using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Contract;

/// <summary>What HTTP libraries do not send, over a socket to the real server.</summary>
public sealed class RawHttpTests(RawHttpTests.Service service) : IClassFixture<RawHttpTests.Service>
{
    private const string Signal = """{"signal_type":"custom_event","source":"raw","occurred_at":"2026-03-14T08:00:00Z","identity":{"email":"jane@acme.com"},"idempotency_key":"KEY"}""";

    [Fact]
    public async Task Http_1_0_is_answered()
    {
        var body = Signal.Replace("KEY", "http10", StringComparison.Ordinal);

        var answer = await service.SendAsync($"POST /signals HTTP/1.0\r\nAuthorization: Bearer {service.Key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Contains(" 201 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        var first = Signal.Replace("KEY", "pipe1", StringComparison.Ordinal);
        var second = Signal.Replace("KEY", "pipe1", StringComparison.Ordinal);

        var answer = await service.SendAsync(Request(first, "") + Request(second, "Connection: close\r\n"));

        Assert.Matches(@"(?s) 201 .* 200 ", answer);
    }

    [Fact]
    public async Task A_chunked_body_is_read()
    {
        var body = Signal.Replace("KEY", "chunked", StringComparison.Ordinal);
        var chunks = new StringBuilder();
        foreach (var part in body.Chunk(17))
        {
            chunks.Append(System.Globalization.CultureInfo.InvariantCulture, $"{part.Length:x}\r\n{new string(part)}\r\n");
        }

        var answer = await service.SendAsync($"POST /signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.Key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}0\r\n\r\n");

        Assert.Contains(" 201 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "key_required")]
    [InlineData("Authorization: \r\n", "key_required")]
    [InlineData("Authorization: Bearer\r\n", "invalid_key")]
    [InlineData("Authorization: Bearer KEY\r\nAuthorization: Bearer KEY\r\n", "invalid_key")]
    [InlineData("Authorization: Bearer KEY KEY\r\n", "invalid_key")]
    [InlineData("Authorization: Token KEY\r\n", "invalid_key")]
    [InlineData("Authorization: Basic %%%\r\n", "invalid_key")]
    [InlineData("Authorization: Bearer sk_live_zzz\r\n", "invalid_key")]
    [InlineData("Authorization: Bearer op_zzz\r\n", "invalid_key")]
    [InlineData("Authorization: Bearer KEY\r\napi_key: sk_live_other\r\n", "invalid_key")]
    public async Task A_missing_doubled_or_garbled_key_is_a_calm_401(string headers, string code)
    {
        var answer = await service.SendAsync($"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers.Replace("KEY", service.Key, StringComparison.Ordinal)}\r\n");

        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: Bearer", answer, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"\"code\":\"{code}\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(service.Key, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_above_the_limit_is_413_without_being_read()
    {
        var answer = await service.SendAsync($"POST /signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.Key}\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("body_too_large", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_has_a_line_per_request_and_neither_keys_nor_addresses()
    {
        await service.SendAsync(Request(Signal.Replace("KEY", "logged", StringComparison.Ordinal), "X-Request-Id: my-request\r\nConnection: close\r\n"));

        var log = await service.LogWithAsync("my-request");

        Assert.Contains("/signals", log, StringComparison.Ordinal);
        Assert.Contains("\"WorkspaceId\":\"ws_", log, StringComparison.Ordinal);
        var everything = string.Join('\n', service.Log);
        Assert.DoesNotContain(service.Key, everything, StringComparison.Ordinal);
        Assert.DoesNotContain("jane@acme.com", everything, StringComparison.Ordinal);
    }

    private string Request(string body, string headers) =>
        $"POST /signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.Key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}";

    public sealed class Service : IAsyncLifetime
    {
        private readonly TemporaryDirectory _directory = new();
        private ServiceProcess _process = null!;
        private Uri _url = null!;

        internal string Key { get; private set; } = "";

        internal IReadOnlyList<string> Log => _process.Output;

        public async Task InitializeAsync()
        {
            _process = ServiceProcess.Start(_directory.Path,
                ("ConnectionStrings__SignalHub", await TestPostgres.CreateDatabaseAsync()), ("SignalHub__OperatorKey", SignalHubApp.OperatorKey),
                ("SignalHub__EncryptionKey", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
            _url = await _process.ReadyAsync();
            using var client = new HttpClient { BaseAddress = _url };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", SignalHubApp.OperatorKey);
            Key = (string)(await client.PostAsync("/workspaces", new { name = "Raw" }).JsonAsync(System.Net.HttpStatusCode.Created))["api_key"]!["secret"]!;
        }

        public async Task DisposeAsync()
        {
            await _process.DisposeAsync();
            _directory.Dispose();
        }

        internal async Task<string> SendAsync(string request)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(_url.Host, _url.Port);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
            var answer = new MemoryStream();
            try
            {
                await stream.CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (IOException)
            {
                // The server closes on a client that promised a body and sends none; its answer is there by then.
            }
            return Encoding.UTF8.GetString(answer.ToArray());
        }

        /// <summary>The log is written behind the answer: waits for the line.</summary>
        internal async Task<string> LogWithAsync(string text)
        {
            string? line;
            for (var looks = 0; (line = Log.FirstOrDefault(l => l.Contains(text, StringComparison.Ordinal))) is null && looks < 1_000; looks++)
            {
                await SendAsync("GET /health/live HTTP/1.0\r\n\r\n");
            }
            return line ?? throw new InvalidOperationException($"The log never showed {text}.");
        }
    }
}
