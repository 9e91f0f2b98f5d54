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
        dispatcher.AcceptFresh();
        await Task.WhenAll(
            KeepOnAsync(TurnAsync, "A turn of the dispatcher", stoppingToken),
            KeepOnAsync(() => dispatcher.TakeFreshAsync(stoppingToken), "Taking over fresh deliveries", stoppingToken));
        await DrainAsync();

        async Task TurnAsync()
        {
            if (await dispatcher.TurnAsync(CancellationToken.None) is { Claimed: 0, Skipped: 0 })
            {
                await dispatcher.WaitAsync(stoppingToken);
            }
        }
    }

    private async Task KeepOnAsync(Func<Task> work, string what, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Mostly the database being away. Nothing is lost by trying again, and a bug here must not stop the intake.
                log.LogError(e, "{What} failed; the next is in {PollInterval}", what, options.Value.PollInterval);
                await Task.Delay(options.Value.PollInterval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
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
