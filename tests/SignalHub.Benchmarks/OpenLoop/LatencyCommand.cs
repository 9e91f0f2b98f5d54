using System.Globalization;
using System.Text;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>One open-loop measurement at a share of what the closed loop of the same round reached.</summary>
internal sealed record LatencyMeasurement(int Round, double Share, double ClosedPerSecond, OpenFigures Figures);

/// <summary>Everything a run of <c>latency</c> found.</summary>
internal sealed record LatencyResult(
    DateTimeOffset At, string Commit, int Rounds, int Seconds, Machine Machine, IReadOnlyList<Ratio> Ratios, IReadOnlyList<LatencyMeasurement> Measurements);

/// <summary>How long one post takes while others arrive on their own schedule, at 25, 50 and 75 % of the highest rate.</summary>
internal static class LatencyCommand
{
    private const int ClosedConnections = 64;
    private const int OpenConnections = 512; // more than ever wait at once, unless it stalls
    private const int WarmUpSeconds = 20;
    private const double TargetMs = 10;

    private static readonly double[] _shares = [0.25, 0.5, 0.75];

    public static Task<int> RunAsync(string[] args) => PrivateRun.RunAsync(() => LoadOptions.Parse(args, rounds: 3, seconds: 20), MeasureAsync);

    private static async Task MeasureAsync(LoadOptions options, LoadServer server, string directory, CancellationToken cancellationToken)
    {
        ConsoleReport.WriteStep("Preparing and warming up");
        var (setup, wrk) = await ServiceSetup.PrepareAsync(server, directory, "signalhub", cancellationToken);
        await using var store = new LoadStore(server.ConnectionString("signalhub"));
        var machine = await MachineFacts.ReadAsync(server, directory, store, cancellationToken);
        await using var service = await setup.StartAsync(cancellationToken);
        await wrk.RunAsync(service.Url, ClosedConnections, options.Quick ? options.Seconds : WarmUpSeconds, cancellationToken);
        var open = new OpenLoop(service.Url, new SignalRequests(setup.KeysFile, service.Url, batch: 1), OpenConnections);
        var measurements = new List<LatencyMeasurement>();
        for (var round = 1; round <= options.Rounds; round++)
        {
            await store.EmptyAsync(cancellationToken);
            var closed = await wrk.RunAsync(service.Url, ClosedConnections, Math.Max(2, options.Seconds / 2), cancellationToken);
            await Measuring.InFlightAsync(store.CountedAsync, cancellationToken);
            var highest = closed.Events / closed.Seconds;
            ConsoleReport.WriteStep(string.Create(CultureInfo.InvariantCulture, $"Round {round} of {options.Rounds}: closed loop {highest:N0}/s"));
            foreach (var share in _shares.Skip(round % _shares.Length).Concat(_shares.Take(round % _shares.Length)))
            {
                await store.EmptyAsync(cancellationToken);
                service.EmptyLog();
                var length = TimeSpan.FromSeconds(options.Seconds);
                var answers = await open.RunAsync([new Phase(highest * share, length)], cancellationToken);
                var figures = answers.Between(TimeSpan.Zero, length);
                OpenReport.Require(figures.Failed + figures.Refused == 0, $"{figures.Refused} were refused, and {figures.Failed} failed: {answers.Failures()}");
                Measuring.Verify("SignalHub", new Generated(figures.Accepted, options.Seconds, 0, null, null), inFlight: 0, await store.CountAsync(cancellationToken));
                measurements.Add(new LatencyMeasurement(round, share, highest, figures));
                OpenReport.WriteLine($"{share:P0}", figures);
            }
        }
        Write(options, machine, await PrivateRun.CommitAsync(cancellationToken), measurements);
    }

    private static void Write(LoadOptions options, Machine machine, string commit, List<LatencyMeasurement> measurements)
    {
        Figure Of(double share, Func<OpenFigures, double> value) => Figure.Of(measurements.Where(m => m.Share == share).Select(m => value(m.Figures)));
        IReadOnlyList<Ratio> ratios = [new("p99 at half of the highest rate", Of(0.5, f => f.P99), TargetMs, AtMost: true, "ms")];
        var result = new LatencyResult(TimeProvider.System.GetUtcNow(), commit, options.Rounds, options.Seconds, machine, ratios, measurements);
        var table = new StringBuilder("| share of the highest rate | posts/s | p50 ms | p99 ms | p99.9 ms | longest ms | generator late, p99 ms |\n|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (var share in _shares)
        {
            string Cell(Func<OpenFigures, double> value) => OpenReport.Cell(Of(share, value));
            table.Append(CultureInfo.InvariantCulture,
                $"| {share:P0} | {Of(share, f => f.PerSecond).Median:N0} | {Cell(f => f.P50)} | {Cell(f => f.P99)} | {Cell(f => f.P999)} | {Cell(f => f.Max)} | {Cell(f => f.SendLagP99)} |\n");
        }
        var closedLoop = Figure.Of(measurements.Select(m => m.ClosedPerSecond));
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            # Latency of single posts in an open loop

            Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- latency`; method: [performance](../performance.md#latency).
            {options.Rounds} rounds of {options.Seconds} s for each rate; medians with minimum and maximum. The highest rate is that of a closed loop of {ClosedConnections}
            connections in the same round: {closedLoop.Median:N0}/s ({closedLoop.Min:N0}–{closedLoop.Max:N0}).

            {ResultTables.Ratios(ratios)}
            {table}
            {ResultTables.Machine(result.At, commit, machine)}
            """);
        OpenReport.Write(options, "latency", result, text);
    }
}
