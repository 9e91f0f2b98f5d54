using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Contract;

/// <summary>
/// The code that Stairoids shows its customers, run against SignalHub: changed are the base URL, the key and, where a webhook is
/// verified, the name of the header.
/// </summary>
public sealed class StairoidsSamplesTests
{
    // Pinned: another version is another test.
    private const string Axios = "axios@1.7.9";
    private const string Express = "express@4.21.2";

    // What the sample uses of the package, on the standard library; only where the package is not installed.
    private const string RequestsShim = """
        import json as _json, urllib.request

        class _Response:
            def __init__(self, body): self._body = body
            def raise_for_status(self): pass
            def json(self): return _json.loads(self._body)

        def post(url, json, headers):
            request = urllib.request.Request(url, _json.dumps(json).encode(), headers, method="POST")
            with urllib.request.urlopen(request) as answer:
                return _Response(answer.read())
        """;

    // Lets the sample's module load, so that its verification can be called alone.
    private const string FlaskShim = """
        request = None

        def abort(status): raise SystemExit(status)

        class Flask:
            def __init__(self, name): pass
            def route(self, *args, **kwargs): return lambda handler: handler
        """;

    [SampleFact("curl", "bash")]
    public async Task The_two_curl_samples_send_signals_and_get_the_answer_that_is_shown()
    {
        await using var service = await SampleService.StartAsync();
        var shown = JsonNode.Parse(StairoidsSeed.Sample("json", "\"status\": \"received\""))!.AsObject();

        foreach (var sample in new[] { StairoidsSeed.Sample("bash", StairoidsSeed.KeyInCurl), StairoidsSeed.Sample("bash", "$STAIROIDS_API_KEY") })
        {
            var told = JsonNode.Parse(await service.RunAsync("bash", ["-euc", service.Adapt(sample)]))!;

            foreach (var (member, value) in shown)
            {
                Assert.True(told[member] is { } ours && ours.GetValueKind() == value!.GetValueKind(), $"{member}: {told.ToJsonString()}");
            }
            Assert.Equal("received", (string)told["status"]!);
            Assert.All(["id", "account_id", "contact_id"], member =>
                Assert.Equal(((string)shown[member]!).Split('_')[0], ((string)told[member]!).Split('_')[0]));
            Assert.Empty(told["warnings"]!.AsArray());
        }
    }

    [SampleFact("node", "npm")]
    public async Task The_node_sample_sends_a_signal_with_axios()
    {
        await using var service = await SampleService.StartAsync();
        await service.RunAsync("npm", Tools.NpmInstall(Axios));
        await service.WriteAsync("send.js", service.Adapt(StairoidsSeed.Sample("javascript", "axios.post")));

        var output = await service.RunAsync("node", ["send.js"]);

        await service.AssertStoredAsync(output);
    }

    [SampleFact("python3")]
    public async Task The_python_sample_sends_a_signal()
    {
        await using var service = await SampleService.StartAsync();
        if (!Tools.Succeeds("python3", "-c", "import requests"))
        {
            await service.WriteAsync("requests.py", RequestsShim);
        }
        await service.WriteAsync("send.py", service.Adapt(StairoidsSeed.Sample("python", "requests.post")));

        var output = await service.RunAsync("python3", ["send.py"]);

        await service.AssertStoredAsync(output);
    }

    [SampleFact("node", "npm")]
    public async Task The_node_sample_accepts_our_deliveries_and_no_forged_one()
    {
        using var directory = new TemporaryDirectory();
        await Tools.RunAsync(directory.Path, "npm", Tools.NpmInstall(Express));
        await File.WriteAllTextAsync(directory.PathOf("receive.js"), string.Join('\n',
            "const express = require('express'); const app = express();",
            WithOurHeader(StairoidsSeed.Sample("javascript", "createHmac")),
            "const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));"));

        await AssertVerifiesAsync(secret => ToolServer.StartAsync(directory.Path, "node", ["receive.js"], ("STAIROIDS_WEBHOOK_SECRET", secret)));
    }

    [SampleFact("python3")]
    public async Task The_python_sample_accepts_our_deliveries_and_no_forged_one()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.PathOf("receive.py"), WithOurHeader(StairoidsSeed.Sample("python", "hmac.new")));
        if (Tools.Succeeds("python3", "-c", "import flask")
            || Tools.Succeeds("python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", directory.Path, "flask==3.1.0"))
        {
            const string Serve = "import receive; from werkzeug.serving import make_server; s = make_server('127.0.0.1', 0, receive.app); print(s.port, flush=True); s.serve_forever()";
            await AssertVerifiesAsync(secret => ToolServer.StartAsync(directory.Path, "python3", ["-c", Serve], ("STAIROIDS_WEBHOOK_SECRET", secret)));
            return;
        }
        // Without flask its verification alone is asked.
        await File.WriteAllTextAsync(directory.PathOf("flask.py"), FlaskShim);
        await using var app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        using var acme = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var endpoint = await acme.NewEndpointAsync(new { url = receiver.Url });
        await acme.IngestAsync(Sample.Qualified(1));
        await app.DeliverDueAsync();
        var request = Assert.Single(receiver.Requests);
        const string Ask = "import sys, receive; b = sys.stdin.buffer.read(); print(receive.verify_signature(b, sys.argv[1]), receive.verify_signature(b + b' ', sys.argv[1]))";
        var told = await Tools.RunAsync(directory.Path, "python3", ["-c", Ask, request.Headers["X-SignalHub-Signature"]],
            System.Text.Encoding.UTF8.GetString(request.Body), ("STAIROIDS_WEBHOOK_SECRET", (string)endpoint["secret"]!));
        Assert.Equal("True False", told.Trim());
    }

    private static string WithOurHeader(string sample)
    {
        var changed = sample.Replace(StairoidsSeed.HeaderName, "X-SignalHub-Signature", StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(sample, changed);
        // Node has header names in lower case.
        return changed.Replace("headers['X-SignalHub-Signature']", "headers['x-signalhub-signature']", StringComparison.Ordinal);
    }

    /// <summary>A qualified signal, a new lead and a test send are delivered; the same under another secret are not.</summary>
    private static async Task AssertVerifiesAsync(Func<string, Task<ToolServer>> startAsync)
    {
        const string Secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        await using var app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        using var acme = await app.NewWorkspaceAsync();
        await using var receiver = await startAsync(Secret);
        var url = $"http://127.0.0.1:{receiver.Port}/webhook/stairoids";
        var events = new[] { "signal.qualified", "lead.created" };
        var ours = await acme.NewEndpointAsync(new { url, secret = Secret, events });
        var forged = await acme.NewEndpointAsync(new { url, secret = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=", events });

        await acme.IngestAsync(Sample.Qualified(1, context: new { team_size = 12, plan_tier = "free", note = "Grüße, 日本 \u2028" }));
        await app.DeliverDueAsync();

        async Task<string[]> StatesAsync(JsonNode endpoint) =>
            [.. (await acme.GetAsync($"/webhooks/deliveries?endpoint_id={endpoint["id"]}"))["data"]!.AsArray().Select(d => (string)d!["state"]!)];
        Assert.Equal(["delivered", "delivered"], await StatesAsync(ours));
        Assert.DoesNotContain("delivered", await StatesAsync(forged));
        var test = await acme.Client.PostAsync($"/webhooks/endpoints/{ours["id"]}/test", new { }).JsonAsync(HttpStatusCode.OK);
        Assert.Contains("200", test.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>The service as a process on a real port, a workspace in it, and a directory for what runs against it.</summary>
    private sealed class SampleService : IAsyncDisposable
    {
        private readonly TemporaryDirectory _directory = new();
        private readonly ServiceProcess _process;
        private readonly Uri _url;
        private readonly string _key;

        private SampleService(ServiceProcess process, Uri url, string key) => (_process, _url, _key) = (process, url, key);

        public static async Task<SampleService> StartAsync()
        {
            var process = ServiceProcess.Start(AppContext.BaseDirectory,
                ("ConnectionStrings__SignalHub", await TestPostgres.CreateDatabaseAsync()), ("SignalHub__OperatorKey", SignalHubApp.OperatorKey),
                ("SignalHub__EncryptionKey", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), ("Roles__Dispatcher", "false"), ("Roles__Jobs", "false"));
            var url = await process.ReadyAsync();
            using var operatorClient = Client(url, SignalHubApp.OperatorKey);
            var made = await operatorClient.PostAsync("/workspaces", new { name = "Acme" }).JsonAsync(HttpStatusCode.Created);
            return new SampleService(process, url, (string)made["api_key"]!["secret"]!);
        }

        public string Adapt(string sample) => sample
            .Replace(StairoidsSeed.BaseUrl, _url.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace(StairoidsSeed.KeyInCurl, _key, StringComparison.Ordinal);

        public Task WriteAsync(string file, string text) => File.WriteAllTextAsync(_directory.PathOf(file), text);

        public Task<string> RunAsync(string tool, string[] arguments) => Tools.RunAsync(_directory.Path, tool, arguments, "", ("STAIROIDS_API_KEY", _key));

        /// <summary>The id that the sample printed is a signal of the sample's type, about its person and company.</summary>
        public async Task AssertStoredAsync(string output)
        {
            using var client = Client(_url, _key);
            var signal = await client.GetAsync(new Uri($"/v1/signals/{output.Trim().Split(' ')[^1]}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
            Assert.Equal(JsonValueKind.Object, signal["properties"]!.GetValueKind());
            Assert.NotEmpty(signal["properties"]!.AsObject());
            var account = await client.GetAsync(new Uri($"/accounts/{signal["account_id"]}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
            Assert.Equal((string)signal["account"]!["domain"]!, (string)account["domain"]!);
            var contact = await client.GetAsync(new Uri($"/contacts/{signal["contact_id"]}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
            Assert.Equal((string)signal["contact"]!["email"]!, (string)contact["email"]!);
            var type = await client.GetAsync(new Uri($"/signal-types/{signal["type"]}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
            Assert.Equal("auto", (string)type["origin"]!);
        }

        public async ValueTask DisposeAsync()
        {
            await _process.DisposeAsync();
            _directory.Dispose();
        }

        private static HttpClient Client(Uri url, string key) =>
            new() { BaseAddress = url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
    }
}
