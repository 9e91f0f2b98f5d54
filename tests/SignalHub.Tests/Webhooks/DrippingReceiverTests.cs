using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>Receivers that always send another byte in time and never come to an end: one byte a second, on real sockets.</summary>
public sealed class DrippingReceiverTests
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    private const string ChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static readonly string Body = new('x', 1_000);

    [Fact]
    public async Task A_byte_a_second_ends_with_the_endpoints_timeout_and_holds_nobody_else_up()
    {
        await using var bench = await DeliveryBench.CreateAsync();
        await using var healthy = await WebhookReceiver.StartAsync();
        await using var slowHead = DrippingReceiver.Start("", Head + Body);
        await using var slowBody = DrippingReceiver.Start(Head, Body);
        await using var slowChunks = DrippingReceiver.Start(ChunkedHead, "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n");
        Guid[] dripping = [await AddAsync(bench, slowHead, 1), await AddAsync(bench, slowBody, 1), await AddAsync(bench, slowChunks, 1)];
        var patient = await AddAsync(bench, slowBody, 30);
        foreach (var endpoint in dripping.Append(patient))
        {
            await bench.QueueManyAsync(endpoint, 20);
        }
        await bench.QueueManyAsync(await bench.AddEndpointAsync(healthy.Url), 40);

        using var host = DeliveryHost.On(bench, [.. DeliveryHost.Loopback, ("Webhooks:ShutdownGrace", "00:00:00")]);
        await host.StartAsync();
        await healthy.WaitForAsync(40);
        while (await bench.ScalarAsync<long>("select count(distinct endpoint_id) from delivery_attempts where endpoint_id = any ($1)", dripping) < dripping.Length)
        {
            Assert.Equal(0L, await bench.ScalarAsync<long>("select count(*) from delivery_attempts where endpoint_id = $1", patient));
        }
        await host.StopAsync();

        Assert.Equal(["timeout", "timeout 200", "timeout 200"], (await OutcomesAsync(bench, dripping)).Order(StringComparer.Ordinal));
        // The whole exchange, not the time between two bytes; how much later it is noticed is up to the machine.
        Assert.InRange(await bench.ScalarAsync<double>("select min(duration_ms) from delivery_attempts where endpoint_id = any ($1)", dripping), 990, 5_000);
        Assert.Equal(40L, await bench.ScalarAsync<long>("select count(*) from delivery_history where state = 'delivered'"));
    }

    private static Task<Guid> AddAsync(DeliveryBench bench, DrippingReceiver receiver, int timeoutSeconds) =>
        bench.AddEndpointAsync(receiver.Url, "custom", timeoutSeconds, schedule: [3_600]);

    private static async Task<IEnumerable<string>> OutcomesAsync(DeliveryBench bench, Guid[] endpoints)
    {
        var outcomes = new List<string>();
        foreach (var endpoint in endpoints)
        {
            outcomes.Add(await bench.ScalarAsync<string>(
                "select string_agg(distinct error_class || coalesce(' ' || status_code, ''), ', ') from delivery_attempts where endpoint_id = $1", endpoint));
        }
        return outcomes;
    }
}
