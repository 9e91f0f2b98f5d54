using System.Data.Common;

namespace SignalHub.Workspaces;

/// <summary>Writes when keys were last used, and once more at the end.</summary>
public sealed class KeyUseLoop(KeyUse use, TimeProvider time, ILogger<KeyUseLoop> log) : BackgroundService
{
    // last_used_at is written at most this often per key.
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await use.RunOnceAsync(CancellationToken.None);
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning(e, "When keys were last used could not be written");
            }
        }
    }
}
