using SignalHub;
using SignalHub.Automations;
using SignalHub.Http;
using SignalHub.Jobs;
using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Operations;
using SignalHub.Projects;
using SignalHub.Qualification;
using SignalHub.Signals;
using SignalHub.Signals.Batch;
using SignalHub.Signals.V1;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Telemetry;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Retention;
using SignalHub.Workspaces;

if (args is ["--health", ..])
{
    return await HealthProbe.RunAsync(args.ElementAtOrDefault(1));
}

var builder = ProcessStart.CreateBuilder(args);
builder.AddSignalHubTelemetry();
builder.AddSignalHubLogging();
builder.AddSignalHubStorage();
builder.AddSignalHubHealth();
builder.AddSignalHubMetrics();
builder.AddSignalHubHttp();
builder.Services.AddWorkspaces();
builder.Services.AddSignalTypes();
builder.Services.AddQualification();
builder.Services.AddSingleton<NewWorkspaceStep>(DefinitionStore.AddSamplesAsync);
builder.Services.AddIdentity();
builder.Services.AddLeads();
builder.Services.AddSignals();
builder.Services.AddSignalReads();
builder.Services.AddWebhooks(builder.Configuration, Catalogue.KeyOf);
builder.Services.AddAutomations();
builder.Services.AddDeliveryRetention(builder.Configuration);
builder.Services.AddProjects();
builder.Services.AddJobs(builder.Configuration);
builder.Services.AddOperations(builder.Configuration);
builder.Services.AddOpenApiDocument();

var app = builder.Build();
app.UseRequestId();
app.UseOverloadRefusal();
app.UseRequestLog();
app.UseProblems();
app.UseRouting();
app.UseKeyAuthentication();
app.UseSwaggerPages();
app.MapHealth();
app.MapMetrics();
if (app.Configuration.HasRole(Roles.Api))
{
    app.MapSignals();
    app.MapSignalBatch();
    app.MapV1Signals();
    app.MapSignalReads();
    app.MapSignalTypes();
    app.MapLeads();
    app.MapQualification();
    app.MapWebhooks();
    app.MapAutomations();
    app.MapProjects();
    app.MapOperations();
    app.MapWorkspaces();
}
return await app.RunSignalHubAsync(IdentityServices.CheckAsync, OperationsApi.ConnectAsync, FirstStart.RunAsync);

/// <summary>Public for the tests' WebApplicationFactory.</summary>
public partial class Program;
