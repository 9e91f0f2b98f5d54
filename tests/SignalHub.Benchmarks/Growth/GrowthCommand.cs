using System.Globalization;
using System.Text;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.OpenLoop;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Growth;

/// <summary>One closed-loop measurement on a database with so many signals.</summary>
/// <param name="Spread">The events lie in all of the 24 months instead of now.</param>
/// <param name="WalBytes">Per event, from a checkpoint on.</param>
internal sealed record GrowthMeasurement(
    int Round, int Stored, bool Spread, long Events, double PerSecond, double P50Ms, double P99Ms, double AppMicroseconds, double PostgresMicroseconds, double WalBytes);

/// <summary>A database and how it came to be.</summary>
internal sealed record GrownDatabase(int Stored, double FillSeconds, StoredSizes? Sizes);

/// <summary>Everything a run of <c>growth</c> found.</summary>
internal sealed record GrowthResult(
    DateTimeOffset At, string Commit, int Rounds, int Seconds, Machine Machine, IReadOnlyList<Ratio> Ratios, IReadOnlyList<GrownDatabase> Databases,
    IReadOnlyList<GrowthMeasurement> Measurements);

/// <summary>Single posts with none, a tenth, and all of ten million signals stored over 24 months, in rounds of changing order.</summary>
internal static class GrowthCommand
{
    private const int Connections = 64;
    private const int WarmUpSeconds = 20;
    private const int SpreadDays = 690; // from the first of the month 23 months ago, whatever the day is
    private const double Target = 0.85;

    /// <summary>A database with its service and its history.</summary>
    private sealed record Grown(int Stored, double FillSeconds, GrowthStore Store, HostedProcess Service);

    public static Task<int> RunAsync(string[] args) =>
        PrivateRun.RunAsync(() => LoadOptions.Parse(args, rounds: 3, seconds: 10, signals: 10_000_000), MeasureAsync);

    private static async Task MeasureAsync(LoadOptions options, LoadServer server, string directory, CancellationToken cancellationToken)
    {
        const string Template = "signalhub";
        var (setup, wrk) = await ServiceSetup.PrepareAsync(server, directory, Template, cancellationToken);
        await using (var template = new LoadStore(server.ConnectionString(Template)))
        {
            await template.KeepSampleAsync(cancellationToken);
            await template.EmptyAsync(cancellationToken);
        }
        var grown = new List<Grown>();
        try
        {
            foreach (var stored in new[] { 0, options.Signals / 10, options.Signals })
            {
                grown.Add(await GrowAsync(options, server, setup, Template, stored, cancellationToken));
                await wrk.RunAsync(grown[^1].Service.Url, Connections, options.Quick ? options.Seconds : WarmUpSeconds, cancellationToken);
            }
            await using var settings = new LoadStore(server.ConnectionString(Template));
            var machine = await MachineFacts.ReadAsync(server, directory, settings, cancellationToken);
            var measurements = new List<GrowthMeasurement>();
            for (var round = 1; round <= options.Rounds; round++)
            {
                ConsoleReport.WriteStep($"Round {round} of {options.Rounds}");
                foreach (var (database, spread) in grown.Skip(round % grown.Count).Concat(grown.Take(round % grown.Count)).SelectMany(g => new[] { (g, false), (g, true) }))
                {
                    measurements.Add(await MeasureAsync(server, database, wrk, spread, round, options.Seconds, cancellationToken));
                }
            }
            var databases = new List<GrownDatabase>();
            foreach (var database in grown)
            {
                databases.Add(new GrownDatabase(database.Stored, database.FillSeconds, database.Stored == 0 ? null : await database.Store.SizesAsync(cancellationToken)));
            }
            Write(options, machine, await PrivateRun.CommitAsync(cancellationToken), databases, measurements);
        }
        finally
        {
            foreach (var database in grown)
            {
                await database.Store.DisposeAsync();
                await database.Service.DisposeAsync();
            }
        }
    }

    private static async Task<Grown> GrowAsync(
        LoadOptions options, LoadServer server, ServiceSetup setup, string template, int stored, CancellationToken cancellationToken)
    {
        ConsoleReport.WriteStep(string.Create(CultureInfo.InvariantCulture, $"A database with {stored:N0} signals"));
        var name = string.Create(CultureInfo.InvariantCulture, $"grown_{stored}");
        await server.CreateDatabaseAsync(name, template, cancellationToken);
        var store = new GrowthStore(server.ConnectionString(name));
        var took = stored == 0 ? TimeSpan.Zero : await store.FillAsync(stored, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   filled in {took.TotalSeconds:N0} s"));
        return new Grown(stored, Math.Round(took.TotalSeconds), store, await setup.StartAsync(server.ConnectionString(name), name, cancellationToken));
    }

    private static async Task<GrowthMeasurement> MeasureAsync(
        LoadServer server, Grown database, Wrk wrk, bool spread, int round, int seconds, CancellationToken cancellationToken)
    {
        await database.Store.CalmAsync(isEmpty: database.Stored == 0, cancellationToken);
        database.Service.EmptyLog();
        var before = await database.Store.CountersAsync(cancellationToken);
        var (app, postgres) = (ProcessCpu.Of(database.Service.Id), ProcessCpu.OfServer(server.ProcessId));
        var generated = await wrk.RunAsync(database.Service.Url, Connections, seconds, cancellationToken, spreadDays: spread ? SpreadDays : 0);
        var (appAfter, postgresAfter) = (ProcessCpu.Of(database.Service.Id), ProcessCpu.OfServer(server.ProcessId));
        await Measuring.InFlightAsync(async ct => (await database.Store.CountersAsync(ct)).OnLeads, cancellationToken);
        var after = await database.Store.CountersAsync(cancellationToken);
        OpenReport.Require(generated.Failed == 0, $"{generated.Failed} requests failed.");
        OpenReport.Require(after.Usage - before.Usage == after.OnLeads - before.OnLeads, $"usage counts {after.Usage - before.Usage}, leads {after.OnLeads - before.OnLeads}.");
        OpenReport.Require(after.Usage - before.Usage - generated.Events is >= 0 and <= Connections, $"usage counts {after.Usage - before.Usage} of {generated.Events} signals.");
        var measured = new GrowthMeasurement(round, database.Stored, spread, generated.Events, generated.Events / generated.Seconds, generated.P50Ms!.Value, generated.P99Ms!.Value,
            (appAfter - app).TotalMicroseconds / generated.Events, (postgresAfter - postgres).TotalMicroseconds / generated.Events,
            (double)(after.WalBytes - before.WalBytes) / generated.Events);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"   {database.Stored,10:N0} stored, events {(spread ? "of 24 months" : "now"),-12} {measured.PerSecond,8:N0}/s   p50 {measured.P50Ms:0.0} p99 {measured.P99Ms:0.0} ms   CPU µs {measured.AppMicroseconds:0} / {measured.PostgresMicroseconds:0}   WAL {measured.WalBytes:N0} bytes"));
        return measured;
    }

    private static void Write(LoadOptions options, Machine machine, string commit, List<GrownDatabase> databases, List<GrowthMeasurement> measurements)
    {
        IEnumerable<GrowthMeasurement> Of(int stored, bool spread) => measurements.Where(m => m.Stored == stored && m.Spread == spread);
        Figure Kept(bool spread, Func<GrowthMeasurement, double> value) =>
            Figure.Of(Of(options.Signals, spread).Zip(Of(0, spread), (full, empty) => value(full) / value(empty)));
        IReadOnlyList<Ratio> ratios =
        [
            new($"Posts/s with {Millions(options.Signals)} stored ÷ with none", Kept(false, m => m.PerSecond), Target, AtMost: false, "×"),
            new("The same, events spread over 24 months", Kept(true, m => m.PerSecond), Target: null, AtMost: false, "×"),
            // Hardly moved by what else the machine does.
            new("Processor time per event with none ÷ with all", Kept(false, m => 1 / (m.AppMicroseconds + m.PostgresMicroseconds)), Target: null, AtMost: false, "×"),
        ];
        var result = new GrowthResult(TimeProvider.System.GetUtcNow(), commit, options.Rounds, options.Seconds, machine, ratios, databases, measurements);
        var table = new StringBuilder("| stored | events | posts/s (min–max) | p50 ms | p99 ms | CPU µs: service / PostgreSQL | WAL bytes per signal |\n|---|---|---:|---:|---:|---|---:|\n");
        foreach (var group in measurements.GroupBy(m => (m.Stored, m.Spread)).OrderBy(g => g.Key.Spread).ThenBy(g => g.Key.Stored))
        {
            string Median(Func<GrowthMeasurement, double> value) => ResultTables.Show(Figure.Of(group.Select(value)).Median);
            table.Append(CultureInfo.InvariantCulture,
                $"| {Millions(group.Key.Stored)} | {(group.Key.Spread ? "of 24 months" : "now")} | {OpenReport.Cell(Figure.Of(group.Select(m => m.PerSecond)))} | {Median(m => m.P50Ms)} | {Median(m => m.P99Ms)} | {Median(m => m.AppMicroseconds)} / {Median(m => m.PostgresMicroseconds)} | {Median(m => m.WalBytes)} |\n");
        }
        var sizes = new StringBuilder("| stored | heap bytes per signal | index bytes per signal | filled in s |\n|---|---:|---:|---:|\n");
        foreach (var database in databases.Where(d => d.Sizes is not null))
        {
            sizes.Append(CultureInfo.InvariantCulture, $"| {Millions(database.Stored)} | {database.Sizes!.HeapBytes:N0} | {database.Sizes.IndexBytes:N0} | {database.FillSeconds:N0} |\n");
        }
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            # Posts with millions of signals stored

            Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- growth`; method: [performance](../performance.md#growth).
            {options.Rounds} rounds of {options.Seconds} s a measurement, {Connections} connections, medians over the rounds; ratios are made within a round.

            {ResultTables.Ratios(ratios)}
            {table}
            {sizes}
            {ResultTables.Machine(result.At, commit, machine)}
            """);
        OpenReport.Write(options, "growth", result, text);
    }

    private static string Millions(int signals) => signals == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{signals / 1e6:0.##} million");
}
