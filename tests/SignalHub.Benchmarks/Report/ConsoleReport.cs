using System.Globalization;
using System.Text.RegularExpressions;

namespace SignalHub.Benchmarks.Report;

/// <summary>What somebody who waits for the result sees.</summary>
internal static partial class ConsoleReport
{
    private const int ShownQuery = 150;

    public static void WriteStep(string what) => Console.WriteLine($"== {what}");

    public static void WriteLine(Measurement m) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"   {m.Contender,-20} {m.Connections,3} connections {m.PerSecond,9:N0} events/s   p50 {m.P50Ms,7:0.00} ms   p99 {m.P99Ms,7:0.00} ms   CPU µs {m.AppMicroseconds,5:0} / {m.PostgresMicroseconds,4:0} / {m.GeneratorMicroseconds,3:0}"));

    public static void Write(Machine machine) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"   {machine.Processor}, {machine.Cores} cores, load average {machine.LoadBefore}; PostgreSQL {machine.PostgreSql["server_version"]}, fdatasync {machine.FdatasyncMicroseconds} µs"));

    public static void Write(LoadResult result) => Console.WriteLine($"\n{ResultTables.Machine(result.At, result.Commit, result.Machine)}\n{ResultTables.Ratios(result.Ratios)}\n{ResultTables.Contenders(result)}");

    public static void WriteProfile(string contender, int connections, long events, IReadOnlyList<ProfiledStatement> statements, IReadOnlyList<WrittenRows> tables)
    {
        Console.WriteLine($"-- {contender}, {connections} connections: µs per event, calls, rows per call, statement");
        foreach (var s in statements)
        {
            var query = Space().Replace(s.Query, " ");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"   {s.TotalMs * 1000 / events,7:0.0} {s.Calls,8} {(double)s.Rows / s.Calls,6:0.0}  {query[..Math.Min(query.Length, ShownQuery)]}"));
        }
        Console.WriteLine("-- rows written per event (inserted + updated): " + string.Join(", ", tables.Select(t =>
            string.Create(CultureInfo.InvariantCulture, $"{t.Table} {(double)t.Inserted / events:0.##}+{(double)t.Updated / events:0.##}"))));
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
