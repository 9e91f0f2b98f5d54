using System.Globalization;
using System.Text.Json;
using SignalHub.Storage.Embedded;

namespace SignalHub.Benchmarks.Load;

/// <summary>What a load generator saw.</summary>
/// <param name="Events">Answered 2xx, or transactions committed.</param>
/// <param name="Failed">Other answers, timeouts and broken connections; has to be none.</param>
internal sealed record Generated(long Events, double Seconds, long Failed, double? P50Ms, double? P99Ms);

/// <summary>wrk with <c>signals.lua</c>: a closed loop over HTTP.</summary>
/// <param name="secondsAhead">Two that run at once send other events when they are some minutes apart.</param>
internal sealed class Wrk(string directory, string keysFile, int secondsAhead = 0)
{
    // One thread of wrk sends more than any contender takes.
    private const string Threads = "1";

    /// <summary>Everybody in turn, for the first time: so long that all of the crowd had a signal.</summary>
    public const bool Walk = true;

    /// <param name="spreadDays">So many days back the events are spread; 0: they occur now.</param>
    public async Task<Generated> RunAsync(Uri url, int connections, int seconds, CancellationToken cancellationToken, bool walk = false, int batch = 1, int spreadDays = 0)
    {
        var result = Path.Combine(directory, "wrk.json");
        File.Delete(result);
        var environment = new Dictionary<string, string>
        {
            ["BENCH_KEYS"] = keysFile,
            ["BENCH_HOST"] = url.Authority,
            ["BENCH_SECOND"] = Text(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + secondsAhead),
            ["BENCH_RESULT"] = result,
            ["BENCH_BATCH"] = Text(batch),
            ["BENCH_SPREAD"] = Text(spreadDays),
        };
        if (walk)
        {
            environment["BENCH_WALK"] = "1";
        }
        var script = Path.Combine(AppContext.BaseDirectory, "Load", "signals.lua");
        var run = await ToolProcess.RunAsync("wrk", ["-t", Threads, "-c", Text(connections), "-d", $"{seconds}s", "-s", script, url.ToString()],
            account: null, cancellationToken, environment);
        if (!File.Exists(result))
        {
            throw new InvalidOperationException(run.ExitCode == 127 ? "wrk is missing: apt-get install wrk" : $"wrk failed: {run.Output}");
        }
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(result, cancellationToken));
        long Read(string name) => figures.RootElement.GetProperty(name).GetInt64();
        return new Generated(Read("answers") - Read("refused"), Read("microseconds") / 1e6, Read("refused") + Read("broken"), Read("p50") / 1e3, Read("p99") / 1e3);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>pgbench with <c>same-rows.sql</c>: a closed loop of transactions over the Unix socket, prepared statements.</summary>
internal sealed class Pgbench(LoadServer server, string database, string directory)
{
    private const string ScriptFile = "same-rows.sql";

    /// <param name="pipelined">The statements of a transaction in one round trip instead of one each.</param>
    public async Task<Generated> RunAsync(int clients, int seconds, bool pipelined, CancellationToken cancellationToken)
    {
        var script = Path.Combine(directory, pipelined ? "pipelined.sql" : ScriptFile);
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Load", ScriptFile), cancellationToken);
        await File.WriteAllTextAsync(script, pipelined
            ? text.Replace("begin;", "\\startpipeline\nbegin;", StringComparison.Ordinal).Replace("commit;", "commit;\n\\endpipeline", StringComparison.Ordinal)
            : text, cancellationToken);
        // A file with the time of each transaction; only for one client, where they are few.
        var log = Path.Combine(directory, "transactions");
        string[] logged = clients == 1 ? ["--log", "--log-prefix", log] : [];
        var run = await ToolProcess.RunAsync(server.Pgbench,
            [.. server.ToolArguments, "-n", "-M", "prepared", "-c", Text(clients), "-j", Text(Math.Min(clients, Environment.ProcessorCount)),
             "-T", Text(seconds), "-f", script, .. logged, database], account: null, cancellationToken);
        if (!run.Succeeded || !run.Output.Contains("tps = ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"pgbench failed: {run.Output}");
        }
        var transactions = (long)Number(run.Output, "number of transactions actually processed: ");
        var (p50, p99) = clients == 1 ? Latencies(log) : (null, null);
        return new Generated(transactions, transactions / Number(run.Output, "tps = "), (long)Number(run.Output, "number of failed transactions: "), p50, p99);
    }

    /// <summary>The third column is the transaction's time in µs.</summary>
    private (double? P50, double? P99) Latencies(string prefix)
    {
        var sorted = new List<double>();
        foreach (var file in Directory.EnumerateFiles(directory, Path.GetFileName(prefix) + ".*"))
        {
            sorted.AddRange(File.ReadLines(file).Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1e3));
            File.Delete(file);
        }
        sorted.Sort();
        return (sorted[sorted.Count / 2], sorted[sorted.Count * 99 / 100]);
    }

    private static double Number(string output, string label)
    {
        var rest = output[(output.IndexOf(label, StringComparison.Ordinal) + label.Length)..];
        return double.Parse(rest[..rest.IndexOfAny([' ', '\n', '\r'])], CultureInfo.InvariantCulture);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
