using System.Data.Common;

namespace SignalHub.Operations;

/// <summary>Goes on where a change of facts touched more leads than one request scores again.</summary>
public sealed class RescoreLoop(LeadRescoring rescoring, TimeProvider time, ILogger<RescoreLoop> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await rescoring.RunOnceAsync(stoppingToken))
                {
                }
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning("Scoring leads again waits for the database ({Reason}).", e.GetType().Name);
            }
        }
    }
}
