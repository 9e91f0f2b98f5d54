using System.Data.Common;
using SignalHub.Leads;
using SignalHub.Storage;

namespace SignalHub.Operations;

/// <summary>Goes on where a change of facts touched more leads than one request scores again.</summary>
public sealed class RescoreLoop(LeadRescoring rescoring, TimeProvider time, ILogger<RescoreLoop> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await rescoring.RunOnceAsync(stoppingToken))
                {
                }
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning("Scoring leads again waits for the database ({Reason}).", e.GetType().Name);
            }
        }
    }
}

public static class OperationServices
{
    /// <summary>What needs several slices at once.</summary>
    public static IServiceCollection AddOperations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<RescoreStore>();
        services.AddSingleton<LeadRescoring>();
        services.AddDeliveryOperations();
        if (configuration.HasRole(Roles.Jobs))
        {
            services.AddHostedService<RescoreLoop>();
        }
        return services;
    }

    /// <summary>Facts are changed in a slice that knows nothing of signals; scoring again is plugged in here.</summary>
    public static Task ConnectAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        services.GetRequiredService<AccountEditor>().OnFactsChanged = services.GetRequiredService<LeadRescoring>().RescoreAccountAsync;
        return Task.CompletedTask;
    }
}
