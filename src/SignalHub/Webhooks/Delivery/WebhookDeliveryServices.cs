using System.Net;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

public static class WebhookDeliveryServices
{
    /// <summary>
    /// Everything that sends. The loop runs only where <c>Roles:Dispatcher</c> is on (the default); a node without it still
    /// checks URLs and makes test sends. Needs the database and data protection to be registered.
    /// </summary>
    public static IServiceCollection AddWebhookDelivery(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<WebhookOptions>().Bind(configuration.GetSection(WebhookOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsCheck>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<MonthlyPartitions>();
        services.TryAddSingleton<ResolveHost>(Dns.GetHostAddressesAsync);
        services.AddSingleton<OutboundGuard>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<SecretProtection>();
        services.AddSingleton<DeliverySignal>();
        services.AddSingleton<DeliveryStore>();
        services.AddSingleton<ClaimStore>();
        services.AddSingleton<TargetStore>();
        services.AddSingleton<CancelStore>();
        services.AddSingleton<EndpointHealthStore>();
        services.AddSingleton<AttemptStore>();
        services.AddSingleton<EventExtrasStore>();
        services.AddSingleton<DeliveryHintStore>();
        services.AddSingleton<EndpointStore>();
        services.AddSingleton<TestSend>();
        services.AddSingleton<Dispatcher>();
        // Also where nothing is dispatched: what is taken in there is delivered elsewhere.
        services.AddSingleton<DeliveryHintLoop>();
        services.AddHostedService(provider => provider.GetRequiredService<DeliveryHintLoop>());
        if (configuration.HasRole(Roles.Dispatcher))
        {
            services.AddHostedService<DeliveryLoop>();
            services.AddHostedService<QueueStateLoop>();
        }
        return services;
    }

    private sealed class WebhookOptionsCheck : IValidateOptions<WebhookOptions>
    {
        public ValidateOptionsResult Validate(string? name, WebhookOptions options) =>
            options.Problem() is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
    }
}
