using System.Net;
using System.Net.Http.Headers;
using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Tests.Support;

/// <summary>One database that real processes of the service share or inherit, and what a test asks and does there behind their backs.</summary>
internal sealed class SharedDatabase : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    // Leaves the machine to the processes that are waited for.
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(20);

    private readonly List<TemporaryDirectory> _directories = [];
    private readonly List<ServiceProcess> _processes = [];
    private readonly NpgsqlDataSource _source;

    private SharedDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        _source = NpgsqlDataSource.Create(connectionString);
    }

    public string ConnectionString { get; }

    public static async Task<SharedDatabase> CreateAsync() => new(await TestPostgres.CreateDatabaseAsync());

    /// <summary>A process of its own on this database; ends with it at the latest.</summary>
    public ServiceProcess Start(params (string Name, string Value)[] settings)
    {
        var directory = new TemporaryDirectory();
        _directories.Add(directory);
        var process = ServiceProcess.Start(directory.Path,
        [
            ("ConnectionStrings__SignalHub", ConnectionString), ("SignalHub__OperatorKey", SignalHubApp.OperatorKey),
            ("SignalHub__EncryptionKey", SignalHubApp.EncryptionKey), ("Webhooks__AllowHttp", "true"),
            ("Webhooks__AllowedNetworks__0", "127.0.0.0/8"), ("RateLimits__PerMinute", "0"), ("RateLimits__PerDay", "0"),
            ("Serilog__MinimumLevel__Override__SignalHub", "Warning"), .. settings,
        ]);
        _processes.Add(process);
        return process;
    }

    public static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A workspace made through that process; answers its key.</summary>
    public static async Task<string> NewWorkspaceAsync(Uri url)
    {
        using var client = Client(url, SignalHubApp.OperatorKey);
        return (string)(await client.PostAsync("/workspaces", new { name = "Acme" }).JsonAsync(HttpStatusCode.Created))["api_key"]!["secret"]!;
    }

    /// <summary>The first column of every row.</summary>
    public async Task<List<T>> ColumnAsync<T>(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetFieldValue<T>(0));
        }
        return values;
    }

    public async Task<int> ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<NpgsqlConnection> OpenAsync() => await _source.OpenConnectionAsync();

    /// <summary>Asks until the answer is true.</summary>
    public async Task UntilAsync(string sql)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (!(await ColumnAsync<bool>(sql))[0])
        {
            Assert.False(limit.IsCancellationRequested, $"Not true within {_patience}: {sql}");
            await Task.Delay(_pollInterval, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Reads a process's <c>/metrics</c> until they satisfy something; fails with what they were.</summary>
    public static async Task<MetricsPage> MetricsAsync(Uri url, Func<MetricsPage, bool> satisfied)
    {
        using var client = new HttpClient { BaseAddress = url };
        using var limit = new CancellationTokenSource(_patience);
        while (true)
        {
            var page = new MetricsPage(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
            if (satisfied(page))
            {
                return page;
            }
            Assert.False(limit.IsCancellationRequested, $"Not within {_patience}:\n{page.Text}");
            await Task.Delay(_pollInterval, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Delivery ids as receivers see them.</summary>
    public async Task<HashSet<string>> DeliveriesAsync(string fromQueueWhere) =>
        [.. (await ColumnAsync<Guid>($"select id from delivery_queue where {fromQueueWhere}")).Select(id => Ids.Text(Ids.Delivery, id))];

    /// <summary>What the dead had claimed is theirs for a minute and a half: lets that time pass.</summary>
    public Task<int> LetLeasesEndAsync() => ExecuteAsync("update delivery_queue set next_at = next_at - interval '10 minutes'");

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }
        await _source.DisposeAsync();
        _directories.ForEach(directory => directory.Dispose());
    }
}
