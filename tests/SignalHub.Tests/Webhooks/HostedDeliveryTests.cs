using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

/// <summary>The loop as the process runs it: registered services, the machine's clock, the database's clock in SQL.</summary>
public sealed class HostedDeliveryTests
{
    [Fact]
    public async Task The_loop_delivers_what_it_is_woken_for_and_stops_cleanly()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        using var host = DeliveryHost.On(bench, [.. DeliveryHost.Loopback, ("Webhooks:PollInterval", "01:00:00")]);
        await host.StartAsync();

        var endpoint = await bench.AddEndpointAsync(receiver.Url);
        await bench.QueueAsync(endpoint);
        host.Services.GetRequiredService<DeliverySignal>().Wake();
        await receiver.WaitForAsync(1);
        await bench.QueueManyAsync(endpoint, 300);
        host.Services.GetRequiredService<DeliverySignal>().Wake();
        await receiver.WaitForAsync(301);
        await host.StopAsync();

        Assert.Equal(new Dictionary<string, int> { ["delivered"] = 301 }, await bench.StatesAsync(endpoint));
        Assert.Equal(301L, await bench.ScalarAsync<long>("select count(*) from delivery_attempts"));
    }

    [Fact]
    public async Task A_wake_up_on_one_node_reaches_the_dispatcher_of_another()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        // Neither polls: what arrives came by the hint.
        (string, string)[] settings = [.. DeliveryHost.Loopback, ("Webhooks:PollInterval", "01:00:00")];
        using var dispatching = DeliveryHost.On(bench, settings);
        using var taking = DeliveryHost.On(bench, [.. settings, ("Roles:Dispatcher", "false")]);
        await dispatching.StartAsync();
        await taking.StartAsync();
        await dispatching.Services.GetRequiredService<DeliveryHintLoop>().Listening;

        for (var i = 1; i <= 3; i++)
        {
            await bench.QueueAsync(await bench.AddEndpointAsync(receiver.Url));
            taking.Services.GetRequiredService<DeliverySignal>().Wake();
            await receiver.WaitForAsync(i);
        }

        await taking.StopAsync();
        await dispatching.StopAsync();
        Assert.Equal(3, receiver.Requests.Count);
    }

    [Fact]
    public async Task A_failed_try_is_dated_by_the_databases_clock()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Otherwise(WebhookReceiver.Status(500));
        using var host = DeliveryHost.On(bench, DeliveryHost.Loopback);
        var (_, delivery) = await bench.QueueAsync(await bench.AddEndpointAsync(receiver.Url, "custom", schedule: [3_600]));

        await host.Services.GetRequiredService<Dispatcher>().RunOnceAsync(default);

        Assert.InRange(await bench.ScalarAsync<double>("select extract(epoch from next_at - now())::float8 from delivery_queue where id = $1", delivery), 2_800, 4_320);
    }

    [Fact]
    public async Task Settings_that_would_send_twice_end_the_start_with_one_line()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        using var host = DeliveryHost.On(bench, ("Webhooks:Lease", "00:00:30"));

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.StartsWith("Webhooks:Lease is 30 s", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task A_node_without_the_role_has_no_loop()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        using var host = DeliveryHost.On(bench, ("Roles:Dispatcher", "false"));

        Assert.Empty(host.Services.GetServices<IHostedService>().OfType<DeliveryLoop>());
        Assert.NotNull(host.Services.GetRequiredService<TestSend>());
        Assert.Null(host.Services.GetRequiredService<OutboundGuard>().CheckUrl("https://example.com/"));
    }
}
