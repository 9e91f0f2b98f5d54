using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>Median with minimum and maximum over the rounds.</summary>
internal sealed record Spread(double Median, double Minimum, double Maximum)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Spread(Math.Round(sorted[sorted.Length / 2], 2), Math.Round(sorted[0], 2), Math.Round(sorted[^1], 2));
    }
}

/// <summary>POSTs a second and processor time of each, over the rounds.</summary>
internal sealed record ThroughputFigures(Spread PerSecond, Spread OwnMicroseconds, Spread ServerMicroseconds, Spread NodeMicroseconds)
{
    public static ThroughputFigures Of(IReadOnlyList<Throughput> rounds) => new(
        Spread.Of(rounds.Select(r => r.PerSecond)), Spread.Of(rounds.Select(r => r.OwnMicroseconds)),
        Spread.Of(rounds.Select(r => r.ServerMicroseconds)), Spread.Of(rounds.Select(r => r.NodeMicroseconds)));
}

/// <summary>Everything a run found: <c>docs/benchmarks/delivery.json</c>.</summary>
internal sealed record DeliveryReport
{
    public required string Command { get; init; }
    public required string MeasuredAt { get; init; }
    public required string Machine { get; init; }
    public required string Postgres { get; init; }

    /// <summary>Load average before the run: others' work on the machine.</summary>
    public required double LoadBefore { get; init; }

    public required int Rounds { get; init; }
    public required int DeliveriesPerRound { get; init; }
    public required int Concurrency { get; init; }
    public required ThroughputFigures Bare { get; init; }
    public required ThroughputFigures Product { get; init; }

    /// <summary>Null where Node.js or npm is missing.</summary>
    public required ThroughputFigures? Graphile { get; init; }

    public required Spread ProductToBare { get; init; }
    public required Spread? ProductToGraphile { get; init; }
    public required int DeadBacklog { get; init; }
    public required IReadOnlyList<Lag> LagAlone { get; init; }
    public required IReadOnlyList<Lag> LagBesideBadNeighbours { get; init; }
    public required Lag LagOfAllAlone { get; init; }
    public required Lag LagOfAllBesideBadNeighbours { get; init; }
    public required double P99Ratio { get; init; }

    /// <summary>Part by part, of what another process has written.</summary>
    public required IReadOnlyList<Throughput> Claimed { get; init; }

    public required IReadOnlyList<Throughput> ClaimedBesideASnapshot { get; init; }
    public required IReadOnlyList<ClaimCost> Claims { get; init; }

    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public void WriteTo(string directory)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "delivery.json"), JsonSerializer.Serialize(this, _json) + "\n");
        File.WriteAllText(Path.Combine(directory, "delivery.md"), ToMarkdown());
    }

    private string ToMarkdown()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# Delivery");
        Line($"");
        Line($"    {Command}");
        Line($"");
        Line($"{MeasuredAt}, {Machine}, PostgreSQL {Postgres} on the same machine (fsync and synchronous_commit on), load average before the run");
        Line($"{LoadBefore:0.0}. Absolute figures are this machine's; the ratios are of one run, its rounds alternating. Raw: `delivery.json`.");
        Line($"");
        Line($"## Throughput");
        Line($"");
        Line($"{DeliveriesPerRound:N0} POSTs of {DeliveryDatabase.Body.Length:N0} bytes a round to one loopback receiver, {Concurrency} in flight, {Rounds} rounds. The product and");
        Line($"graphile-worker insert {ThroughputRun.PerTransaction} events a transaction, {ThroughputRun.Feeders} at a time, while they send; the product also signs twice and keeps an attempt record with headers and");
        Line($"timings. Receiver, bare loop and product share one process; graphile-worker runs in Node.js with its local queue and batched completion.");
        Line($"");
        Line($"| | per second, median | min | max | processor µs: .NET / PostgreSQL / Node.js |");
        Line($"|---|---:|---:|---:|---:|");
        Row("bare HttpClient loop, nothing kept", Bare.PerSecond, Bare);
        Row("SignalHub, durable, one event per delivery", Product.PerSecond, Product);
        if (Graphile is { } graphile)
        {
            Row("graphile-worker 0.17.3", graphile.PerSecond, graphile);
        }
        Row("SignalHub ÷ bare loop (target ≥ 0.5)", ProductToBare, null);
        if (ProductToGraphile is { } ratio)
        {
            Row("SignalHub ÷ graphile-worker (target ≥ 2)", ratio, null);
        }
        Line($"");
        Line($"## Fairness");
        Line($"");
        Line($"{FairnessRun.Healthy} healthy endpoints get {FairnessRun.EventsPerSecond} events a second; lag is from the commit to the arrival. The bad neighbours: a dead endpoint with");
        Line($"{DeadBacklog:N0} due rows, its breaker closed at the start, and one that answers after 9 s with {FairnessRun.SlowBacklog:N0} due rows.");
        Line($"");
        Line($"| | p50 ms | p99 ms | max ms | events |");
        Line($"|---|---:|---:|---:|---:|");
        foreach (var (name, lags) in new (string, IReadOnlyList<Lag>)[]
        {
            ("alone", LagAlone), ("**alone, all rounds**", [LagOfAllAlone]),
            ("beside bad neighbours", LagBesideBadNeighbours), ("**beside bad neighbours, all rounds**", [LagOfAllBesideBadNeighbours]),
        })
        {
            foreach (var lag in lags)
            {
                Line($"| {name} | {lag.P50:0.0} | {lag.P99:0.0} | {lag.Max:0.0} | {lag.Events:N0} |");
            }
        }
        Line($"");
        Line($"p99 of all rounds beside bad neighbours ÷ alone: **{P99Ratio:0.00}** (target < 2).");
        Line($"");
        Line($"One claim (51–52 endpoints with due rows) beside a backlog whose breaker is still closed:");
        Line($"");
        Line($"| due rows of the dead endpoint | p50 ms | p99 ms |");
        Line($"|---:|---:|---:|");
        foreach (var claim in Claims)
        {
            Line($"| {claim.Backlog:N0} | {claim.P50:0.00} | {claim.P99:0.00} |");
        }
        Line($"");
        Line($"## Beside a long transaction");
        Line($"");
        Line($"Deliveries that another process has written, so that all are claimed, one part after the other; with and without a session that keeps");
        Line($"a snapshot open, so that nothing that is dead can be cleared away.");
        Line($"");
        Line($"| delivered before | per second without / with | PostgreSQL µs without / with |");
        Line($"|---:|---:|---:|");
        var before = 0;
        foreach (var (without, with) in Claimed.Zip(ClaimedBesideASnapshot))
        {
            Line($"| {before:N0} | {without.PerSecond:N0} / {with.PerSecond:N0} | {without.ServerMicroseconds:0} / {with.ServerMicroseconds:0} |");
            before += without.Count;
        }
        return text.ToString();

        void Row(string name, Spread figure, ThroughputFigures? costs) => Line(
            $"| {name} | {figure.Median:N2} | {figure.Minimum:N2} | {figure.Maximum:N2} | {(costs is null ? "" : Costs(costs))} |");

        static string Costs(ThroughputFigures f) => string.Create(
            CultureInfo.InvariantCulture, $"{f.OwnMicroseconds.Median:0} / {f.ServerMicroseconds.Median:0} / {f.NodeMicroseconds.Median:0}");
    }
}
