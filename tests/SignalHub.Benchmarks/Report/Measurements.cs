namespace SignalHub.Benchmarks.Report;

/// <summary>One figure over the rounds.</summary>
internal sealed record Figure(double Min, double Median, double Max)
{
    /// <summary>Of at least one value.</summary>
    public static Figure Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return new Figure(sorted[0], sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[^1]);
    }
}

/// <summary>One run of a load generator against one contender.</summary>
/// <param name="Connections">Closed loop: each sends the next event when the last one is answered.</param>
/// <param name="Events">Answered 2xx, or transactions committed.</param>
/// <param name="P99Ms">Null where pgbench keeps no log of each transaction.</param>
/// <param name="AppMicroseconds">Processor time per event of the process that serves HTTP; null: there is none.</param>
/// <param name="GeneratorMicroseconds">The same of wrk or pgbench.</param>
internal sealed record Measurement(
    int Round, string Contender, int Connections, long Events, double PerSecond, double? P50Ms, double? P99Ms,
    double? AppMicroseconds, double PostgresMicroseconds, double GeneratorMicroseconds)
{
    /// <summary>Processor time per event of everything that took part.</summary>
    public double TotalMicroseconds => (AppMicroseconds ?? 0) + PostgresMicroseconds + GeneratorMicroseconds;
}

/// <summary>A figure that is compared over time.</summary>
/// <param name="Target">What it should be at least, or at most where <paramref name="AtMost"/>; null: it has none and explains the others.</param>
internal sealed record Ratio(string Name, Figure Value, double? Target, bool AtMost, string Unit)
{
    /// <summary>By the median over the rounds.</summary>
    public bool IsMet => AtMost ? Value.Median <= Target : Value.Median >= Target;
}

/// <summary>Where it ran: figures of two machines are not comparable, ratios within one run are.</summary>
internal sealed record Machine(
    string Processor, int Cores, double MemoryGigabytes, string Kernel, string DotNet, double? FdatasyncMicroseconds, double LoadBefore,
    IReadOnlyDictionary<string, string> PostgreSql);

/// <summary>Everything a run found.</summary>
internal sealed record LoadResult(
    DateTimeOffset At, string Commit, int Rounds, int Seconds, Machine Machine, IReadOnlyList<Ratio> Ratios, IReadOnlyList<Measurement> Measurements);

/// <summary>A statement of a contender with what all its calls took, in ms of the server's clock.</summary>
internal sealed record ProfiledStatement(long Calls, long Rows, double TotalMs, string Query);

/// <summary>Rows written to a table, partitions together.</summary>
internal sealed record WrittenRows(string Table, long Inserted, long Updated);

/// <summary>Names of the contenders.</summary>
internal static class Contenders
{
    public const string Service = "SignalHub";
    public const string Pgbench = "pgbench";
    public const string Pipelined = "pgbench, pipelined";
    public const string PlainEf = "plain EF Core";

    public const string Batches = "SignalHub, batches of 100";
    public const int BatchSize = 100;

    public static readonly string[] All = [Service, Batches, Pgbench, Pipelined, PlainEf];
}
