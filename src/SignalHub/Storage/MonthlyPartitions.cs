using System.Collections.Concurrent;

namespace SignalHub.Storage;

/// <summary>
/// Makes sure that the month of a row exists before the row is written. A job makes months ahead; this is for what the job
/// did not foresee (it has not run for months, a clock was set), and costs a look into memory otherwise.
/// </summary>
public sealed class MonthlyPartitions(Database database)
{
    // Nodes that miss the same month at once take turns, and the later finds it there.
    private const long LockKey = 0x5369_676E_616C_0002;

    private readonly ConcurrentDictionary<(string Parent, DateOnly Month), bool> _known = new();

    /// <param name="parent">A partitioned table of the schema.</param>
    /// <param name="instants">Values of its partition column.</param>
    public async Task EnsureAsync(string parent, IEnumerable<DateTimeOffset> instants, CancellationToken cancellationToken)
    {
        foreach (var month in instants.Select(MonthOf).Distinct().Where(month => !_known.ContainsKey((parent, month))))
        {
            await AddAsync(parent, month, cancellationToken);
            _known[(parent, month)] = true;
        }
    }

    private async Task AddAsync(string parent, DateOnly month, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select pg_advisory_xact_lock({LockKey})";
        await command.ExecuteNonQueryAsync(cancellationToken);
        command.CommandText = "select add_month(@parent, @month)";
        command.Parameters.AddWithValue("parent", parent);
        command.Parameters.AddWithValue("month", month);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static DateOnly MonthOf(DateTimeOffset instant) => new(instant.UtcDateTime.Year, instant.UtcDateTime.Month, 1);
}
