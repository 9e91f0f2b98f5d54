using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub;

/// <summary>Makes the demo workspace once, keeps the keys, and shows a newcomer what to type next.</summary>
internal static class FirstStart
{
    public static async Task RunAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<SignalHubOptions>();
        var file = services.GetRequiredService<KeysFile>();
        var time = services.GetRequiredService<TimeProvider>();
        var kept = options.Embedded || options.Demo ? file.Read() : new StartKeys(null, null);
        var keys = kept with { OperatorKey = options.OperatorKey is null ? services.GetRequiredService<StorageStart>().OperatorKey : null };
        if (options.Demo && await services.GetRequiredService<WorkspaceStore>().EnsureFirstStartAsync(time.GetUtcNow(), cancellationToken) is { } made)
        {
            keys = keys with { WorkspaceKey = made };
        }
        var isKept = keys is not { OperatorKey: null, WorkspaceKey: null };
        if (isKept && keys != kept)
        {
            file.Write(keys);
        }
        if (options.Roles.Api && StartBanner.MayShowKeys(options))
        {
            ShowWhenListening(services, keys, isKept ? file.Path : null, time);
        }
    }

    private static void ShowWhenListening(IServiceProvider services, StartKeys keys, string? keysFile, TimeProvider time) =>
        services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() =>
        {
            // Not known before: the port may have been left to the system. A test's server has none.
            var url = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
            if (url is not null)
            {
                Console.Out.Write(StartBanner.Render(url, keys, keysFile, time.GetUtcNow()));
            }
        });
}
