using System.Text;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary><c>max_per_second</c> and <c>ordered</c>: endpoints that ask for less than as fast as they answer.</summary>
public sealed class PacedAndOrderedTests : IAsyncLifetime
{
    private static readonly Guid Ada = Ids.New(DateTimeOffset.UnixEpoch);
    private static readonly Guid Grace = Ids.New(DateTimeOffset.UnixEpoch);

    private DeliveryBench _bench = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _bench = await DeliveryBench.CreateAsync();
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task No_second_sees_more_sends_than_the_endpoint_allows_over_all_nodes(int nodes)
    {
        const int MaxPerSecond = 5;
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, maxPerSecond: MaxPerSecond);
        var all = Enumerable.Range(0, nodes).Select(_ => _bench.AddNode()).ToList();
        for (var i = 0; i < 30; i++)
        {
            await _bench.QueueAsync(endpoint);
        }

        var sentAt = new List<double>();
        for (var tick = 0; tick < 120 && sentAt.Count < 30; tick++)
        {
            await Task.WhenAll(all.Select(node => node.DeliverDueAsync()));
            sentAt.AddRange(Enumerable.Repeat(tick / 10.0, _receiver.Requests.Count - sentAt.Count));
            _bench.Clock.Advance(TimeSpan.FromSeconds(0.1));
        }

        Assert.Equal(30, sentAt.Count);
        Assert.All(sentAt, start => Assert.InRange(sentAt.Count(at => at >= start && at < start + 0.999), 1, MaxPerSecond));
        // Nor much slower: 30 take six seconds.
        Assert.InRange(sentAt[^1], 5.7, 8);
        Assert.Equal(30, await _bench.ScalarAsync<int>("select sum(attempt)::int from delivery_history"));
    }

    [Fact]
    public async Task Of_one_lead_the_next_starts_when_the_one_before_has_ended()
    {
        _receiver.Answer(WebhookReceiver.Status(500), WebhookReceiver.Status(500), WebhookReceiver.Status(200));
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, "custom", schedule: [10], ordered: true);
        foreach (var body in new[] { "1", "2", "3" })
        {
            await _bench.QueueAsync(endpoint, body, Ada);
        }

        await _bench.Node.DeliverDueAsync();
        Assert.Equal(["1"], Bodies());
        _bench.Clock.Advance(TimeSpan.FromSeconds(15));
        await _bench.Node.DeliverDueAsync();

        // The first failed for good, and that is an end too.
        Assert.Equal(["1", "1", "2", "3"], Bodies());
        Assert.Equal(new Dictionary<string, int> { ["failed/exhausted"] = 1, ["delivered"] = 2 }, await _bench.StatesAsync(endpoint));
    }

    [Fact]
    public async Task Order_is_kept_over_nodes_and_other_leads_do_not_wait()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, "short", ordered: true);
        for (var i = 0; i < 20; i++)
        {
            await _bench.QueueAsync(endpoint, $"a{i:00}", Ada);
            await _bench.QueueAsync(endpoint, $"g{i:00}", Grace);
        }
        await _bench.QueueAsync(endpoint, "without lead");
        var other = _bench.AddNode();

        await Task.WhenAll(_bench.Node.DeliverDueAsync(), other.DeliverDueAsync());
        await _bench.Node.DeliverDueAsync();

        var bodies = Bodies();
        Assert.Equal(41, bodies.Count);
        foreach (var lead in "ag")
        {
            var ofLead = bodies.Where(b => b[0] == lead).ToList();
            Assert.Equal(ofLead.Order(), ofLead);
        }
    }

    [Fact]
    public async Task A_lead_whose_first_delivery_fails_holds_up_nobody_else()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, "short", ordered: true);
        _receiver.Answer(WebhookReceiver.Status(500));
        await _bench.QueueAsync(endpoint, "a1", Ada);
        await _bench.Node.DeliverDueAsync();
        await _bench.QueueAsync(endpoint, "a2", Ada);
        await _bench.QueueAsync(endpoint, "g1", Grace);
        await _bench.QueueAsync(endpoint, "without lead");

        await _bench.Node.DeliverDueAsync();

        Assert.Equal(["a1", "g1", "without lead"], Bodies().Order());
    }

    [Fact]
    public async Task A_retry_by_hand_goes_behind_what_is_queued_for_the_lead()
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, "custom", schedule: [10], ordered: true);
        var (_, first) = await _bench.QueueAsync(endpoint, "1", Ada);
        await _bench.Node.DeliverDueAsync();
        _receiver.Answer(WebhookReceiver.Status(500));
        await _bench.QueueAsync(endpoint, "2", Ada);
        await _bench.Node.DeliverDueAsync();

        await _bench.Node.Store.RetryAsync(_bench.Workspace, first, default);
        await _bench.Node.DeliverDueAsync();
        _bench.Clock.Advance(TimeSpan.FromSeconds(15));
        await _bench.Node.DeliverDueAsync();

        Assert.Equal(["1", "2", "2", "1"], Bodies());
    }

    private List<string> Bodies() => [.. _receiver.Requests.Select(r => Encoding.UTF8.GetString(r.Body))];
}
