namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Deliveries that are being written and that this process sends without claiming them: they are stored with a lease and their first
/// attempt counted. When the process dies they are where every claimed row is then; so they are when a commit's answer is lost.
/// </summary>
public sealed class FreshDeliveries : IDisposable
{
    private readonly Dispatcher _dispatcher;
    private readonly List<NewDelivery> _deliveries;
    private readonly DateTimeOffset _since;
    private bool _isSettled;

    internal FreshDeliveries(Dispatcher dispatcher, List<NewDelivery> deliveries, DateTimeOffset since) =>
        (_dispatcher, _deliveries, _since, _isSettled) = (dispatcher, deliveries, since, deliveries.Count == 0);

    public int Count => _deliveries.Count;

    /// <summary>The transaction has committed.</summary>
    public void Send()
    {
        if (!_isSettled)
        {
            _isSettled = true;
            _dispatcher.Hand(_deliveries, _since);
        }
    }

    /// <summary>It has not, unless <see cref="Send"/> was called.</summary>
    public void Dispose()
    {
        if (!_isSettled)
        {
            _isSettled = true;
            _dispatcher.Cancel(_deliveries);
        }
    }
}
