using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Load;

/// <summary>What the figures depend on besides the code.</summary>
internal static class MachineFacts
{
    public static async Task<Machine> ReadAsync(LoadServer server, string directory, LoadStore store, CancellationToken cancellationToken) => new(
        Value("/proc/cpuinfo", "model name"), Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1), RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription,
        await FdatasyncAsync(server, directory, cancellationToken), LoadAverage(), await store.SettingsAsync(cancellationToken));

    /// <summary>Processes that ran or waited to run, averaged over the last minute: others' work on the machine.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>µs of one fdatasync after a write of 8 KB, by PostgreSQL's own tool; null where it is not installed.</summary>
    private static async Task<double?> FdatasyncAsync(LoadServer server, string directory, CancellationToken cancellationToken)
    {
        var tool = server.Tool("pg_test_fsync");
        if (!File.Exists(tool))
        {
            return null;
        }
        using var process = Process.Start(new ProcessStartInfo(tool, ["-s", "1", "-f", Path.Combine(directory, "fsync")]) { RedirectStandardOutput = true })!;
        // "        fdatasync                          6512.345 ops/sec     154 usecs/op"; the dozen tests after it do not matter here.
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["fdatasync", _, "ops/sec", var microseconds, "usecs/op"])
            {
                process.Kill();
                return double.Parse(microseconds, CultureInfo.InvariantCulture);
            }
        }
        return null;
    }

    private static string Value(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
}
