using SignalHub;
using SignalHub.Http;
using SignalHub.Storage;

if (args is ["--health", ..])
{
    return await HealthProbe.RunAsync(args.ElementAtOrDefault(1));
}

var builder = ProcessStart.CreateBuilder(args);
builder.AddSignalHubLogging();
builder.AddSignalHubStorage();
builder.AddSignalHubHealth();

var app = builder.Build();
app.UseRequestId();
app.UseRequestLog();
app.MapHealth();
return await app.RunSignalHubAsync();

/// <summary>Public for the tests' WebApplicationFactory.</summary>
public partial class Program;
