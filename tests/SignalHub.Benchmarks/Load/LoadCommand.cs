using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Load;

/// <summary>
/// Single posts per second and their latency: the service with everything on, pgbench writing the same rows, and a plain
/// EF Core implementation of the endpoint, on one durable PostgreSQL, in rounds of changing order.
/// </summary>
internal static class LoadCommand
{
    private const string ServiceDatabase = "signalhub";
    private const string PlainEfDatabase = "plain_ef";
    private const string PgbenchDatabase = "pgbench";

    private const int Connections = 64;
    private const int BatchConnections = 8;
    private const int Restarts = 3;

    // The first seconds are several times slower than the rest, and on a busy machine the just-in-time compiler takes long.
    private const int WarmUpSeconds = 20;
    private const int QuickWarmUpSeconds = 3;

    private static readonly int[] _connectionCounts = [16, 32, 64];

    public static Task<int> RunAsync(string[] args) => PrivateRun.RunAsync(() => LoadOptions.Parse(args, rounds: 5, seconds: 10), MeasureAsync);

    private static async Task MeasureAsync(LoadOptions options, LoadServer server, string directory, CancellationToken cancellationToken)
    {
        ConsoleReport.WriteStep("Preparing three databases with the same workspaces and people");
        var (setup, wrk) = await ServiceSetup.PrepareAsync(server, directory, ServiceDatabase, cancellationToken);
        await CopyAsync(server, cancellationToken);
        await using var serviceStore = new LoadStore(server.ConnectionString(ServiceDatabase));
        await using var plainEfStore = new LoadStore(server.ConnectionString(PlainEfDatabase));
        await using var pgbenchStore = new LoadStore(server.ConnectionString(PgbenchDatabase));
        var machine = await MachineFacts.ReadAsync(server, directory, pgbenchStore, cancellationToken);
        ConsoleReport.Write(machine);

        await using var service = await setup.StartAsync(cancellationToken);
        await using var plainEf = await StartPlainEfAsync(server, directory, cancellationToken);
        ConsoleReport.WriteStep("Warming up");
        var warmUp = options.Quick ? QuickWarmUpSeconds : WarmUpSeconds;
        await wrk.RunAsync(service.Url, Connections, warmUp, cancellationToken);
        await wrk.RunAsync(plainEf.Url, Connections, warmUp, cancellationToken);
        var pgbench = new Pgbench(server, PgbenchDatabase, directory);
        await pgbench.RunAsync(_connectionCounts[1], QuickWarmUpSeconds, pipelined: false, cancellationToken); // has nothing to compile, but makes its people
        Contender[] contenders =
        [
            new(Contenders.Pgbench, pgbenchStore, null, _connectionCounts, HasLatency: true, (n, s, ct) => pgbench.RunAsync(n, s, pipelined: false, ct)),
            new(Contenders.PlainEf, plainEfStore, plainEf, _connectionCounts, HasLatency: true, (n, s, ct) => wrk.RunAsync(plainEf.Url, n, s, ct)),
            new(Contenders.Service, serviceStore, service, [Connections], HasLatency: true, (n, s, ct) => wrk.RunAsync(service.Url, n, s, ct)),
            new(Contenders.Batches, serviceStore, service, [BatchConnections], HasLatency: false,
                (n, s, ct) => wrk.RunAsync(service.Url, n, s, ct, batch: Contenders.BatchSize), EventsPerRequest: Contenders.BatchSize),
            new(Contenders.Pipelined, pgbenchStore, null, [_connectionCounts[1]], HasLatency: false, (n, s, ct) => pgbench.RunAsync(n, s, pipelined: true, ct)),
        ];
        var measurements = await RunRoundsAsync(options, new Measuring(server, options.Profile), contenders, cancellationToken);
        var memory = ProcessCpu.PeakResidentMegabytes(service.Id);
        await service.StopAsync();
        var starts = await RestartAsync(setup, cancellationToken);

        var result = new LoadResult(TimeProvider.System.GetUtcNow(), await PrivateRun.CommitAsync(cancellationToken), options.Rounds, options.Seconds, machine,
            LoadRatios.Of(measurements, memory, starts), measurements);
        ConsoleReport.Write(result);
        if (options.WritesResults)
        {
            ResultFiles.Write(result, options.Output);
        }
    }

    /// <summary>What the service made, for the others: all have the same rows and statistics.</summary>
    private static async Task CopyAsync(LoadServer server, CancellationToken cancellationToken)
    {
        foreach (var database in new[] { PlainEfDatabase, PgbenchDatabase })
        {
            await server.CreateDatabaseAsync(database, ServiceDatabase, cancellationToken);
            await using var store = new LoadStore(server.ConnectionString(database));
            await store.KeepSampleAsync(cancellationToken);
            if (database == PgbenchDatabase)
            {
                await store.PrepareScriptAsync(cancellationToken);
            }
        }
    }

    private static Task<HostedProcess> StartPlainEfAsync(LoadServer server, string directory, CancellationToken cancellationToken) => HostedProcess.StartAsync(
        ["SignalHub.Benchmarks.dll", "plain-ef"], Path.Combine(directory, "plain-ef.log"),
        new Dictionary<string, string> { ["PlainEf__Connection"] = server.ConnectionString(PlainEfDatabase) }, cancellationToken);

    private static async Task<List<Measurement>> RunRoundsAsync(
        LoadOptions options, Measuring measuring, Contender[] contenders, CancellationToken cancellationToken)
    {
        var measurements = new List<Measurement>();
        var latencySeconds = Math.Max(1, options.Seconds / 2);
        for (var round = 1; round <= options.Rounds; round++)
        {
            ConsoleReport.WriteStep($"Round {round} of {options.Rounds}");
            // Another one begins each time: what the machine does besides hits each of them first, last and in between.
            foreach (var contender in contenders.Select((_, i) => contenders[(i + round) % contenders.Length]))
            {
                foreach (var connections in contender.Connections)
                {
                    measurements.Add(await measuring.RunAsync(contender, round, connections, options.Seconds, cancellationToken));
                }
                if (contender.HasLatency)
                {
                    measurements.Add(await measuring.RunAsync(contender, round, connections: 1, latencySeconds, cancellationToken));
                }
            }
        }
        return measurements;
    }

    private static async Task<List<double>> RestartAsync(ServiceSetup setup, CancellationToken cancellationToken)
    {
        var seconds = new List<double>();
        for (var i = 0; i < Restarts; i++)
        {
            await using var service = await setup.StartAsync(cancellationToken);
            seconds.Add(service.ReadyAfter.TotalSeconds);
        }
        return seconds;
    }
}
