using System.Net.Sockets;
using Npgsql;
using SignalHub.Storage.Embedded;
using SignalHub.Storage.Secrets;

namespace SignalHub.Storage;

/// <summary>
/// The first step of the start: settings are read, PostgreSQL is started or reached, the schema is brought up to date, the keys
/// are at hand. Whatever the operator must put right ends it with a <see cref="StartException"/>.
/// </summary>
public sealed class StorageStart(
    SignalHubOptions options,
    DataDirectory data,
    Database database,
    Migrator migrator,
    EmbeddedPostgres embedded,
    EncryptionKey encryptionKey,
    IServiceProvider services)
{
    public const string EncryptionKeyFile = "encryption.key";
    public const string OperatorKeyFile = "operator.key";

    /// <summary>The operator key, given or kept; known after the start step.</summary>
    public string OperatorKey
    {
        get => field ?? throw new InvalidOperationException("The operator key was used before the start step read it.");
        private set;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        database.Connect(options.ConnectionString ?? await embedded.StartAsync(cancellationToken));
        await MigrateAsync(cancellationToken);

        encryptionKey.Use(options.EncryptionKey
            ?? SettingsReader.ParseEncryptionKey(data.ReadOrCreate(EncryptionKeyFile, DataDirectory.NewEncryptionKey), data.PathOf(EncryptionKeyFile)));
        OperatorKey = options.OperatorKey ?? data.ReadOrCreate(OperatorKeyFile, DataDirectory.NewOperatorKey);
        services.GetRequiredService<KeyRingCheck>().Run();
    }

    /// <summary>The last step of the process, after the host has stopped: closes the pool, then stops the server we run.</summary>
    public async Task StopAsync()
    {
        await database.DisposeAsync();
        await embedded.StopAsync();
    }

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await migrator.RunAsync(cancellationToken);
            if (!await database.CheckWritersAsync(cancellationToken))
            {
                throw new StartException($"{Address}: something between here and PostgreSQL drops start-up options: "
                    + "add Max Auto Prepare=0 to the connection string, as behind any pooler.");
            }
        }
        catch (PostgresException e)
        {
            throw new StartException($"{Address}: PostgreSQL refused: {e.MessageText} ({e.SqlState}).", e);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException)
        {
            throw new StartException($"{Address} cannot be reached: {(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}", e);
        }
    }

    // Without user and password.
    private string Address
    {
        get
        {
            if (options.ConnectionString is null)
            {
                return "The embedded database";
            }
            var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString);
            return $"The database {settings.Database} at {settings.Host}:{settings.Port} ({SettingsReader.Shown(SettingsReader.ConnectionString)})";
        }
    }
}
