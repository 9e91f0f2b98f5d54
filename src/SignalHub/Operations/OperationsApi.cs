using SignalHub.Http;
using SignalHub.Jobs;
using SignalHub.Leads;
using SignalHub.Operations.Replay;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Operations;

/// <summary>What needs several slices: explaining and replaying deliveries, scoring leads again; and the routes of jobs.</summary>
public static class OperationsApi
{
    public static IServiceCollection AddOperations(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<RescoreStore>();
        services.AddSingleton<LeadRescoring>();
        if (configuration.HasRole(Roles.Jobs))
        {
            services.AddHostedService<RescoreLoop>();
        }
        services.AddSingleton<StoredSignalStore>();
        services.AddSingleton<StoredSignals>();
        services.AddSingleton<AutomationTrials>();
        services.AddSingleton<ReplayStore>();
        services.AddSingleton<MissingDeliveries>();
        services.AddSingleton<Replays>();
        services.AddSingleton(provider => new JobKind(Replays.Kind, provider.GetRequiredService<Replays>().RunAsync));
        return services;
    }

    /// <summary>Facts are changed in a slice that knows nothing of signals; scoring again is plugged in here.</summary>
    public static Task ConnectAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var rescoring = services.GetRequiredService<LeadRescoring>();
        services.GetRequiredService<AccountEditor>().OnFactsChanged = rescoring.RescoreAccountAsync;
        services.GetRequiredService<ContactEditor>().OnProfileChanged = rescoring.RescoreAccountAsync;
        return Task.CompletedTask;
    }

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var endpoints = routes.MapGroup("/webhooks/endpoints/{id}").WithTags("Webhook endpoints").ProducesProblems(401, 403, 503);
        endpoints.MapPost("/explain", ExplainApi.ExplainEndpoint).RequireScope(Scopes.Read, liveOnly: true)
            .Produces<ExplainView>().ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample("""{"signal_id": "sig_01j4k8m2n3p5q6r7s8t9v0w1x2"}""");
        endpoints.MapPost("/replay", ReplayApi.StartReplay).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<JobView>(202).Produces<ReplayCountView>().ProducesProblems(400, 404, 409, 413, 415, 422)
            .WithRequestExample("""{"since": "2026-05-26T00:00:00Z", "until": "2026-05-27T00:00:00Z", "status": "failed", "dry_run": true}""");

        var automations = routes.MapGroup("/automations/{id}").WithTags("Automations").ProducesProblems(401, 403, 503);
        automations.MapGet("/runs", AutomationTrialApi.ListAutomationRuns).RequireScope(Scopes.Read, liveOnly: true).RefuseUnknownParameters()
            .Produces<Page<AutomationOutcomeView>>().ProducesProblems(400, 404);
        automations.MapPost("/test", AutomationTrialApi.TestAutomation).RequireScope(Scopes.Read, liveOnly: true)
            .Produces<AutomationTrialView>().ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample("""{"signal_id": "sig_01j4k8m2n3p5q6r7s8t9v0w1x2"}""");

        var jobs = routes.MapGroup("/jobs").WithTags("Jobs").ProducesProblems(401, 403, 503);
        jobs.MapGet("/", JobsApi.ListJobs).RequireScope(Scopes.Read, liveOnly: true).RefuseUnknownParameters().Produces<Page<JobView>>().ProducesProblems(400);
        jobs.MapGet("/{id}", JobsApi.GetJob).RequireScope(Scopes.Read, liveOnly: true).Produces<JobView>().ProducesProblems(404);
        jobs.MapPost("/{id}/cancel", JobsApi.CancelJob).RequireScope(Scopes.Manage, liveOnly: true).Produces<JobView>().ProducesProblems(404, 409);
    }
}
