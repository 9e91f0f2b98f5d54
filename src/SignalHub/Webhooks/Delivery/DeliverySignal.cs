using System.Threading.Channels;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Wakes the dispatcher of this process: call <see cref="Wake"/> after a commit that added or moved deliveries. Any number
/// of calls between two looks are one; a lost call costs a poll interval, never a delivery.
/// </summary>
public sealed class DeliverySignal
{
    private readonly Channel<bool> _pending =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Wake() => _pending.Writer.TryWrite(true);

    /// <summary>Whether there was a call since the last time.</summary>
    internal bool Take() => _pending.Reader.TryRead(out _);

    internal ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _pending.Reader.WaitToReadAsync(cancellationToken);
}
