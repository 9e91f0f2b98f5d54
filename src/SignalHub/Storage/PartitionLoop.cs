using System.Data.Common;

namespace SignalHub.Storage;

/// <summary>Makes the partitions of the coming months, so that the intake finds them there.</summary>
public sealed class PartitionLoop(MonthlyPartitions partitions, TimeProvider time, ILogger<PartitionLoop> log) : BackgroundService
{
    private const int MonthsAhead = 2;

    private static readonly TimeSpan _period = TimeSpan.FromHours(6);
    private static readonly string[] _tables = ["signals", "webhook_events", "delivery_attempts"];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, time);
        do
        {
            try
            {
                var now = time.GetUtcNow();
                foreach (var table in _tables)
                {
                    await partitions.EnsureAsync(table, Enumerable.Range(0, MonthsAhead + 1).Select(i => now.AddMonths(i)), stoppingToken);
                }
            }
            catch (Exception e) when (e is DbException or TimeoutException)
            {
                log.LogWarning("The next months' partitions were not made ({Reason}); whoever needs one makes it.", e.GetType().Name);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
