using SignalHub.Storage;

namespace SignalHub.Jobs;

public static class JobServices
{
    /// <summary>The runner; its loop only where <c>Roles:Jobs</c> is on (the default). Slices register their <see cref="JobKind"/>.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<JobStore>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<JobSignal>();
        if (configuration.HasRole(Roles.Jobs))
        {
            services.AddHostedService<JobLoop>();
        }
        return services;
    }
}
