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

    private readonly string _operatorKey = "op_" + RandomNumberGenerator.GetHexString(48, lowercase: true);
    private readonly string _encryptionKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public string KeysFile { get; } = Path.Combine(directory, "keys");

    public Task<HostedProcess> StartAsync(CancellationToken cancellationToken) => HostedProcess.StartAsync(
        ["SignalHub.dll"], Path.Combine(directory, "service.log"), new Dictionary<string, string>
        {
            ["ConnectionStrings__SignalHub"] = connectionString,
            ["SignalHub__DataDirectory"] = Path.Combine(directory, "service"),
            ["SignalHub__OperatorKey"] = _operatorKey,
            ["SignalHub__EncryptionKey"] = _encryptionKey,
            ["SignalHub__Demo"] = "false",
            ["Roles__Dispatcher"] = "false", // deliveries are stored; sending them is another figure
        }, cancellationToken);

    /// <summary>Makes the workspaces and writes their keys, one a line.</summary>
    public async Task FillAsync(Uri url, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = url };
        var keys = new string[Workspaces];
        await Parallel.ForAsync(0, Workspaces, cancellationToken, async (i, ct) => keys[i] = await AddWorkspaceAsync(client, i, ct));
        await File.WriteAllLinesAsync(KeysFile, keys, cancellationToken);
    }

    private async Task<string> AddWorkspaceAsync(HttpClient client, int number, CancellationToken cancellationToken)
    {
        var workspace = await SendAsync(client, HttpMethod.Post, "/workspaces", _operatorKey, new
        {
            name = string.Create(CultureInfo.InvariantCulture, $"Load {number}"),
            limits = new { per_minute = FarAway, per_day = FarAway },
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
        foreach (var name in new[] { "crm", "alerts" })
        {
            await SendAsync(client, HttpMethod.Post, "/webhooks/endpoints", key, new
            {
                url = $"https://{name}.example.com/hook",
                events = new[] { "signal.qualified" },
                filter = new { signal_types = new[] { "custom_event" }, when = "icp.score >= 60 && signal.context.team_size > 5" },
            }, cancellationToken);
        }
        return key;
    }

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
