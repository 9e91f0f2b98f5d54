using SignalHub.Storage;

namespace SignalHub.Webhooks.Retention;

/// <summary>What a run removed. <paramref name="Months"/>: partitions dropped whole, whose rows are not counted.</summary>
public readonly record struct RetentionCounts(int Attempts = 0, int Deliveries = 0, int Events = 0, int Months = 0)
{
    public static RetentionCounts operator +(RetentionCounts a, RetentionCounts b) =>
        new(a.Attempts + b.Attempts, a.Deliveries + b.Deliveries, a.Events + b.Events, a.Months + b.Months);
}

/// <summary>
/// Takes out of the delivery log what has been kept long enough: tries, deliveries that ended, skipped ones, and events without
/// a delivery left. What waits is never touched, nor is its event.
/// </summary>
public sealed class DeliveryRetention(RetentionStore store, MonthlyPartitions partitions, RetentionOptions kept, TimeProvider clock)
{
    // Some tens of milliseconds each: the intake does not notice.
    internal const int Batch = 1_000;

    /// <summary>Removes all that is over now. Ends early when another node is found at it.</summary>
    public async Task<RetentionCounts> RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (attempts, ended, skipped) = (Before(now, kept.AttemptDays), Before(now, kept.DeliveryDays), Before(now, kept.SkippedDays));
        var counts = new RetentionCounts();
        if (await DropMonthsAsync(attempts, ended, skipped, cancellationToken) is not { } months)
        {
            return counts;
        }
        counts += new RetentionCounts(Months: months);
        foreach (var workspace in await store.WorkspacesAsync(cancellationToken))
        {
            var oldest = kept.SkippedPerWorkspace == 0 ? default : await store.OldestKeptAsync(workspace, kept.SkippedPerWorkspace, cancellationToken);
            Func<Task<RetentionCounts?>>[] works =
            [
                async () => await store.DeleteAttemptsAsync(workspace, attempts, Batch, cancellationToken) is { } a ? new RetentionCounts(Attempts: a) : null,
                async () => CountsOf(await store.DeleteEndedAsync(workspace, ended, Batch, cancellationToken)),
                async () => CountsOf(await store.DeleteSkippedAsync(workspace, skipped, oldest, Batch, cancellationToken)),
            ];
            foreach (var work in works)
            {
                RetentionCounts removed;
                do
                {
                    if (await work() is not { } batch)
                    {
                        return counts;
                    }
                    removed = batch;
                    counts += removed;
                }
                while (removed.Attempts + removed.Deliveries > 0);
            }
        }
        return counts;
    }

    /// <summary>Null: another node is at work.</summary>
    private async Task<int?> DropMonthsAsync(DateTimeOffset attempts, DateTimeOffset ended, DateTimeOffset skipped, CancellationToken cancellationToken)
    {
        var dropped = 0;
        foreach (var month in await partitions.MonthsAsync("delivery_attempts", upTo: attempts, cancellationToken))
        {
            if (await store.DropAttemptsAsync(month, cancellationToken) is not { } done)
            {
                return null;
            }
            dropped += done ? 1 : 0;
        }
        foreach (var month in await partitions.MonthsAsync("delivery_history", upTo: ended < skipped ? ended : skipped, cancellationToken))
        {
            if (await store.DropDeliveriesAsync(month, ended, skipped, cancellationToken) is not { } done)
            {
                return null;
            }
            dropped += done ? 1 : 0;
        }
        return dropped;
    }

    private static RetentionCounts? CountsOf(RemovedDeliveries? removed) =>
        removed is { } r ? new RetentionCounts(Deliveries: r.Deliveries, Events: r.Events) : null;

    /// <summary>0 days: for ever.</summary>
    private static DateTimeOffset Before(DateTimeOffset now, int days) => days == 0 ? DateTimeOffset.UnixEpoch : now.AddDays(-days);
}
