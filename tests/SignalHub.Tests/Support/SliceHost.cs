using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Support;

/// <summary>
/// One slice behind HTTP on a database of its own. Who asks is told by a header instead of a key: that keys and scopes are checked is the
/// business of the key authentication, which has its own tests.
/// </summary>
internal sealed class SliceHost : IAsyncDisposable
{
    private const string WorkspaceHeader = "X-Test-Workspace";
    private const string TestKeyHeader = "X-Test-Key";

    private readonly WebApplication _app;
    private readonly Database _database;

    private SliceHost(WebApplication app, Database database)
    {
        _app = app;
        _database = database;
    }

    public IServiceProvider Services => _app.Services;

    public Database Database => _database;

    public IEnumerable<RouteEndpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>();

    public static async Task<SliceHost> StartAsync(Action<IServiceCollection> add, Action<IEndpointRouteBuilder> map)
    {
        var database = new Database(await TestPostgres.CreateDatabaseAsync());
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(database);
        builder.Services.ConfigureHttpJsonOptions(options => Json.Configure(options.SerializerOptions));
        add(builder.Services);
        var app = builder.Build();
        app.UseProblems();
        app.Use((context, next) =>
        {
            if (Guid.TryParse(context.Request.Headers[WorkspaceHeader], out var workspace))
            {
                context.Features.Set(new Caller(workspace, Guid.Empty, context.Request.Headers.ContainsKey(TestKeyHeader), Scopes.All));
            }
            return next(context);
        });
        map(app);
        await app.StartAsync();
        return new SliceHost(app, database);
    }

    /// <summary>A client of a workspace that was made for it.</summary>
    public async Task<SliceClient> NewWorkspaceAsync(Func<NpgsqlConnection, NpgsqlTransaction, Guid, Task>? step = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var workspace = Ids.New(now);
        await using var connection = await _database.OpenAsync(CancellationToken.None);
        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand("insert into workspaces (id, name, created_at) values ($1, 'Acme', $2)", connection, transaction)
        {
            Parameters = { new() { Value = workspace }, new() { Value = now } },
        };
        await insert.ExecuteNonQueryAsync();
        if (step is not null)
        {
            await step(connection, transaction, workspace);
        }
        await transaction.CommitAsync();
        var client = _app.GetTestClient();
        client.DefaultRequestHeaders.Add(WorkspaceHeader, workspace.ToString());
        return new SliceClient(workspace, client);
    }

    /// <summary>The same workspace, asked with a test key.</summary>
    public SliceClient WithTestKey(SliceClient client)
    {
        var http = _app.GetTestClient();
        http.DefaultRequestHeaders.Add(WorkspaceHeader, client.Workspace.ToString());
        http.DefaultRequestHeaders.Add(TestKeyHeader, "true");
        return new SliceClient(client.Workspace, http);
    }

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = _database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = _database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }
}

/// <summary>What a workspace asks, with answers that can be looked into; a wrong status fails with the body.</summary>
internal sealed class SliceClient(Guid workspace, HttpClient http)
{
    public Guid Workspace { get; } = workspace;

    public Task<JsonElement> GetAsync(string path, int status = 200) => SendAsync(HttpMethod.Get, path, null, status);

    public Task<JsonElement> PostAsync(string path, object body, int status = 201) => SendAsync(HttpMethod.Post, path, body, status);

    public Task<JsonElement> PutAsync(string path, object body, int status = 200) => SendAsync(HttpMethod.Put, path, body, status);

    public Task<JsonElement> PatchAsync(string path, object body, int status = 200) => SendAsync(HttpMethod.Patch, path, body, status);

    public Task<JsonElement> DeleteAsync(string path, int status = 204) => SendAsync(HttpMethod.Delete, path, null, status);

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, int status)
    {
        var (got, answer) = await SendAsync(method, path, body);
        Assert.True(got == status, $"{method} {path}: {got} instead of {status}: {answer}");
        return answer;
    }

    /// <summary>A body that is a string is sent as it is, everything else as JSON.</summary>
    public async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body switch
            {
                null => null,
                string text => new StringContent(text, Encoding.UTF8, "application/json"),
                _ => JsonContent.Create(body),
            },
        };
        using var response = await http.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode >= 400)
        {
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }
        return ((int)response.StatusCode, answer.Length == 0 ? default : JsonDocument.Parse(answer).RootElement);
    }
}
