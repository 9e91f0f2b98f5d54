using System.Threading.Channels;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Wakes the dispatcher of this process: call <see cref="Wake"/> after a commit that added or moved deliveries. Any number
/// of calls between two looks are one; a lost call costs a poll interval, never a delivery.
/// </summary>
public sealed class DeliverySignal
{
    private readonly Channel<bool> _pending = OneSlot();
    private readonly Channel<bool> _news = OneSlot();

    /// <summary>There is something to deliver: wakes the dispatcher here, and the other nodes' a moment later.</summary>
    public void Wake()
    {
        WakeHere();
        _news.Writer.TryWrite(true);
    }

    /// <summary>Wakes the dispatcher of this process only: the others know.</summary>
    internal void WakeHere() => _pending.Writer.TryWrite(true);

    /// <summary>Whether there was a call since the last time.</summary>
    internal bool Take() => _pending.Reader.TryRead(out _);

    internal ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _pending.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>Until this process has something to tell the others; any number of wake-ups before are one.</summary>
    internal ValueTask<bool> WaitForNewsAsync(CancellationToken cancellationToken) => _news.Reader.ReadAsync(cancellationToken);

    private static Channel<bool> OneSlot() =>
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
}
