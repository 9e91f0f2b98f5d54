using System.Data.Common;
using Microsoft.Extensions.Options;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Turns the dispatcher as long as the process runs, and drains it at the end.</summary>
internal sealed class DeliveryLoop(
    Dispatcher dispatcher, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<DeliveryLoop> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.AllowedNetworks.Count > 0 || options.Value.AllowHttp)
        {
            log.LogWarning("Webhooks may reach {Networks} beside public addresses; http allowed: {AllowHttp}",
                options.Value.AllowedNetworks, options.Value.AllowHttp);
        }
        dispatcher.TakeFresh();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var turn = await dispatcher.TurnAsync(CancellationToken.None);
                if (turn is { Claimed: 0, Skipped: 0 })
                {
                    await dispatcher.WaitAsync(stoppingToken);
                }
            }
            catch (Exception e)
            {
                // Mostly the database being away. Nothing is lost by trying again, and a bug here must not stop the intake.
                log.LogError(e, "A turn of the dispatcher failed; the next is in {PollInterval}", options.Value.PollInterval);
                await Task.Delay(options.Value.PollInterval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await DrainAsync();
    }

    private async Task DrainAsync()
    {
        try
        {
            var last = await dispatcher.DrainAsync();
            log.LogInformation("Dispatcher stopped: {HandedBack} deliveries handed back, {Delivered} delivered at the end",
                last.HandedBack, last.Delivered);
        }
        catch (DbException e)
        {
            log.LogWarning(e, "Dispatcher stopped without the database: what it held is due again when its leases end");
        }
    }
}
