using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// Monthly partitions: made two months ahead by a loop, and by whoever needs one that is missing. Made outside of the
/// transaction that needs them, under an advisory lock: two nodes at once would wait for each other's table locks otherwise.
/// </summary>
public sealed class Partitions(Database database, TimeProvider time)
{
    private const int MonthsAhead = 2;

    // Any number that nothing else in this database uses for an advisory lock.
    private const long LockKey = 0x5167_6E61_6C50;

    // Signals may be older than the process has been away; everything else is dated when it is written.
    private const int SignalMonthsBack = 24;

    private const string AddMonths = """
        select add_month(t.parent, (date_trunc('month', $1::timestamptz at time zone 'UTC') + make_interval(months => i))::date)
          from (values ('signals', $2::int), ('webhook_events', 0), ('delivery_history', 0), ('delivery_attempts', 0)) t(parent, first),
               generate_series(t.first, $3::int) i
        """;

    // Ticks up to which every month is known to exist; the months behind the first one have a partition of their own.
    private long _madeBefore;

    /// <summary>Makes sure that there is a place for rows up to that instant.</summary>
    public ValueTask EnsureAsync(DateTimeOffset latest, CancellationToken ct) =>
        latest.UtcTicks < Interlocked.Read(ref _madeBefore) ? ValueTask.CompletedTask : new ValueTask(MakeAsync(latest, ct));

    /// <summary>This month and the next two.</summary>
    public Task MakeAheadAsync(CancellationToken ct) => MakeAsync(time.GetUtcNow(), ct);

    private async Task MakeAsync(DateTimeOffset from, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.Add($"select pg_advisory_xact_lock({LockKey})");
        var add = batch.Add(AddMonths);
        add.Parameters.Add(new NpgsqlParameter { Value = from.UtcDateTime });
        add.Parameters.Add(new NpgsqlParameter { Value = -SignalMonthsBack });
        add.Parameters.Add(new NpgsqlParameter { Value = MonthsAhead });
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        var month = new DateTimeOffset(from.UtcDateTime.Year, from.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
        Interlocked.Exchange(ref _madeBefore, Math.Max(_madeBefore, month.AddMonths(MonthsAhead + 1).UtcTicks));
    }
}

/// <summary>Keeps the months ahead.</summary>
public sealed class PartitionLoop(Partitions partitions, TimeProvider time, ILogger<PartitionLoop> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await partitions.MakeAheadAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                log.LogWarning("The next months' partitions were not made ({Reason}); the intake makes them when needed.", e.GetType().Name);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
