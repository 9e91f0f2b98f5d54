using SignalHub.Storage;

namespace SignalHub.Webhooks.Retention;

public static class RetentionServices
{
    /// <summary>What ends the life of rows of the delivery log; the loop only where <c>Roles:Jobs</c> is on (the default).</summary>
    public static IServiceCollection AddDeliveryRetention(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<RetentionStore>();
        services.AddSingleton(provider => new DeliveryRetention(
            provider.GetRequiredService<RetentionStore>(), provider.GetRequiredService<MonthlyPartitions>(),
            provider.GetRequiredService<SignalHubOptions>().Retention, provider.GetRequiredService<TimeProvider>()));
        if (configuration.HasRole(Roles.Jobs))
        {
            services.AddHostedService<RetentionLoop>();
        }
        return services;
    }
}
