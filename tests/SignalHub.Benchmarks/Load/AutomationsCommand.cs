using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using SignalHub.Benchmarks.Micro;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Load;

/// <summary>
/// <c>automations [--rounds 5] [--seconds 5] [--output docs/benchmarks]</c>: what 200 automations in a workspace add to taking a signal in, by processor time per event of service and
/// PostgreSQL, in rounds of changing order; writes <c>docs/benchmarks/automations.*</c>.
/// </summary>
internal static class AutomationsCommand
{
    private const string Database = "signalhub";
    private const int Automations = 200;
    private const int Connections = 64;
    private const int WarmUpSeconds = 15;
    private const int LoadSeconds = 2;

    /// <summary>Longer than the second in which a node hears that a workspace changed.</summary>
    private static readonly TimeSpan _heard = TimeSpan.FromSeconds(3);

    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <param name="TypeSql">The types of the automation with the number <c>i</c>.</param>
    private sealed record Case(string Name, string? TypeSql);

    private static readonly Case[] _cases =
    [
        new("no automations", null),
        new("200 over twenty signal types", "case when i % 20 = 0 then 'custom_event' else 'type_' || i % 20 end"),
        new("200 of the signal's type", "'custom_event'"),
    ];

    /// <summary>One measurement.</summary>
    private sealed record Cost(int Round, string Case, long Events, double PerSecond, double AppMicroseconds, double PostgresMicroseconds)
    {
        public double Total => AppMicroseconds + PostgresMicroseconds;
    }

    public static async Task<int> RunAsync(string[] args)
    {
        if (!OperatingSystem.IsLinux())
        {
            await Console.Error.WriteLineAsync("automations needs Linux: it reads processor times from /proc.");
            return 1;
        }
        string Option(string name, string otherwise) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : otherwise;
        var rounds = int.Parse(Option("--rounds", "5"), CultureInfo.InvariantCulture);
        var seconds = int.Parse(Option("--seconds", "5"), CultureInfo.InvariantCulture);
        var directory = Directory.CreateTempSubdirectory("signalhub-automations-").FullName;
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute); // PostgreSQL's account passes through
        try
        {
            await using var server = await LoadServer.StartAsync(directory, profile: false, CancellationToken.None);
            await server.CreateDatabaseAsync(Database, "template0", CancellationToken.None);
            var setup = new ServiceSetup(directory, server.ConnectionString(Database));
            var wrk = new Wrk(directory, setup.KeysFile);
            await using var service = await setup.StartAsync(CancellationToken.None);
            await setup.FillAsync(service.Url, CancellationToken.None);
            // All load to one workspace, whose automations these are.
            await File.WriteAllLinesAsync(setup.KeysFile, File.ReadLines(setup.KeysFile).Take(1).ToList());
            await wrk.RunAsync(service.Url, Connections, WarmUpSeconds, CancellationToken.None, Wrk.Walk);
            await using var store = new LoadStore(server.ConnectionString(Database));
            await using var source = NpgsqlDataSource.Create(server.ConnectionString(Database));
            var machine = await MachineFacts.ReadAsync(server, directory, store, CancellationToken.None);
            var costs = new List<Cost>();
            for (var round = 1; round <= rounds; round++)
            {
                foreach (var c in _cases.Skip(round % _cases.Length).Concat(_cases.Take(round % _cases.Length)))
                {
                    await SetAsync(source, c.TypeSql);
                    await store.EmptyAsync(CancellationToken.None);
                    await Task.Delay(_heard, TimeProvider.System);
                    // Loads and compiles the new set, which is paid once for a change and not for a signal.
                    await wrk.RunAsync(service.Url, Connections, LoadSeconds, CancellationToken.None);
                    costs.Add(await MeasureAsync(server, service, wrk, c.Name, round, seconds));
                }
            }
            Write(Option("--output", Path.Combine("docs", "benchmarks")), machine, rounds, seconds, costs);
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<Cost> MeasureAsync(LoadServer server, HostedProcess service, Wrk wrk, string name, int round, int seconds)
    {
        var (app, postgres) = (ProcessCpu.Of(service.Id), ProcessCpu.OfServer(server.ProcessId));
        var generated = await wrk.RunAsync(service.Url, Connections, seconds, CancellationToken.None);
        var (appAfter, postgresAfter) = (ProcessCpu.Of(service.Id), ProcessCpu.OfServer(server.ProcessId));
        if (generated.Failed > 0)
        {
            throw new InvalidOperationException($"{generated.Failed} requests failed.");
        }
        var cost = new Cost(round, name, generated.Events, generated.Events / generated.Seconds,
            (appAfter - app).TotalMicroseconds / generated.Events, (postgresAfter - postgres).TotalMicroseconds / generated.Events);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"   {name,-30} {cost.PerSecond,8:N0} events/s   CPU µs {cost.AppMicroseconds:0} + {cost.PostgresMicroseconds:0} = {cost.Total:0}"));
        return cost;
    }

    /// <summary>Gives every workspace those automations and no others: three comparisons each, none true.</summary>
    private static async Task SetAsync(NpgsqlDataSource source, string? typeSql)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("truncate automations"));
        if (typeSql is not null)
        {
            var insert = new NpgsqlBatchCommand($"""
                insert into automations (workspace_id, id, name, signal_types, "when", endpoint_id, owns_endpoint, enabled, created_at, updated_at)
                select w.id, gen_random_uuid(), 'n', array[{typeSql}], c."when", e.id, false, true, now(), now()
                  from workspaces w
                 cross join lateral (select id from webhook_endpoints e where e.workspace_id = w.id limit 1) e
                 cross join unnest($1::text[]) with ordinality as c ("when", i)
                """);
            insert.Parameters.Add(new NpgsqlParameter { Value = Enumerable.Range(0, Automations).Select(AutomationBenchmarks.ConditionOf).ToArray() });
            batch.BatchCommands.Add(insert);
        }
        batch.BatchCommands.Add(new NpgsqlBatchCommand("update workspaces set version = version + 1, changed_at = clock_timestamp()"));
        await batch.ExecuteNonQueryAsync();
    }

    private static void Write(string directory, Machine machine, int rounds, int seconds, List<Cost> costs)
    {
        Directory.CreateDirectory(directory);
        var none = costs.Where(c => c.Case == _cases[0].Name).ToDictionary(c => c.Round);
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# What automations cost the intake");
        Line($"");
        Line($"    dotnet run -c Release --project tests/SignalHub.Benchmarks -- automations --rounds {rounds} --seconds {seconds}");
        Line($"");
        Line($"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {machine.Processor}, {machine.Cores} cores, {machine.DotNet}, load average before the run {machine.LoadBefore:0.0}.");
        Line($"Single posts of qualifying signals with everything on, 64 connections, one workspace; conditions of three comparisons, none of them true.");
        Line($"Processor time per event of service and PostgreSQL, medians over {rounds} rounds; the ratio is of each round to the same round without automations.");
        Line($"");
        Line($"| | service µs | PostgreSQL µs | together µs | ÷ none: median | min | max |");
        Line($"|---|---:|---:|---:|---:|---:|---:|");
        foreach (var c in _cases)
        {
            var own = costs.Where(cost => cost.Case == c.Name).ToList();
            var ratio = Figure.Of(own.Select(cost => cost.Total / none[cost.Round].Total));
            Line($"| {c.Name} | {Figure.Of(own.Select(o => o.AppMicroseconds)).Median:0} | {Figure.Of(own.Select(o => o.PostgresMicroseconds)).Median:0} | {Figure.Of(own.Select(o => o.Total)).Median:0} | {ratio.Median:0.00} | {ratio.Min:0.00} | {ratio.Max:0.00} |");
        }
        Line($"");
        Line($"Target: below 1.20. What one match costs without the rest: `-- micro --filter '*AutomationBenchmarks*'`.");
        File.WriteAllText(Path.Combine(directory, "automations.md"), text.ToString());
        File.WriteAllText(Path.Combine(directory, "automations.json"), JsonSerializer.Serialize(new { At = TimeProvider.System.GetUtcNow(), machine, costs }, _json) + "\n");
        Console.WriteLine(text);
    }
}
