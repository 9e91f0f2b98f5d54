using System.Data.Common;

namespace SignalHub.Webhooks.Retention;

/// <summary>Looks now and then for what is over. Days matter here, not minutes; often enough that no day's work is a long one.</summary>
internal sealed class RetentionLoop(DeliveryRetention retention, TimeProvider time, ILogger<RetentionLoop> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, time);
        do
        {
            try
            {
                var counts = await retention.RunOnceAsync(stoppingToken);
                if (counts != default)
                {
                    log.LogInformation("Retention removed {Attempts} attempts, {Deliveries} deliveries and {Events} events, and dropped {Months} months",
                        counts.Attempts, counts.Deliveries, counts.Events, counts.Months);
                }
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning(e, "Retention did not get through; the next run goes on");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
