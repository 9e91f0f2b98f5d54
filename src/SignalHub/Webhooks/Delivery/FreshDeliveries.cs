namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Deliveries that are being written and that this process sends without claiming them: they are stored with a lease and their first
/// attempt counted. When the process dies they are where every claimed row is then; so they are when a commit's answer is lost.
/// </summary>
public sealed class FreshDeliveries : IDisposable
{
    private readonly LaneTable _lanes;
    private readonly DeliverySignal _changed;
    private readonly List<NewDelivery> _deliveries;
    private readonly DateTimeOffset _since;
    private bool _isSettled;

    internal FreshDeliveries(LaneTable lanes, DeliverySignal changed, List<NewDelivery> deliveries, DateTimeOffset since) =>
        (_lanes, _changed, _deliveries, _since) = (lanes, changed, deliveries, since);

    public int Count => _deliveries.Count;

    /// <summary>The transaction has committed.</summary>
    public void Send()
    {
        _isSettled = true;
        if (Count > 0)
        {
            _lanes.Hand(_deliveries, _since);
            _changed.WakeHere();
        }
    }

    /// <summary>It has not, unless <see cref="Send"/> was called.</summary>
    public void Dispose()
    {
        if (!_isSettled && Count > 0)
        {
            _isSettled = true;
            _lanes.Cancel(_deliveries);
            _changed.WakeHere();
        }
    }
}
