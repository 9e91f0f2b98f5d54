using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// Makes sure that the month of a row exists before the row is written. A job makes months ahead; this is for what the job
/// did not foresee (it has not run for months, a clock was set), and costs a look into memory otherwise. Also drops months.
/// </summary>
public sealed class MonthlyPartitions(Database database, TimeProvider clock)
{
    // Nodes that miss the same month at once take turns, and the later finds it there.
    private const long LockKey = 0x5369_676E_616C_0002;

    private const string MonthsSql = """
        select right(c.relname, 7) from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = @parent::regclass and c.relname ~ '_[0-9]{4}_[0-9]{2}$'
         order by 1
        """;

    // Half of what PostgreSQL waits before it looks for a deadlock: whoever has to give way then, it is we. Everybody else waits
    // behind us meanwhile.
    private const string LockTimeout = "set local lock_timeout = '500ms'";

    private const string MonthForm = "yyyy_MM";

    /// <summary>Signals are kept; the months of all other tables may go once they are past.</summary>
    private const string Kept = "signals";

    private readonly ConcurrentDictionary<(string Parent, DateOnly Month), bool> _known = new();

    /// <param name="parent">A partitioned table of the schema.</param>
    /// <param name="instants">Values of its partition column.</param>
    public async Task EnsureAsync(string parent, IEnumerable<DateTimeOffset> instants, CancellationToken cancellationToken)
    {
        foreach (var month in instants.Select(MonthOf).Distinct().Where(month => !IsKnown(parent, month)))
        {
            await AddAsync(parent, month, cancellationToken);
            _known[(parent, month)] = true;
        }
    }

    /// <summary>The months of a table that lie before an instant as a whole.</summary>
    internal async Task<IReadOnlyList<DateOnly>> MonthsAsync(string parent, DateTimeOffset upTo, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(MonthsSql);
        command.Parameters.AddWithValue("parent", parent);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var months = new List<DateOnly>();
        while (await reader.ReadAsync(cancellationToken))
        {
            months.Add(DateOnly.ParseExact(reader.GetString(0), MonthForm, CultureInfo.InvariantCulture));
        }
        months.RemoveAll(month => StartOf(month.AddMonths(1)) > upTo || month >= MonthOf(clock.GetUtcNow()));
        return months;
    }

    /// <summary>Nobody writes to that month of these tables until the end of the transaction. False: somebody did for long; roll back.</summary>
    internal static Task<bool> TryCloseAsync(NpgsqlConnection connection, IReadOnlyList<string> parents, DateOnly month, CancellationToken cancellationToken) =>
        TryAsync(connection, [.. parents.Select(parent => $"lock table {PartitionOf(parent, month)} in exclusive mode")], cancellationToken);

    /// <summary>
    /// Drops that month of these tables, which nobody can use then until the end of the transaction. False: somebody uses one of them
    /// for long; roll back.
    /// </summary>
    internal static Task<bool> TryDropAsync(NpgsqlConnection connection, IReadOnlyList<string> parents, DateOnly month, CancellationToken cancellationToken) =>
        TryAsync(connection,
            [.. parents.Select(parent => $"lock table only {parent} in access exclusive mode"), .. parents.Select(parent => $"drop table {PartitionOf(parent, month)}")],
            cancellationToken);

    internal static DateTimeOffset StartOf(DateOnly month) => new(month.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    /// <summary>A month of the past may have been dropped by any node meanwhile.</summary>
    private bool IsKnown(string parent, DateOnly month) =>
        _known.ContainsKey((parent, month)) && (parent == Kept || month >= MonthOf(clock.GetUtcNow()));

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

    private static async Task<bool> TryAsync(NpgsqlConnection connection, IReadOnlyList<string> statements, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand($"{LockTimeout}; {string.Join("; ", statements)}", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }

    private static string PartitionOf(string parent, DateOnly month) => $"{parent}_{month.ToString(MonthForm, CultureInfo.InvariantCulture)}";

    private static DateOnly MonthOf(DateTimeOffset instant) => new(instant.UtcDateTime.Year, instant.UtcDateTime.Month, 1);
}
