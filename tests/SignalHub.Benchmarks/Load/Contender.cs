using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Load;

/// <summary>One way of storing signals, with the database that it alone uses.</summary>
/// <param name="Process">What serves HTTP; null: the load generator speaks to PostgreSQL itself.</param>
/// <param name="Connections">Counts of connections tried for the throughput; the best one of a round is its figure.</param>
/// <param name="HasLatency">Whether it is measured with one connection too.</param>
/// <param name="RunAsync">Loads it with so many connections for so many seconds.</param>
/// <param name="EventsPerRequest">So many more may be stored for each connection than were answered.</param>
internal sealed record Contender(
    string Name, LoadStore Store, HostedProcess? Process, int[] Connections, bool HasLatency, Func<int, int, CancellationToken, Task<Generated>> RunAsync,
    int EventsPerRequest = 1);

/// <summary>Measures contenders one at a time and holds what they said against what they stored.</summary>
internal sealed class Measuring(LoadServer server, bool profile)
{
    // Requests that the end of wrk cut off are still stored; they take milliseconds, and batches on a busy machine a second.
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(0.5);

    /// <exception cref="InvalidOperationException">Requests failed, or the rows are not those that were acknowledged.</exception>
    public async Task<Measurement> RunAsync(Contender contender, int round, int connections, int seconds, CancellationToken cancellationToken)
    {
        await contender.Store.EmptyAsync(cancellationToken);
        contender.Process?.EmptyLog();
        if (profile)
        {
            await contender.Store.BeginProfileAsync(cancellationToken);
        }
        var (app, postgres, generator) = Cpu(contender);
        var generated = await contender.RunAsync(connections, seconds, cancellationToken);
        var (appAfter, postgresAfter, generatorAfter) = Cpu(contender);
        await InFlightAsync(contender.Store.CountedAsync, cancellationToken);
        if (profile)
        {
            var (statements, tables) = await contender.Store.EndProfileAsync(cancellationToken);
            ConsoleReport.WriteProfile(contender.Name, connections, generated.Events, statements, tables);
        }
        Verify(contender.Name, generated, connections * contender.EventsPerRequest, await contender.Store.CountAsync(cancellationToken));
        double PerEvent(TimeSpan time) => time.TotalMicroseconds / generated.Events;
        var measured = new Measurement(round, contender.Name, connections, generated.Events, generated.Events / generated.Seconds, generated.P50Ms, generated.P99Ms,
            contender.Process is null ? null : PerEvent(appAfter - app), PerEvent(postgresAfter - postgres), PerEvent(generatorAfter - generator));
        ConsoleReport.WriteLine(measured);
        return measured;
    }

    /// <summary>Waits for what a closed loop had sent when it ended: until a count of what is stored stands still.</summary>
    public static async Task InFlightAsync(Func<CancellationToken, Task<long>> count, CancellationToken cancellationToken)
    {
        long before;
        do
        {
            before = await count(cancellationToken);
            await Task.Delay(_look, TimeProvider.System, cancellationToken);
        }
        while (await count(cancellationToken) != before);
    }

    private (TimeSpan App, TimeSpan Postgres, TimeSpan Generator) Cpu(Contender contender) =>
        (contender.Process is { } process ? ProcessCpu.Of(process.Id) : default, ProcessCpu.OfServer(server.ProcessId), ProcessCpu.OfEndedChildren());

    /// <summary>Holds what was answered against what is stored.</summary>
    /// <param name="inFlight">So many more may be stored than were answered.</param>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public static void Verify(string contender, Generated generated, int inFlight, StoredRows rows)
    {
        var wrong = new List<string>();
        void Require(bool holds, string otherwise)
        {
            if (!holds)
            {
                wrong.Add(otherwise);
            }
        }
        Require(generated.Failed == 0, $"{generated.Failed} requests failed");
        Require(rows.Signals >= generated.Events, $"{generated.Events - rows.Signals} acknowledged signals are not stored");
        Require(rows.Signals <= generated.Events + inFlight, $"{rows.Signals - generated.Events} signals more than were acknowledged or in flight");
        Require(rows.DistinctSignals == rows.Signals, $"{rows.Signals - rows.DistinctSignals} signals are stored twice");
        Require(rows.Qualified == rows.Signals, $"{rows.Signals - rows.Qualified} signals did not qualify");
        Require(rows.Events == rows.Qualified, $"{rows.Events} events for {rows.Qualified} qualified signals");
        Require(rows.Deliveries == 2 * rows.Qualified, $"{rows.Deliveries} deliveries for {rows.Qualified} qualified signals and two endpoints");
        Require(rows.CountedAsUsage == rows.Signals, $"usage counts {rows.CountedAsUsage} of {rows.Signals} signals");
        Require(rows.CountedOnLeads == rows.Signals, $"leads count {rows.CountedOnLeads} of {rows.Signals} signals");
        if (wrong.Count > 0)
        {
            throw new InvalidOperationException($"{contender}: {string.Join("; ", wrong)}.");
        }
    }
}
