using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

/// <summary>What a process takes in and sends itself. Nobody is woken and nothing polls here: what arrives was not claimed.</summary>
public sealed class FreshDeliveriesTests : IAsyncLifetime
{
    private DeliveryBench _bench = null!;
    private WebhookReceiver _receiver = null!;
    private IHost _host = null!;

    private Dispatcher Dispatcher => _host.Services.GetRequiredService<Dispatcher>();

    public async Task InitializeAsync()
    {
        _bench = await DeliveryBench.CreateAsync();
        _receiver = await WebhookReceiver.StartAsync();
        _host = DeliveryHost.On(_bench, [.. DeliveryHost.Loopback, ("Webhooks:PollInterval", "01:00:00"), ("Webhooks:Held", "12")]);
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _receiver.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task It_is_sent_as_soon_as_it_is_written_and_its_first_try_is_counted()
    {
        var endpoint = await KnownEndpointAsync();
        var delivery = New(endpoint);

        using var fresh = Dispatcher.Reserve([delivery]);
        await WriteAsync(delivery);
        var stored = await _bench.ScalarAsync<string>(
            "select format('%s %s %s', attempt, claims, next_at > now() + interval '60 seconds') from delivery_queue where id = $1", delivery.Id);
        fresh.Send();
        await _receiver.WaitForAsync(2);
        await _host.StopAsync();

        Assert.Equal("1 1 t", stored);
        Assert.Equal("1", _receiver.Requests[1].Headers["X-SignalHub-Attempt"]);
        Assert.Equal("delivered", await _bench.StateAsync(delivery.Id));
        Assert.Equal(1L, await _bench.ScalarAsync<long>("select count(*) from delivery_attempts where delivery_id = $1", delivery.Id));
    }

    [Fact]
    public async Task What_was_written_by_a_process_that_died_goes_out_when_its_lease_is_over()
    {
        var endpoint = await KnownEndpointAsync();
        var delivery = New(endpoint);
        using (Dispatcher.Reserve([delivery]))
        {
            // The commit went through, and nobody heard of it.
            await WriteAsync(delivery);
        }
        Wake();
        await _bench.ExecuteAsync("update delivery_queue set next_at = now()");
        Wake();
        await _receiver.WaitForAsync(2);
        await _host.StopAsync();

        Assert.Equal("2", _receiver.Requests[1].Headers["X-SignalHub-Attempt"]);
        Assert.Equal("delivered", await _bench.StateAsync(delivery.Id));
    }

    [Fact]
    public async Task An_endpoint_that_was_disabled_meanwhile_gets_nothing()
    {
        var endpoint = await KnownEndpointAsync();
        var delivery = New(endpoint);
        using (var fresh = Dispatcher.Reserve([delivery]))
        {
            await WriteAsync(delivery);
            await _bench.ExecuteAsync("update webhook_endpoints set enabled = false");
            fresh.Send();
        }
        await _bench.UntilAsync("select claims = 0 from delivery_queue where id = $1", delivery.Id);
        await _bench.Node.DeliverDueAsync();

        Assert.Equal("skipped/endpoint_disabled", await _bench.StateAsync(delivery.Id));
        Assert.Single(_receiver.Requests);
    }

    [Fact]
    public async Task An_endpoint_that_is_new_here_or_that_only_a_claim_can_serve_is_left_to_claims()
    {
        var (paced, ordered) = (await KnownEndpointAsync(maxPerSecond: 5), await KnownEndpointAsync(ordered: true));
        var failing = await KnownEndpointAsync();
        _receiver.Otherwise(WebhookReceiver.Status(500));
        await _bench.QueueAsync(failing);
        Wake();
        await _receiver.WaitForAsync(4);
        await _bench.UntilAsync("select consecutive_failures = 1 from webhook_endpoints where id = $1", failing);
        var unknown = await _bench.AddEndpointAsync(_receiver.Url);

        using var fresh = Dispatcher.Reserve([New(paced), New(ordered), New(failing), New(unknown)]);

        Assert.Equal(0, fresh.Count);
    }

    [Fact]
    public async Task Half_of_the_room_stays_for_what_is_in_the_queue_and_what_was_not_written_leaves_its_place()
    {
        var endpoint = await KnownEndpointAsync();
        NewDelivery[] deliveries = [.. Enumerable.Range(0, 8).Select(_ => New(endpoint))];
        using (var fresh = Dispatcher.Reserve(deliveries))
        {
            Assert.Equal(6, fresh.Count);
            Assert.Equal(6, deliveries.Count(d => d.Lease is not null));
            Assert.Equal(0, Dispatcher.Reserve([New(endpoint)]).Count);
        }

        using var again = Dispatcher.Reserve([New(endpoint)]);
        Assert.Equal(1, again.Count);
    }

    [Fact]
    public async Task A_dispatcher_that_stops_takes_nothing_any_more()
    {
        var endpoint = await KnownEndpointAsync();

        await _host.StopAsync();

        Assert.Equal(0, Dispatcher.Reserve([New(endpoint)]).Count);
    }

    /// <summary>One that this process has sent something to.</summary>
    private async Task<Guid> KnownEndpointAsync(int? maxPerSecond = null, bool ordered = false)
    {
        var endpoint = await _bench.AddEndpointAsync(_receiver.Url, maxPerSecond: maxPerSecond, ordered: ordered);
        var (_, delivery) = await _bench.QueueAsync(endpoint);
        Wake();
        await _bench.UntilAsync("select state = 'delivered' from deliveries where id = $1", delivery);
        return endpoint;
    }

    private void Wake() => _host.Services.GetRequiredService<DeliverySignal>().Wake();

    private NewDelivery New(Guid endpoint)
    {
        var id = Ids.New(_bench.Clock.GetUtcNow());
        var made = new WebhookEvent(_bench.Workspace, id, Ids.InstantOf(id), WebhookEventTypes.SignalQualified, null, null, "{}"u8.ToArray());
        return new NewDelivery(made, endpoint, NewDelivery.IdOf(id, endpoint), Enabled: true, Ordered: false);
    }

    private async Task WriteAsync(NewDelivery delivery)
    {
        await using var connection = await _bench.Database.OpenAsync(default);
        await using var batch = new NpgsqlBatch(connection);
        OutboxStore.AddTo(batch, [delivery.Event], [delivery]);
        await batch.ExecuteNonQueryAsync();
    }
}
