using System.Data.Common;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Passes wake-ups on to the other nodes, at most one in a tenth of a second, and wakes this node's dispatcher when it hears of
/// theirs. Without it, they find the work at their next poll.
/// </summary>
internal sealed class DeliveryHintLoop(DeliveryHintStore store, DeliverySignal signal, TimeProvider clock, ILogger<DeliveryHintLoop> log) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(100);

    // A listener that lost its server need not hurry back: polling goes on meanwhile.
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

    private readonly string _self = Ids.New(clock.GetUtcNow()).ToString();
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when hints of other nodes are heard from then on.</summary>
    public Task Listening => _listening.Task;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        KeepOnAsync(ListenAsync, stoppingToken), KeepOnAsync(PassOnAsync, stoppingToken));

    private Task ListenAsync(CancellationToken cancellationToken) =>
        store.ListenAsync(_self, () => _listening.TrySetResult(), signal.WakeHere, cancellationToken);

    private async Task PassOnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await signal.WaitForNewsAsync(cancellationToken);
            await store.NotifyAsync(_self, cancellationToken);
            await Task.Delay(_interval, clock, cancellationToken);
        }
    }

    private async Task KeepOnAsync(Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await work(stoppingToken);
            }
            catch (Exception e) when (stoppingToken.IsCancellationRequested || e is DbException or TimeoutException or IOException)
            {
                log.LogDebug(e, "Hints between nodes pause; they find their work by polling");
                await Task.Delay(_pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
