using System.Text.Json;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>Routes and services of the slice.</summary>
public static class WebhooksApi
{
    private const string EndpointExample = """
        {"url": "https://example.com/hooks/signalhub", "description": "CRM", "events": ["signal.qualified"],
         "filter": {"sources": ["segment"], "when": "icp.score >= 70"}, "retry_policy": "standard"}
        """;

    /// <summary>Endpoints, events, the delivery log and everything that sends. Needs the database and data protection to be registered.</summary>
    /// <param name="typeKey">How ingest names signal types, so that filters name them alike.</param>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration, SignalTypeKey typeKey)
    {
        services.AddWebhookDelivery(configuration);
        services.TryAddSingleton<WorkspaceChanges>();
        services.AddSingleton(typeKey);
        services.AddSingleton<EndpointValidator>();
        services.AddSingleton<EndpointEditor>();
        services.AddSingleton<DeliveryLogStore>();
        services.AddSingleton(provider => new WorkspaceSnapshots<EndpointSet>(provider.GetRequiredService<WorkspaceChanges>(),
            new EndpointLoader(provider.GetRequiredService<EndpointStore>(), provider.GetRequiredService<ILogger<EndpointLoader>>()).LoadAsync));
        return services;
    }

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        MapEndpoints(routes.MapGroup("/webhooks/endpoints").WithTags("Webhook endpoints").ProducesProblems(401, 403, 503));
        MapHooks(routes.MapGroup("/hooks").WithTags("REST hooks").ProducesProblems(401, 403, 503));
        MapDeliveries(routes.MapGroup("/webhooks/deliveries").WithTags("Webhook deliveries").ProducesProblems(401, 403, 503));
    }

    private static void MapEndpoints(RouteGroupBuilder endpoints)
    {
        endpoints.MapGet("/", EndpointsApi.ListEndpoints).Reads<Page<EndpointView>>().ProducesProblems(400);
        endpoints.MapPost("/", EndpointsApi.CreateEndpoint).Manages<EndpointView>(201).ProducesProblems(400, 409, 413, 415, 422)
            .WithRequestExample(EndpointExample);
        endpoints.MapPost("/bulk", BulkEndpointsApi.CreateEndpoints).Manages<BulkEndpointsView>(201).Produces<BulkEndpointsView>(207)
            .Produces<BulkEndpointsView>(422).ProducesProblems(400, 413, 415)
            .WithRequestExample("""{"endpoints": [{"url": "https://example.com/hooks/a"}, {"url": "https://example.com/hooks/b", "events": ["lead.created"]}]}""");
        endpoints.MapGet("/{id}", EndpointsApi.GetEndpoint).Reads<EndpointView>().ProducesProblems(404);
        endpoints.MapPut("/{id}", EndpointsApi.PutEndpoint).Manages<EndpointView>(200).ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample(EndpointExample);
        endpoints.MapPatch("/{id}", EndpointsApi.PatchEndpoint).Manages<EndpointView>(200).ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample("""{"enabled": true}""");
        endpoints.MapDelete("/{id}", EndpointsApi.DeleteEndpoint).RequireScope(Scopes.Manage, liveOnly: true).Produces(204).ProducesProblems(404, 409);
        endpoints.MapPost("/{id}/rotate", EndpointsApi.RotateEndpointSecret).Manages<EndpointView>(201).ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample("""{"grace_period_hours": 24}""");
        endpoints.MapPost("/{id}/rotate/finish", EndpointsApi.FinishEndpointRotation).Manages<EndpointView>(200).ProducesProblems(404);
        endpoints.MapPost("/{id}/test", EndpointsApi.TestEndpoint).Manages<TestSendView>(200).ProducesProblems(404);
    }

    private static void MapDeliveries(RouteGroupBuilder deliveries)
    {
        deliveries.MapGet("/", DeliveriesApi.ListDeliveries).RefuseUnknownParameters().EmptyParametersAreAbsent().Reads<Page<DeliveryView>>().ProducesProblems(400);
        deliveries.MapGet("/{id}", DeliveriesApi.GetDelivery).Reads<DeliveryDetailView>().ProducesProblems(404);
        deliveries.MapPost("/{id}/retry", DeliveriesApi.RetryDelivery).Manages<DeliveryView>(202).ProducesProblems(404, 409);
        deliveries.MapPost("/{id}/cancel", DeliveriesApi.CancelDelivery).Manages<DeliveryView>(200).ProducesProblems(404, 409);
    }

    private static void MapHooks(RouteGroupBuilder hooks)
    {
        hooks.MapPost("/", HooksApi.CreateHook).Manages<HookView>(201).ProducesProblems(400, 409, 413, 415, 422)
            .WithRequestExample("""{"target_url": "https://hooks.zapier.com/hooks/standard/1/a/", "event": "signal.qualified"}""");
        hooks.MapDelete("/{id}", HooksApi.DeleteHook).RequireScope(Scopes.Manage, liveOnly: true).Produces(204);
        hooks.MapGet("/sample", HooksApi.GetSamples).RefuseUnknownParameters().Reads<IReadOnlyList<JsonElement>>().ProducesProblems(400);
    }

    private static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder route) => route.RequireScope(Scopes.Read, liveOnly: true).Produces<T>();

    private static RouteHandlerBuilder Manages<T>(this RouteHandlerBuilder route, int status) =>
        route.RequireScope(Scopes.Manage, liveOnly: true).Produces<T>(status);
}

/// <summary>Loads a workspace's endpoints and reports those whose condition no longer compiles.</summary>
internal sealed class EndpointLoader(EndpointStore store, ILogger<EndpointLoader> log)
{
    public async Task<EndpointSet> LoadAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var set = await store.LoadSetAsync(workspaceId, cancellationToken);
        foreach (var broken in set.All.Where(e => e.HasBrokenCondition))
        {
            log.LogWarning("The condition of endpoint {Endpoint} of workspace {Workspace} no longer compiles: it matches nothing",
                Ids.Text(Ids.Endpoint, broken.Id), Ids.Text(Ids.Workspace, workspaceId));
        }
        return set;
    }
}
