using System.Globalization;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>What the commands with an open loop print and write.</summary>
internal static class OpenReport
{
    public static void WriteLine(string what, OpenFigures f) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"   {what,-12} offered {f.Offered,7:N0}  accepted {f.Accepted,7:N0} ({f.PerSecond,6:N0}/s) p50 {f.P50,6:0.0} p99 {f.P99,6:0.0} p99.9 {f.P999,6:0.0} max {f.Max,6:0.0} ms   in part {f.Partly,3}   refused {f.Refused,7:N0} p50 {f.RefusedP50,5:0.0} p99 {f.RefusedP99,5:0.0} max {f.RefusedMax,5:0.0} ms   failed {f.Failed}   late {f.SendLagP99:0.0} ms"));

    /// <summary>Median, with minimum and maximum.</summary>
    public static string Cell(Figure figure) => $"{ResultTables.Show(figure.Median)} ({ResultTables.Show(figure.Min)}–{ResultTables.Show(figure.Max)})";

    public static void Write<T>(LoadOptions options, string name, T result, string text, string? picture = null)
    {
        Console.WriteLine($"\n{text}");
        if (options.WritesResults)
        {
            ResultFiles.Write(options.Output, name, result, text, picture);
        }
    }

    /// <exception cref="InvalidOperationException">It does not hold.</exception>
    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
