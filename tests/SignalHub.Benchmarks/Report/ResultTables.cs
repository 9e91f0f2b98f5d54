using System.Globalization;
using System.Text;

namespace SignalHub.Benchmarks.Report;

/// <summary>The tables of a result, in Markdown: readable as text too.</summary>
internal static class ResultTables
{
    public static string Ratios(IReadOnlyList<Ratio> ratios)
    {
        var text = new StringBuilder("| figure | minimum | median | maximum | target |\n|---|---:|---:|---:|---|\n");
        foreach (var ratio in ratios)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {ratio.Name} | {Show(ratio.Value.Min)} | **{Show(ratio.Value.Median)} {ratio.Unit}** | {Show(ratio.Value.Max)} | {Target(ratio)} |\n");
        }
        return text.ToString();
    }

    /// <summary>Medians over the rounds.</summary>
    public static string Contenders(LoadResult result)
    {
        var text = new StringBuilder("| contender | connections | events/s (min–max) | p50 ms | p99 ms | CPU µs per event: app / PostgreSQL / generator |\n|---|---:|---:|---:|---:|---|\n");
        foreach (var group in result.Measurements.GroupBy(m => (m.Contender, m.Connections)).OrderBy(g => Array.IndexOf(Report.Contenders.All, g.Key.Contender)).ThenBy(g => g.Key.Connections))
        {
            var rate = Figure.Of(group.Select(m => m.PerSecond));
            text.Append(CultureInfo.InvariantCulture,
                $"| {group.Key.Contender} | {group.Key.Connections} | {rate.Median:N0} ({rate.Min:N0}–{rate.Max:N0}) | {Median(group, m => m.P50Ms)} | {Median(group, m => m.P99Ms)} | {Median(group, m => m.AppMicroseconds)} / {Median(group, m => m.PostgresMicroseconds)} / {Median(group, m => m.GeneratorMicroseconds)} |\n");
        }
        return text.ToString();
    }

    public static string Machine(DateTimeOffset at, string commit, Machine m)
    {
        var settings = string.Join(", ", m.PostgreSql.Where(s => s.Key != "server_version").Select(s => $"{s.Key} {s.Value}"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            {at:yyyy-MM-dd HH:mm} UTC, commit {commit}: {m.Processor}, {m.Cores} cores shared by generator, service and database, {m.MemoryGigabytes} GB;
            {m.Kernel}; {m.DotNet}; PostgreSQL {m.PostgreSql["server_version"]} ({settings}); fdatasync {Show(m.FdatasyncMicroseconds)} µs; load average before {m.LoadBefore}.

            """);
    }

    private static string Target(Ratio ratio) => ratio.Target is not { } target ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{(ratio.AtMost ? "≤" : "≥")} {target} {ratio.Unit}, {(ratio.IsMet ? "met" : "missed")}");

    private static string Median(IEnumerable<Measurement> measurements, Func<Measurement, double?> value)
    {
        var values = measurements.Select(value).OfType<double>().ToList();
        return values.Count == 0 ? "–" : Show(Figure.Of(values).Median);
    }

    public static string Show(double? value) => value switch
    {
        null => "–",
        >= 100 => value.Value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
