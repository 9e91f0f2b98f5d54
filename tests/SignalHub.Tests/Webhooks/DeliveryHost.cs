using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

/// <summary>Delivery as the process hosts it: registered services, the machine's clock, the database's clock in SQL.</summary>
internal static class DeliveryHost
{
    /// <summary>Settings that let it reach receivers of tests.</summary>
    public static (string Name, string Value)[] Loopback { get; } = [("Webhooks:AllowHttp", "true"), ("Webhooks:AllowedNetworks:0", "127.0.0.0/8")];

    public static IHost On(DeliveryBench bench, params (string Name, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)));
        builder.Logging.ClearProviders();
        // Instances of the bench: the container does not own them.
        builder.Services.AddSingleton(bench.Database);
        builder.Services.AddSingleton<IDataProtectionProvider>(bench.Keys);
        builder.Services.AddWebhookDelivery(builder.Configuration);
        return builder.Build();
    }
}
