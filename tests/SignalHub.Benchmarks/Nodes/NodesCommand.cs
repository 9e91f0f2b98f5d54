using System.Globalization;
using System.Text;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.OpenLoop;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Nodes;

/// <summary>Events a second through one process and through two.</summary>
internal sealed record NodesThroughput(int Round, int Nodes, double PerSecond, double P99Ms);

/// <summary>Everything a run of <c>nodes</c> found.</summary>
internal sealed record NodesResult(
    DateTimeOffset At, string Commit, int Rounds, int Seconds, Machine Machine, IReadOnlyList<Ratio> Ratios, IReadOnlyList<NodesThroughput> Throughput,
    IReadOnlyList<NodesCheck> Checks);

/// <summary>Two processes of the service on one database: what they reach together, and that they do not get in each other's way.</summary>
internal static class NodesCommand
{
    private const int Connections = 64;
    private const int WarmUpSeconds = 20;
    private const int SecondsApart = 600;
    private const string Database = "signalhub";

    public static Task<int> RunAsync(string[] args) => PrivateRun.RunAsync(() => LoadOptions.Parse(args, rounds: 3, seconds: 10), MeasureAsync);

    private static async Task MeasureAsync(LoadOptions options, LoadServer server, string directory, CancellationToken cancellationToken)
    {
        ConsoleReport.WriteStep("Preparing and warming up");
        var (setup, wrk) = await ServiceSetup.PrepareAsync(server, directory, Database, cancellationToken);
        var otherWrk = new Wrk(Directory.CreateDirectory(Path.Combine(directory, "other")).FullName, setup.KeysFile, SecondsApart);
        await using var store = new LoadStore(server.ConnectionString(Database));
        var machine = await MachineFacts.ReadAsync(server, directory, store, cancellationToken);
        var throughput = new List<NodesThroughput>();
        await using (var first = await setup.StartAsync(server.ConnectionString(Database), "first", cancellationToken))
        await using (var second = await setup.StartAsync(server.ConnectionString(Database), "second", cancellationToken))
        {
            async Task<Generated> BothAsync(int seconds)
            {
                var other = otherWrk.RunAsync(second.Url, Connections / 2, seconds, cancellationToken);
                var own = await wrk.RunAsync(first.Url, Connections / 2, seconds, cancellationToken);
                return Sum(own, await other);
            }
            await BothAsync(options.Quick ? options.Seconds : WarmUpSeconds);
            for (var round = 1; round <= options.Rounds; round++)
            {
                foreach (var nodes in round % 2 == 0 ? new[] { 1, 2 } : [2, 1])
                {
                    await Measuring.InFlightAsync(store.CountedAsync, cancellationToken);
                    await store.EmptyAsync(cancellationToken);
                    var generated = nodes == 2 ? await BothAsync(options.Seconds) : await wrk.RunAsync(first.Url, Connections, options.Seconds, cancellationToken);
                    await Measuring.InFlightAsync(store.CountedAsync, cancellationToken);
                    Measuring.Verify($"{nodes} nodes", generated, Connections, await store.CountAsync(cancellationToken));
                    throughput.Add(new NodesThroughput(round, nodes, generated.Events / generated.Seconds, generated.P99Ms!.Value));
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   {nodes} nodes {throughput[^1].PerSecond,8:N0}/s   p99 {throughput[^1].P99Ms:0.0} ms"));
                }
            }
        }
        await Measuring.InFlightAsync(store.CountedAsync, cancellationToken);
        await store.EmptyAsync(cancellationToken);
        var checks = await NodesChecks.RunAsync(setup, server.ConnectionString(Database), store, options.Quick, cancellationToken);
        Write(options, machine, await PrivateRun.CommitAsync(cancellationToken), throughput, checks);
        OpenReport.Require(checks.All(c => c.Holds || !c.IsRequired), "A check does not hold.");
    }

    private static Generated Sum(Generated one, Generated other) => new(
        one.Events + other.Events, Math.Max(one.Seconds, other.Seconds), one.Failed + other.Failed, Math.Max(one.P50Ms!.Value, other.P50Ms!.Value), Math.Max(one.P99Ms!.Value, other.P99Ms!.Value));

    private static void Write(LoadOptions options, Machine machine, string commit, List<NodesThroughput> throughput, IReadOnlyList<NodesCheck> checks)
    {
        double Of(int round, int nodes) => throughput.Single(t => t.Round == round && t.Nodes == nodes).PerSecond;
        IReadOnlyList<Ratio> ratios =
        [
            new("Posts/s of two processes ÷ of one", Figure.Of(throughput.Select(t => t.Round).Distinct().Select(r => Of(r, 2) / Of(r, 1))), Target: null, AtMost: false, "×"),
        ];
        var result = new NodesResult(TimeProvider.System.GetUtcNow(), commit, options.Rounds, options.Seconds, machine, ratios, throughput, checks);
        var table = new StringBuilder("| processes | posts/s | p99 ms |\n|---:|---:|---:|\n");
        foreach (var group in throughput.GroupBy(t => t.Nodes).OrderBy(g => g.Key))
        {
            table.Append(CultureInfo.InvariantCulture, $"| {group.Key} | {OpenReport.Cell(Figure.Of(group.Select(t => t.PerSecond)))} | {OpenReport.Cell(Figure.Of(group.Select(t => t.P99Ms)))} |\n");
        }
        var held = new StringBuilder("| check | found | holds |\n|---|---|---|\n");
        foreach (var check in checks)
        {
            held.Append(CultureInfo.InvariantCulture, $"| {check.Name} | {check.Found} | {(check.Holds ? "yes" : "**no**")} |\n");
        }
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            # Two processes on one database

            Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- nodes`; method: [performance](../performance.md#nodes).
            {options.Rounds} rounds of {options.Seconds} s, {Connections} connections in all, on the processors of one machine; medians with minimum and maximum.

            {ResultTables.Ratios(ratios)}
            {table}
            {held}
            {ResultTables.Machine(result.At, commit, machine)}
            """);
        OpenReport.Write(options, "nodes", result, text);
    }
}
