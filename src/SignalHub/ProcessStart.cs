using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Options;
using SignalHub.Storage;

namespace SignalHub;

/// <summary>How the process begins and ends: configuration, the steps before it serves, exit codes.</summary>
internal static class ProcessStart
{
    private const int Ok = 0;
    private const int CannotStart = 1;
    private const int InterruptedAtStart = 130; // as a shell reports what a Ctrl-C ended

    // Requests in flight end, the intake drains, deliveries in flight are written; then the process goes.
    private static readonly TimeSpan _shutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A builder whose defaults lie beside the binary, not in the working directory, and below everything else: with the usual
    /// order the address in <c>appsettings.json</c> would win over <c>ASPNETCORE_URLS</c>.
    /// </summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var sources = ((IConfigurationBuilder)builder.Configuration).Sources;
        var files = sources.OfType<JsonConfigurationSource>().ToList();
        for (var i = 0; i < files.Count; i++)
        {
            sources.Remove(files[i]);
            // Not watched: settings are read once, and a container may have no file watchers left.
            sources.Insert(i, new JsonConfigurationSource { Path = files[i].Path!, FileProvider = files[i].FileProvider, Optional = true });
        }
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = _shutdownTimeout);
        return builder;
    }

    /// <summary>
    /// Prepares the storage, runs the other steps in order, then serves until it is asked to stop. What the operator must put
    /// right is one line on standard error and exit code 1.
    /// </summary>
    public static async Task<int> RunSignalHubAsync(this WebApplication app, params Func<IServiceProvider, CancellationToken, Task>[] steps)
    {
        StorageStart? storage = null;
        try
        {
            storage = app.Services.GetRequiredService<StorageStart>();
            await PrepareAsync(app, storage, steps);
            await app.RunAsync();
            return Ok;
        }
        catch (StartException e)
        {
            return await RefuseAsync(app, e.Message);
        }
        catch (OptionsValidationException e)
        {
            return await RefuseAsync(app, string.Join(" ", e.Failures));
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return await RefuseAsync(app, $"{e.Message.TrimEnd('.')}: stop what listens there, or give another address with ASPNETCORE_URLS.");
        }
        catch (OperationCanceledException)
        {
            return InterruptedAtStart;
        }
        finally
        {
            await (storage?.StopAsync() ?? Task.CompletedTask);
        }
    }

    /// <summary>The host's own handling of signals begins when it serves; until then an interrupt cancels the step at work.</summary>
    private static async Task PrepareAsync(WebApplication app, StorageStart storage, Func<IServiceProvider, CancellationToken, Task>[] steps)
    {
        using var interrupted = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        await storage.RunAsync(interrupted.Token);
        foreach (var step in steps)
        {
            await step(app.Services, interrupted.Token);
        }

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }
    }

    private static async Task<int> RefuseAsync(WebApplication app, string reason)
    {
        await app.DisposeAsync(); // writes the log to its end, so that the reason is the last thing said
        await Console.Error.WriteLineAsync($"SignalHub cannot start: {reason.ReplaceLineEndings(" ")}");
        return CannotStart;
    }
}
