using System.Data.Common;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Looks at the queue from time to time, so that asking for metrics costs the database nothing.</summary>
internal sealed class QueueStateLoop(DeliveryStore store, TimeProvider clock, ILogger<QueueStateLoop> log) : BackgroundService
{
    /// <summary>Counting a million rows takes a quarter of a second of one core: a percent or two of it.</summary>
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                DeliveryMetrics.Tell(await store.LookAsync(stoppingToken));
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogDebug(e, "The queue could not be looked at; the metrics show what was seen last");
            }
            await Task.Delay(_interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
