using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Storage.Embedded;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>A private, durable PostgreSQL server with the settings of the service's own embedded one.</summary>
internal sealed class DeliveryServer : IAsyncDisposable
{
    private const string Template = "bench_template";
    private const string Statistics = "\nshared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track_planning = on\n";

    private readonly Cluster _cluster;
    private readonly ServerAddress _address;

    private DeliveryServer(Cluster cluster, ServerAddress address)
    {
        _cluster = cluster;
        _address = address;
    }

    public int ProcessId => PostmasterFile.Read(_cluster.Directory)!.ProcessId;

    public IDataProtectionProvider Keys { get; } = new EphemeralDataProtectionProvider();

    public static async Task<DeliveryServer> StartAsync(string directory, bool profile)
    {
        var binaries = await PostgresBinaries.InstalledAsync(CancellationToken.None) is [var first, ..]
            ? first
            : throw new InvalidOperationException("PostgreSQL 15 or newer is missing: apt-get install postgresql");
        var account = ServerAccount.Choose();
        await account.TakeOverAsync(directory, CancellationToken.None);
        var cluster = new Cluster(Path.Combine(directory, "postgres"), binaries, account, Durability.Full, TimeProvider.System);
        await cluster.CreateAsync(CancellationToken.None);
        if (profile)
        {
            await File.AppendAllTextAsync(Path.Combine(cluster.Directory, "postgresql.conf"), Statistics);
        }
        var server = new DeliveryServer(cluster, await cluster.StartAsync(CancellationToken.None));
        await server.ExecuteAsync($"create database {Template} template template0");
        await using var template = new Database(new NpgsqlConnectionStringBuilder(server.ConnectionString(Template)) { Pooling = false }.ConnectionString);
        await new Migrator(template, NullLogger<Migrator>.Instance, Migration.Embedded).RunAsync(CancellationToken.None);
        return server;
    }

    /// <summary>A database with the schema and nothing in it.</summary>
    public async Task<DeliveryDatabase> CreateAsync(string name)
    {
        await ExecuteAsync($"create database {name} template {Template}");
        return await DeliveryDatabase.OpenAsync(ConnectionString(name), Keys);
    }

    /// <summary>A database without the schema; answers its address.</summary>
    public async Task<string> CreateEmptyAsync(string name)
    {
        await ExecuteAsync($"create database {name} template template0");
        return ConnectionString(name);
    }

    public async Task<string> VersionAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        return connection.PostgreSqlVersion.ToString();
    }

    public async ValueTask DisposeAsync() => await _cluster.StopAsync(CancellationToken.None);

    public string ConnectionString(string database) => _cluster.ConnectionString(_address, database);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString("postgres")) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
