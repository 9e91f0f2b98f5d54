using System.Diagnostics;
using System.Globalization;

namespace SignalHub.Benchmarks.Delivery;

/// <summary><c>delivery</c>: throughput, fairness and claim cost of the dispatcher; writes the results where they are committed.</summary>
internal static class DeliveryCommand
{
    public const string Usage = "delivery [--output docs/benchmarks] [--rounds 3] [--deliveries 50000] [--backlog 1000000] [--seconds 20] [--profile | --fairness | --snapshot]";

    private const int WarmUpRounds = 2;
    private const int SnapshotParts = 8;
    private const int SnapshotPart = 25_000;

    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(5);

    private const string Graphile = "graphile-worker@0.17.3";

    public static async Task<int> RunAsync(string[] args)
    {
        string Option(string name, string otherwise) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : otherwise;
        int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        var (rounds, deliveries, backlog, seconds) = (Number("--rounds", 3), Number("--deliveries", 50_000), Number("--backlog", 1_000_000), Number("--seconds", 20));
        var loadBefore = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        var directory = Directory.CreateTempSubdirectory("signalhub-bench-").FullName;
        try
        {
            var profile = args.Contains("--profile");
            await using var server = await DeliveryServer.StartAsync(directory, profile);
            await using var receiver = await Receiver.StartAsync();
            if (args.Contains("--fairness"))
            {
                await FairnessAsync(new FairnessRun(server, receiver), rounds, backlog, TimeSpan.FromSeconds(seconds));
                return 0;
            }
            if (args.Contains("--snapshot"))
            {
                await SnapshotAsync(new ThroughputRun(server, receiver, graphileDirectory: null), SnapshotPart);
                return 0;
            }
            if (profile)
            {
                await ProfileAsync(new ThroughputRun(server, receiver, graphileDirectory: null), rounds, deliveries);
                return 0;
            }
            var (bare, product, graphile) = await ThroughputAsync(new ThroughputRun(server, receiver, await InstallGraphileAsync(directory)), rounds, deliveries);
            var (alone, beside, claims) = await FairnessAsync(new FairnessRun(server, receiver), rounds, backlog, TimeSpan.FromSeconds(seconds));
            var (claimed, besideASnapshot) = await SnapshotAsync(new ThroughputRun(server, receiver, graphileDirectory: null), SnapshotPart);
            var report = new DeliveryReport
            {
                Command = "dotnet run -c Release --project tests/SignalHub.Benchmarks -- " + string.Join(' ', args.Prepend("delivery")),
                MeasuredAt = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                Machine = $"{Environment.ProcessorCount} cores, .NET {Environment.Version}",
                Postgres = await server.VersionAsync(),
                LoadBefore = loadBefore,
                Rounds = rounds,
                DeliveriesPerRound = deliveries,
                Concurrency = ThroughputRun.Concurrency,
                Bare = ThroughputFigures.Of(bare),
                Product = ThroughputFigures.Of(product),
                Graphile = graphile.Count > 0 ? ThroughputFigures.Of(graphile) : null,
                ProductToBare = Spread.Of(product.Zip(bare, (p, b) => p.PerSecond / b.PerSecond)),
                ProductToGraphile = graphile.Count > 0 ? Spread.Of(product.Zip(graphile, (p, g) => p.PerSecond / g.PerSecond)) : null,
                DeadBacklog = backlog,
                LagAlone = alone,
                LagBesideBadNeighbours = beside,
                LagOfAllAlone = Lag.Pooled(alone),
                LagOfAllBesideBadNeighbours = Lag.Pooled(beside),
                P99Ratio = Math.Round(Lag.Pooled(beside).P99 / Lag.Pooled(alone).P99, 2),
                Claimed = claimed,
                ClaimedBesideASnapshot = besideASnapshot,
                Claims = claims,
            };
            report.WriteTo(Option("--output", "docs/benchmarks"));
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<(List<Throughput> Bare, List<Throughput> Product, List<Throughput> Graphile)> ThroughputAsync(ThroughputRun run, int rounds, int deliveries)
    {
        var (bare, product, graphile) = (new List<Throughput>(), new List<Throughput>(), new List<Throughput>());
        // Until the compiler is done with both: the first hundred thousand sends cost twice what later ones do.
        for (var round = 1; round <= WarmUpRounds; round++)
        {
            await run.BareAsync(deliveries);
            await run.ProductAsync($"product_warm_{round}", deliveries);
        }
        for (var round = 1; round <= rounds; round++)
        {
            bare.Add(await run.BareAsync(deliveries));
            product.Add(await run.ProductAsync($"product_{round}", deliveries));
            if (run.HasGraphile)
            {
                graphile.Add(await run.GraphileAsync($"graphile_{round}", deliveries));
            }
            Say("bare", bare[^1]);
            Say("product", product[^1]);
            if (run.HasGraphile)
            {
                Say("graphile-worker", graphile[^1]);
            }
        }
        return (bare, product, graphile);
    }

    /// <summary>Bare loop and product, and what the product's statements cost; writes nothing. The warm-up is measured too.</summary>
    private static async Task ProfileAsync(ThroughputRun run, int rounds, int deliveries)
    {
        for (var round = 1; round <= rounds; round++)
        {
            Say("bare", await run.BareAsync(deliveries));
            Say("product", await run.ProductAsync($"product_{round}", deliveries, profile: true));
        }
    }

    private static async Task<(IReadOnlyList<Throughput> Without, IReadOnlyList<Throughput> With)> SnapshotAsync(ThroughputRun run, int deliveries)
    {
        await run.ProductAsync("product_warm", deliveries);
        var without = await run.PartsAsync("no_snapshot", SnapshotParts, deliveries, holds: false);
        var with = await run.PartsAsync("snapshot", SnapshotParts, deliveries, holds: true);
        foreach (var (w, h) in without.Zip(with))
        {
            Say("claimed", w);
            Say("claimed, snapshot", h);
        }
        return (without, with);
    }

    private static async Task<(List<Lag> Alone, List<Lag> Beside, List<ClaimCost> Claims)> FairnessAsync(
        FairnessRun run, int rounds, int backlog, TimeSpan length)
    {
        var claims = new List<ClaimCost>();
        foreach (var rows in new[] { 0, backlog / 100, backlog / 10, backlog })
        {
            claims.Add(await run.ClaimCostAsync($"claims_{rows}", rows));
            Say($"claim beside {rows:N0}: p50 {claims[^1].P50:0.00} ms, p99 {claims[^1].P99:0.00} ms");
        }
        var (alone, beside) = (new List<Lag>(), new List<Lag>());
        await using var quiet = await run.PrepareAsync("alone", 0);
        await using var crowded = await run.PrepareAsync("beside", backlog);
        await crowded.ExecuteAsync("checkpoint"); // of the backlog: nothing of it is to be written while lags are measured
        foreach (var rows in new[] { quiet, crowded })
        {
            await run.LagAsync(rows, _warmUp);
        }
        for (var round = 1; round <= rounds; round++)
        {
            alone.Add(await run.LagAsync(quiet, length));
            beside.Add(await run.LagAsync(crowded, length));
            Say($"round {round}: p99 alone {alone[^1].P99:0.0} ms, beside bad neighbours {beside[^1].P99:0.0} ms");
        }
        Say($"all rounds: p99 alone {Lag.Pooled(alone).P99:0.0} ms, beside bad neighbours {Lag.Pooled(beside).P99:0.0} ms");
        return (alone, beside, claims);
    }

    /// <summary>Where <c>graphile.mjs</c> can run, or null: the comparison is left out then, and the result says so.</summary>
    private static async Task<string?> InstallGraphileAsync(string directory)
    {
        var home = Directory.CreateDirectory(Path.Combine(directory, "graphile")).FullName;
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Delivery", "graphile.mjs"), Path.Combine(home, "graphile.mjs"));
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", home, Graphile, "pg"]))!;
            await npm.WaitForExitAsync();
            return npm.ExitCode == 0 ? home : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static void Say(string what, Throughput t) => Say(
        $"{what,-16} {t.PerSecond,8:N0}/s, processor µs: own {t.OwnMicroseconds:0.0}, PostgreSQL {t.ServerMicroseconds:0.0}, Node.js {t.NodeMicroseconds:0.0}");

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
