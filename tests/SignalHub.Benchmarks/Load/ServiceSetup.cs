using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace SignalHub.Benchmarks.Load;

/// <summary>
/// The service with everything on, set up through its own API: workspaces with keys, limits that hold but are far away, three
/// ICPs of ten criteria, two personas and two endpoints that want every qualified signal.
/// </summary>
internal sealed class ServiceSetup(string directory, string connectionString)
{
    /// <summary>Enough that a workspace's usage row, which every transaction of pgbench locks until its commit, is seldom wanted twice at once.</summary>
    public const int Workspaces = 200;

    private const int FarAway = 2_000_000_000;
    private const int Connections = 64;
    private const int WalkSeconds = 3; // everybody of the crowd in turn, also on a busy machine

    private readonly string _operatorKey = "op_" + RandomNumberGenerator.GetHexString(48, lowercase: true);
    private readonly string _encryptionKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public string KeysFile { get; } = Path.Combine(directory, "keys");

    /// <summary>A database with schema, workspaces and the crowd, of whom everybody has had a signal; the service that made it has stopped.</summary>
    public static async Task<(ServiceSetup Setup, Wrk Wrk)> PrepareAsync(LoadServer server, string directory, string database, CancellationToken cancellationToken)
    {
        await server.CreateDatabaseAsync(database, "template0", cancellationToken);
        var setup = new ServiceSetup(directory, server.ConnectionString(database));
        var wrk = new Wrk(directory, setup.KeysFile);
        await using var service = await setup.StartAsync(cancellationToken);
        await setup.FillAsync(service.Url, cancellationToken);
        await wrk.RunAsync(service.Url, Connections, WalkSeconds, cancellationToken, Wrk.Walk);
        return (setup, wrk);
    }

    public Task<HostedProcess> StartAsync(CancellationToken cancellationToken) => StartAsync(connectionString, "service", cancellationToken);

    /// <summary>Another node, or one on a copy of the database.</summary>
    /// <param name="name">Of its log and data directory.</param>
    /// <param name="settings">Beside those that all have.</param>
    public Task<HostedProcess> StartAsync(string database, string name, CancellationToken cancellationToken, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string>
        {
            ["ConnectionStrings__SignalHub"] = database,
            ["SignalHub__DataDirectory"] = Path.Combine(directory, name),
            ["SignalHub__OperatorKey"] = _operatorKey,
            ["SignalHub__EncryptionKey"] = _encryptionKey,
            ["SignalHub__Demo"] = "false",
            ["DOTNET_GCgen0size"] = "0x4000000", // as in the image and with dotnet run
            ["Roles__Dispatcher"] = "false", // deliveries are stored; sending them is another figure
        };
        foreach (var setting in settings)
        {
            all[setting.Name] = setting.Value;
        }
        return HostedProcess.StartAsync(["SignalHub.dll"], Path.Combine(directory, $"{name}.log"), all, cancellationToken);
    }

    /// <summary>Makes the workspaces and writes their keys, one a line.</summary>
    public async Task FillAsync(Uri url, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = url };
        var keys = new string[Workspaces];
        await Parallel.ForAsync(0, Workspaces, cancellationToken, async (i, ct) => keys[i] = await AddWorkspaceAsync(client, i, ct));
        await File.WriteAllLinesAsync(KeysFile, keys, cancellationToken);
    }

    /// <summary>One more workspace with the same definitions; answers its key.</summary>
    /// <param name="endpoint">Where its qualified signals are sent; null: nowhere.</param>
    public async Task<string> AddAsync(Uri url, string name, int perMinute, string? endpoint, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = url };
        var key = await AddWorkspaceAsync(client, name, perMinute, cancellationToken);
        if (endpoint is not null)
        {
            await AddEndpointAsync(client, key, endpoint, cancellationToken);
        }
        return key;
    }

    private async Task<string> AddWorkspaceAsync(HttpClient client, int number, CancellationToken cancellationToken)
    {
        var key = await AddWorkspaceAsync(client, string.Create(CultureInfo.InvariantCulture, $"Load {number}"), FarAway, cancellationToken);
        foreach (var name in new[] { "crm", "alerts" })
        {
            await AddEndpointAsync(client, key, $"https://{name}.example.com/hook", cancellationToken);
        }
        return key;
    }

    private async Task<string> AddWorkspaceAsync(HttpClient client, string name, int perMinute, CancellationToken cancellationToken)
    {
        var workspace = await SendAsync(client, HttpMethod.Post, "/workspaces", _operatorKey, new
        {
            name,
            limits = new { per_minute = perMinute, per_day = FarAway },
        }, cancellationToken);
        var key = workspace.GetProperty("api_key").GetProperty("secret").GetString()!;
        await SendAsync(client, HttpMethod.Delete, "/personas/VP%20Engineering", key, null, cancellationToken);
        await SendAsync(client, HttpMethod.Delete, "/icps/Mid-market%20SaaS", key, null, cancellationToken);
        foreach (var (code, priority) in new[] { ("Growing team", 100), ("Product led", 200), ("Any company", 300) })
        {
            await SendAsync(client, HttpMethod.Post, "/icps", key, Icp(code, priority), cancellationToken);
        }
        foreach (var (code, function) in new[] { ("Engineering leader", "engineering"), ("Product leader", "product") })
        {
            await SendAsync(client, HttpMethod.Post, "/personas", key, Persona(code, function), cancellationToken);
        }
        return key;
    }

    private static Task<JsonElement> AddEndpointAsync(HttpClient client, string key, string url, CancellationToken cancellationToken) =>
        SendAsync(client, HttpMethod.Post, "/webhooks/endpoints", key, new
        {
            url,
            events = new[] { "signal.qualified" },
            filter = new { signal_types = new[] { "custom_event" }, when = "icp.score >= 60 && signal.context.team_size > 5" },
        }, cancellationToken);

    /// <summary>Two gates, six rows of points with conditions and bands, two penalties.</summary>
    private static object Icp(string code, int priority) => new
    {
        code,
        priority,
        criteria = new object[]
        {
            new { mode = "filter", when = "signal.context.team_size >= 3" },
            new { mode = "exclude", when = "company.domain in ['rival.com', 'other.com']" },
            new { mode = "score", weight = 30, field = "signal.context.team_size", bands = new object[] { new { from = 10, points = 100 }, new { from = 3, to = 9, points = 40 } } },
            new { mode = "score", weight = 15, when = "signal.context.plan_tier == 'free'" },
            new { mode = "score", weight = 15, when = "signal.event_name == 'user_invited_teammate'" },
            new { mode = "score", weight = 10, field = "company.industry", bands = new object[] { new { @in = new[] { "fintech", "software" }, points = 100 } } },
            new { mode = "score", weight = 20, when = "has(company.domain)" },
            new { mode = "score", weight = 10, when = "signal.source in ['segment', 'rudderstack']" },
            new { mode = "penalty", weight = 10, when = "person.email_class == 'free_mail'" },
            new { mode = "penalty", weight = 5, when = "signal.context.plan_tier == 'enterprise'" },
        },
    };

    private static object Persona(string code, string function) => new
    {
        code,
        icp = "Growing team",
        criteria = new object[]
        {
            new { mode = "filter", when = "person.seniority in ['vp', 'head', 'c_level']" },
            new { mode = "score", weight = 50, field = "person.seniority", bands = new object[] { new { @in = new[] { "vp" }, points = 100 } } },
            new { mode = "score", weight = 30, field = "person.function", bands = new object[] { new { @in = new[] { function }, points = 100 } } },
        },
    };

    private static async Task<JsonElement> SendAsync(HttpClient client, HttpMethod method, string path, string key, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var answer = await client.SendAsync(request, cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{method} {path} was answered {(int)answer.StatusCode}: {text}");
        }
        return text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text);
    }
}
