using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using SignalHub.Storage.Embedded;
using SignalHub.Storage.Secrets;

namespace SignalHub.Storage;

public static class StorageServices
{
    /// <summary>
    /// Settings, database and secrets. Nothing is read before the container is built: a test host's settings come later than
    /// this call.
    /// </summary>
    public static WebApplicationBuilder AddSignalHubStorage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new SettingsReader(provider.GetRequiredService<IConfiguration>()).Read());
        services.AddSingleton(provider => new DataDirectory(provider.GetRequiredService<SignalHubOptions>().DataDirectory));
        services.AddSingleton(_ => new Database());
        services.AddSignalHubDbContext();
        services.AddSingleton(Migration.Embedded);
        services.AddSingleton<Migrator>();
        services.AddSingleton<EmbeddedPostgres>();
        services.AddSingleton<StorageStart>();
        services.AddSingleton<KeysFile>();
        services.AddSingleton<MonthlyPartitions>();
        if (builder.Configuration.HasRole(Roles.Jobs))
        {
            services.AddHostedService<PartitionLoop>();
        }
        services.AddHealthChecks().AddCheck<ReadinessCheck>("database");
        AddSecrets(services);
        return builder;
    }

    private static void AddSecrets(IServiceCollection services)
    {
        services.AddSingleton<EncryptionKey>();
        services.AddSingleton<KeyRingStore>();
        services.AddSingleton<KeyRingCheck>();
        services.AddSingleton<SecretProtector>();
        // The name keeps keys of other applications apart; the default is the path of the installation, which may move.
        services.AddDataProtection().SetApplicationName("SignalHub");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(ring =>
        {
            ring.XmlRepository = provider.GetRequiredService<KeyRingStore>();
            ring.XmlEncryptor = new KeyRingEncryptor(provider.GetRequiredService<EncryptionKey>());
        }));
    }
}
