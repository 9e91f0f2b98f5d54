using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Webhooks;

/// <summary>
/// The webhook slice over HTTP on a database of its own: real routes, stores, guard, sender and dispatcher; the clock stands
/// still, and the key authentication is a header that names the workspace.
/// </summary>
internal sealed class EndpointBench : IAsyncDisposable
{
    private const string WorkspaceHeader = "X-Test-Workspace";

    private readonly WebApplication _app;
    private readonly HttpClient _http;

    private EndpointBench(WebApplication app, Database database, ManualClock clock)
    {
        (_app, Database, Clock) = (app, database, clock);
        _http = app.GetTestClient();
    }

    public Database Database { get; }

    public ManualClock Clock { get; }

    public Guid Workspace { get; private set; }

    public IServiceProvider Services => _app.Services;

    /// <param name="settings">Of the section <c>Webhooks</c>; by default loopback receivers over http are allowed.</param>
    public static async Task<EndpointBench> StartAsync(params (string Name, string Value)[] settings)
    {
        var clock = new ManualClock();
        var database = new Database(await TestPostgres.CreateDatabaseAsync());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([new("Roles:Dispatcher", "false")]);
        builder.Configuration.AddInMemoryCollection((settings.Length > 0 ? settings : [("AllowHttp", "true"), ("AllowedNetworks:0", "127.0.0.0/8")])
            .Select(s => KeyValuePair.Create($"Webhooks:{s.Name}", (string?)s.Value)));
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton(database);
        builder.Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        builder.Services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        builder.Services.AddWebhooks(builder.Configuration, name => name.Any(char.IsLetterOrDigit) ? name.Trim().ToLowerInvariant().Replace(' ', '_') : null);
        var app = builder.Build();
        app.UseProblems();
        app.Use(static (context, next) =>
        {
            context.Features.Set(new Caller(Guid.Parse(context.Request.Headers[WorkspaceHeader]!), Guid.Empty, IsTest: false, Scopes.All));
            return next(context);
        });
        app.MapWebhooks();
        await app.StartAsync();
        var bench = new EndpointBench(app, database, clock);
        bench.Workspace = await bench.AddWorkspaceAsync();
        await bench.ExecuteAsync("select add_month('webhook_events', $1)", DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime));
        return bench;
    }

    public async Task<Guid> AddWorkspaceAsync()
    {
        var id = Ids.New(Clock.GetUtcNow());
        await ExecuteAsync("insert into workspaces (id, name, created_at) values ($1, 'Acme', $2)", id, Clock.GetUtcNow());
        return id;
    }

    /// <summary>One request; a text body is sent as it is, anything else as JSON.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, Guid? workspace = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add(WorkspaceHeader, (workspace ?? Workspace).ToString());
        request.Content = body switch
        {
            null => null,
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body, options: new JsonSerializerOptions()),
        };
        using var response = await _http.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.Location?.ToString());
    }

    public Task<Answer> GetAsync(string path, Guid? workspace = null) => SendAsync(HttpMethod.Get, path, null, workspace);

    public Task<Answer> PostAsync(string path, object? body = null, Guid? workspace = null) => SendAsync(HttpMethod.Post, path, body, workspace);

    public Task<Answer> PatchAsync(string id, object body) => SendAsync(HttpMethod.Patch, $"/webhooks/endpoints/{id}", body);

    /// <summary>A created endpoint as answered.</summary>
    public async Task<JsonElement> CreateAsync(object body, Guid? workspace = null) =>
        (await PostAsync("/webhooks/endpoints", body, workspace)).Expect(HttpStatusCode.Created);

    /// <summary>Writes a qualified signal's event and deliveries, as the intake does, for the endpoints that want it.</summary>
    public async Task<WebhookEvent> RaiseAsync(Guid? workspace = null)
    {
        var owner = workspace ?? Workspace;
        var now = Clock.GetUtcNow();
        var made = WebhookEvents.SignalQualified(owner, Ids.New(now), Ids.New(now), SampleSignal.Of(now));
        var set = await Services.GetRequiredService<WorkspaceSnapshots<EndpointSet>>().GetAsync(owner);
        var routes = new List<RoutedEndpoint>();
        EventRouter.Route(set, new RoutingInput(made.Type, "product_usage", "segment", null), routes);
        await using var connection = await Database.OpenAsync(default);
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection);
        OutboxStore.AddTo(batch, [made], [.. routes.Select(route => NewDelivery.Of(made, route))]);
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return made;
    }

    public Task<DispatchCounts> DeliverDueAsync() => Services.GetRequiredService<Dispatcher>().RunOnceAsync(default);

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public IReadOnlyList<RouteEndpoint> Routes() =>
        [.. Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await Database.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = Database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        return command;
    }
}

/// <summary>An answer; a failed expectation shows its body.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, string? Location)
{
    public JsonElement Expect(HttpStatusCode status)
    {
        Assert.True(Status == status, $"Expected {(int)status}, got {(int)Status}: {Text}");
        return Text.Length == 0 ? default : JsonElement.Parse(Text);
    }

    /// <summary>The problem must have that code, its first error that pointer.</summary>
    public JsonElement ExpectProblem(int status, string code, string? pointer = null)
    {
        var problem = Expect((HttpStatusCode)status);
        Assert.True(problem.GetProperty("code").GetString() == code, $"Expected the code {code}: {Text}");
        if (pointer is not null)
        {
            Assert.True(problem.GetProperty("errors")[0].GetProperty("pointer").GetString() == pointer, $"Expected the pointer {pointer}: {Text}");
        }
        return problem;
    }
}

internal static class JsonAssertions
{
    public static string Id(this JsonElement element) => element.GetProperty("id").GetString()!;

    public static string? Text(this JsonElement element, string name) => element.GetProperty(name).GetString();

    public static IEnumerable<string> Names(this JsonElement element) => element.EnumerateObject().Select(p => p.Name);
}
