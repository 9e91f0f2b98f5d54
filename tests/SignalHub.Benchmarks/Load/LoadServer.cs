using System.Globalization;
using Npgsql;
using SignalHub.Storage.Embedded;

namespace SignalHub.Benchmarks.Load;

/// <summary>The private, durable PostgreSQL server of a run: settings as the service's own embedded one, and more connections.</summary>
internal sealed class LoadServer : IAsyncDisposable
{
    // 64 for the plain EF Core endpoint, 64 for pgbench, 32 for the service.
    private const string MoreConnections = "\nmax_connections = 250\n";
    private const string Statistics = "\nshared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track_planning = on\n";

    // Not every package of a server has it.
    private const string PgbenchName = "pgbench";

    private readonly Cluster _cluster;
    private readonly PostgresBinaries _binaries;
    private readonly ServerAddress _address;

    private LoadServer(Cluster cluster, PostgresBinaries binaries, ServerAddress address)
    {
        _cluster = cluster;
        _binaries = binaries;
        _address = address;
    }

    public int ProcessId => PostmasterFile.Read(_cluster.Directory)!.ProcessId;

    /// <summary>Arguments that lead the server's own tools to it.</summary>
    public IEnumerable<string> ToolArguments => ["-h", _address.Host, "-p", _address.Port.ToString(CultureInfo.InvariantCulture), "-U", Cluster.Superuser];

    public static async Task<LoadServer> StartAsync(string directory, bool profile, CancellationToken cancellationToken)
    {
        var binaries = (await PostgresBinaries.InstalledAsync(cancellationToken)).FirstOrDefault(b => File.Exists(Path.Combine(b.Directory, PgbenchName)))
            ?? throw new InvalidOperationException("PostgreSQL 15 or newer with pgbench is missing: apt-get install postgresql");
        var account = ServerAccount.Choose();
        await account.TakeOverAsync(directory, cancellationToken);
        var cluster = new Cluster(Path.Combine(directory, "postgres"), binaries, account, Durability.Full, TimeProvider.System);
        await cluster.CreateAsync(cancellationToken);
        await File.AppendAllTextAsync(Path.Combine(cluster.Directory, "postgresql.conf"), MoreConnections + (profile ? Statistics : ""), cancellationToken);
        return new LoadServer(cluster, binaries, await cluster.StartAsync(cancellationToken));
    }

    public string ConnectionString(string database) => _cluster.ConnectionString(_address, database);

    public async Task CreateDatabaseAsync(string name, string template, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString("postgres")) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var create = new NpgsqlCommand($"create database {name} template {template}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The one that came with the server.</summary>
    public string Pgbench => Tool(PgbenchName);

    /// <summary>Path of a program beside the server's.</summary>
    public string Tool(string name) => Path.Combine(_binaries.Directory, name);

    public async ValueTask DisposeAsync() => await _cluster.StopAsync(CancellationToken.None);
}
