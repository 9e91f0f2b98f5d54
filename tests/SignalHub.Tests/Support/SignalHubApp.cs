using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SignalHub.Jobs;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Support;

/// <summary>
/// The whole service on a database of its own, driven over HTTP. Speaks intents; bodies are anonymous objects, so a renamed wire
/// field breaks a test. The clock stands still until it is advanced, the dispatcher does nothing until it is stepped.
/// </summary>
internal sealed class SignalHubApp : IAsyncDisposable
{
    // Not secrets: keys of databases that live as long as a test.
    public const string OperatorKey = "op_testtesttesttesttesttesttesttesttesttesttesttest";
    public const string EncryptionKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly IReadOnlyDictionary<string, string> _settings;
    private WebApplicationFactory<Program> _factory;

    private SignalHubApp(string connectionString, ManualClock clock, IReadOnlyDictionary<string, string> settings)
    {
        ConnectionString = connectionString;
        Clock = clock;
        _settings = settings;
        _factory = NewFactory();
    }

    public string ConnectionString { get; }

    public ManualClock Clock { get; }

    public IServiceProvider Services => _factory.Services;

    public static async Task<SignalHubApp> StartAsync(params (string Name, string Value)[] settings)
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        var app = new SignalHubApp(database, new ManualClock(), settings.ToDictionary(s => s.Name, s => s.Value));
        _ = app._factory.Services;
        return app;
    }

    /// <summary>A client without a key.</summary>
    public HttpClient Anonymous() => _factory.CreateClient();

    public HttpClient WithKey(string key)
    {
        var client = _factory.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<TestWorkspace> NewWorkspaceAsync(string name = "Acme")
    {
        using var operatorClient = WithKey(OperatorKey);
        var made = await operatorClient.PostAsync("/workspaces", new { name }).JsonAsync(HttpStatusCode.Created);
        return new TestWorkspace(this, (string)made["id"]!, (string)made["api_key"]!["secret"]!);
    }

    /// <summary>Sends everything that is due now, and whatever becomes due by that.</summary>
    public async Task<DispatchCounts> DeliverDueAsync() => await Services.GetRequiredService<Dispatcher>().RunOnceAsync(CancellationToken.None);

    /// <summary>Does the turns of jobs that are due now.</summary>
    public async Task<JobCounts> RunJobsAsync() => await Services.GetRequiredService<JobRunner>().RunOnceAsync(CancellationToken.None);

    /// <summary>The same database and clock, another process as far as memory goes.</summary>
    public async Task RestartAsync()
    {
        await _factory.DisposeAsync();
        _factory = NewFactory();
        _ = _factory.Services;
    }

    /// <summary>Another process on the same database, as far as memory goes.</summary>
    public Task<SignalHubApp> SecondNodeAsync()
    {
        var node = new SignalHubApp(ConnectionString, Clock, _settings);
        _ = node._factory.Services;
        return Task.FromResult(node);
    }

    /// <summary>What today's limits have been charged, whether it is added up already or not.</summary>
    public Task<long> CountedTodayAsync() => QueryAsync<long>(
        "select sum(counted)::bigint from (select counted_today as counted from usage_batches union all select events from usage_days) as usage");

    /// <summary>What is in the database, for what no route shows.</summary>
    public async Task<T?> QueryAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync() => await _factory.DisposeAsync();

    private WebApplicationFactory<Program> NewFactory() => new WebApplicationFactory<Program>().WithWebHostBuilder(host =>
    {
        host.UseSetting("ConnectionStrings:SignalHub", ConnectionString);
        host.UseSetting("SignalHub:OperatorKey", OperatorKey);
        host.UseSetting("SignalHub:EncryptionKey", EncryptionKey);
        host.UseSetting("Roles:Dispatcher", "false");
        host.UseSetting("Webhooks:AllowHttp", "true");
        host.UseSetting("Webhooks:AllowedNetworks:0", "127.0.0.0/8");
        host.UseSetting("RateLimits:PerMinute", "0");
        host.UseSetting("RateLimits:PerDay", "0");
        host.UseSetting("Serilog:MinimumLevel:Default", "Warning");
        foreach (var (name, value) in _settings)
        {
            host.UseSetting(name, value);
        }
        host.ConfigureTestServices(services => services.AddSingleton<TimeProvider>(Clock));
    });
}

/// <summary>A workspace of a test, and what its users do.</summary>
internal sealed class TestWorkspace(SignalHubApp app, string id, string key) : IDisposable
{
    public string Id { get; } = id;

    public string Key { get; } = key;

    public HttpClient Client { get; } = app.WithKey(key);

    public async Task<HttpClient> NewKeyAsync(string mode, params string[] scopes)
    {
        var made = await Client.PostAsync("/api-keys", new { name = "test", mode, scopes }).JsonAsync(HttpStatusCode.Created);
        return app.WithKey((string)made["secret"]!);
    }

    /// <summary>Sends a signal that must be captured anew.</summary>
    public Task<JsonNode> IngestAsync(object signal) => Client.PostAsync("/signals", signal).JsonAsync(HttpStatusCode.Created);

    public Task<JsonNode> GetAsync(string path) => Client.GetAsync(new Uri(path, UriKind.Relative)).JsonAsync(HttpStatusCode.OK);

    public Task<JsonNode> NewEndpointAsync(object endpoint) => Client.PostAsync("/webhooks/endpoints", endpoint).JsonAsync(HttpStatusCode.Created);

    public void Dispose() => Client.Dispose();
}

internal static class HttpIntents
{
    private static readonly JsonSerializerOptions _plain = new() { PropertyNamingPolicy = null };

    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body) =>
        client.PostAsync(new Uri(path, UriKind.Relative), JsonContent.Create(body, options: _plain));

    public static Task<HttpResponseMessage> PutAsync(this HttpClient client, string path, object body) =>
        client.PutAsync(new Uri(path, UriKind.Relative), JsonContent.Create(body, options: _plain));

    public static Task<HttpResponseMessage> PatchAsync(this HttpClient client, string path, object body) =>
        client.PatchAsync(new Uri(path, UriKind.Relative), JsonContent.Create(body, options: _plain));

    public static Task<HttpResponseMessage> PostTextAsync(this HttpClient client, string path, string body, string? contentType = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        return client.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    /// <summary>The JSON of an answer that must have that status; a failure shows the body.</summary>
    public static async Task<JsonNode> JsonAsync(this Task<HttpResponseMessage> sending, HttpStatusCode status)
    {
        using var response = await sending;
        return await response.JsonAsync(status);
    }

    public static async Task<JsonNode> JsonAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"Expected {(int)status}, got {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    /// <summary>A problem with that status and code, and the members every problem has.</summary>
    public static async Task<JsonNode> ProblemAsync(this Task<HttpResponseMessage> sending, int status, string code)
    {
        using var response = await sending;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status && text.Contains($"\"code\":\"{code}\"", StringComparison.Ordinal),
            $"Expected {status} {code}, got {(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal(code, (string)problem["code"]!);
        Assert.Equal(status, (int)problem["status"]!);
        Assert.All(["type", "title", "detail", "instance", "request_id"], member => Assert.False(string.IsNullOrEmpty((string?)problem[member]), member));
        Assert.All(["error", "message", "reason"], member => Assert.Null(problem[member]));
        return problem;
    }
}
