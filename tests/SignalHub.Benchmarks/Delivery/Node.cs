using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>The product's dispatcher as the process runs it: its registrations, its loop, its default settings.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly IHost _host;

    private Node(IHost host) => _host = host;

    public Dispatcher Dispatcher => _host.Services.GetRequiredService<Dispatcher>();

    public DeliverySignal Signal => _host.Services.GetRequiredService<DeliverySignal>();

    public static async Task<Node> StartAsync(DeliveryDatabase database)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("Webhooks:AllowHttp", "true"), new("Webhooks:AllowedNetworks:0", "127.0.0.0/8")]);
        builder.Logging.SetMinimumLevel(LogLevel.Error).AddSimpleConsole();
        // Instances of the run: the container does not own them.
        builder.Services.AddSingleton(database.Database);
        builder.Services.AddSingleton(database.Keys);
        builder.Services.AddWebhookDelivery(builder.Configuration);
        var host = builder.Build();
        await host.StartAsync();
        return new Node(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
