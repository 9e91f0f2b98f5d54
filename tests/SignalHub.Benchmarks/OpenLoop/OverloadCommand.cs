using System.Globalization;
using System.Text;
using Npgsql;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>A stretch before, during or after the overload; times from when a request was due.</summary>
internal sealed record OverloadStretch(int Round, string Kind, string When, double ClosedPerSecond, OpenFigures Figures);

/// <summary>What the overload did to the process.</summary>
/// <param name="RecoverySeconds">From the end of the overload until nothing is refused and the p99 of half-seconds is what it was before, for two seconds.</param>
/// <param name="LateBefore">When half-seconds began that would not be normal afterwards, in seconds from the beginning: what differs by itself.</param>
/// <param name="LateAfter">The same from the end of the overload on.</param>
internal sealed record OverloadEffect(
    int Round, string Kind, double ResidentBefore, double ResidentLargest, double RecoverySeconds, IReadOnlyList<double> LateBefore, IReadOnlyList<double> LateAfter);

/// <summary>What a database that does not move does to senders.</summary>
/// <param name="RefusalMicroseconds">Processor time of the service for a refused request.</param>
internal sealed record OverloadStall(int Round, int Refused, double RefusedP99, double RefusalMicroseconds);

/// <summary>Everything a run of <c>overload</c> found.</summary>
internal sealed record OverloadResult(
    DateTimeOffset At, string Commit, int Rounds, int Seconds, Machine Machine, IReadOnlyList<Ratio> Ratios, IReadOnlyList<OverloadStretch> Stretches,
    IReadOnlyList<OverloadEffect> Effects, IReadOnlyList<OverloadStall> Stalls);

/// <summary>
/// Three times what the service can store, in an open loop, beside clients that send a byte a second: what it takes it stores soon, the rest is refused
/// at once, and when it is over everything is as before.
/// </summary>
internal static class OverloadCommand
{
    private const string Database = "signalhub";
    private const int Times = 3;
    private const double NormalShare = 0.5;
    private const int SlowClientCount = 100;
    private const int WarmUpSeconds = 20;

    private const double RefusedTargetMs = 100;
    private const double AcceptedTargetMs = 1_000;
    private const double RecoveryTargetSeconds = 5;

    // "As before" allows for what half-seconds of a normal stretch differ by among themselves.
    private const double NormalAgainTimes = 2;
    private const double NormalAgainMs = 10;

    private static readonly TimeSpan _window = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan _normalFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(0.25);

    /// <summary>Long enough for refusals to outweigh what was taken; no statement gives up within it.</summary>
    private static readonly TimeSpan _stall = TimeSpan.FromSeconds(8);

    /// <param name="Closed">Connections of the closed loop that finds the highest rate.</param>
    /// <param name="Open">Connections of the open loop: more than can be waiting for an answer when all is well.</param>
    private sealed record Kind(string Name, int Batch, int Closed, int Open);

    private static readonly Kind[] _kinds = [new("single posts", 1, 64, 4_096), new("batches of 100", 100, 8, 512), new("batches of 1,000", 1_000, 4, 128)];

    public static Task<int> RunAsync(string[] args) => PrivateRun.RunAsync(() => LoadOptions.Parse(args, rounds: 3, seconds: 20), MeasureAsync);

    private static async Task MeasureAsync(LoadOptions options, LoadServer server, string directory, CancellationToken cancellationToken)
    {
        ConsoleReport.WriteStep("Preparing and warming up");
        var (setup, wrk) = await ServiceSetup.PrepareAsync(server, directory, Database, cancellationToken);
        await using var store = new LoadStore(server.ConnectionString(Database));
        var machine = await MachineFacts.ReadAsync(server, directory, store, cancellationToken);
        await using var service = await setup.StartAsync(cancellationToken);
        await wrk.RunAsync(service.Url, _kinds[0].Closed, options.Quick ? options.Seconds : WarmUpSeconds, cancellationToken);
        var (stretches, effects, stalls) = (new List<OverloadStretch>(), new List<OverloadEffect>(), new List<OverloadStall>());
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var kind in _kinds)
            {
                await store.EmptyAsync(cancellationToken);
                service.EmptyLog();
                var closed = await wrk.RunAsync(service.Url, kind.Closed, Math.Max(2, options.Seconds / 2), cancellationToken, batch: kind.Batch);
                var highest = closed.Events / closed.Seconds / kind.Batch;
                await Measuring.InFlightAsync(store.CountedAsync, cancellationToken);
                await store.EmptyAsync(cancellationToken);
                ConsoleReport.WriteStep(string.Create(CultureInfo.InvariantCulture, $"Round {round} of {options.Rounds}, {kind.Name}: closed loop {highest:N0} requests/s"));
                await using var slow = new SlowClients(service.Url, File.ReadLines(setup.KeysFile).First(), SlowClientCount);
                var requests = new SignalRequests(setup.KeysFile, service.Url, kind.Batch);
                var (own, effect) = await OverloadAsync(new OpenLoop(service.Url, requests, kind.Open), service, kind.Name, round, options.Seconds, highest, cancellationToken);
                stretches.AddRange(own);
                effects.Add(effect);
                Measuring.Verify(kind.Name, new Generated(own.Sum(s => s.Figures.Stored), options.Seconds, 0, null, null), inFlight: 0, await store.CountAsync(cancellationToken));
            }
            await store.EmptyAsync(cancellationToken);
            var single = new OpenLoop(service.Url, new SignalRequests(setup.KeysFile, service.Url, _kinds[0].Batch), _kinds[0].Open);
            stalls.Add(await StallAsync(single, service, server, round, stretches.First(s => s.Round == round).ClosedPerSecond, cancellationToken));
        }
        Write(options, machine, await PrivateRun.CommitAsync(cancellationToken), stretches, effects, stalls);
    }

    /// <summary>Half of the rate, three times the rate, half of the rate, without a pause in between.</summary>
    private static async Task<(OverloadStretch[] Stretches, OverloadEffect Effect)> OverloadAsync(
        OpenLoop open, HostedProcess service, string kind, int round, int seconds, double highest, CancellationToken cancellationToken)
    {
        var (normal, over) = (TimeSpan.FromSeconds(Math.Max(2, seconds / 2)), TimeSpan.FromSeconds(seconds));
        var residentBefore = ProcessCpu.ResidentMegabytes(service.Id);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = LargestResidentAsync(service.Id, ended.Token);
        var answers = await open.RunAsync([new(highest * NormalShare, normal), new(highest * Times, over), new(highest * NormalShare, normal)], cancellationToken);
        await ended.CancelAsync();
        OverloadStretch Stretch(string when, TimeSpan from, TimeSpan to) => new(round, kind, when, highest, answers.Between(from, to));
        OverloadStretch[] stretches = [Stretch("before", TimeSpan.Zero, normal), Stretch("during", normal, normal + over), Stretch("after", normal + over, normal + over + normal)];
        foreach (var stretch in stretches)
        {
            OpenReport.WriteLine(stretch.When, stretch.Figures);
        }
        OpenReport.Require(stretches.Sum(s => s.Figures.Failed) == 0, $"Failed: {answers.Failures()}");
        var (lateBefore, lateAfter) = (Late(answers, stretches[0].Figures.P99, TimeSpan.Zero, normal), Late(answers, stretches[0].Figures.P99, normal + over, normal));
        var effect = new OverloadEffect(round, kind, residentBefore, await watching, Recovery(lateAfter), lateBefore, lateAfter);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"   normal again after {effect.RecoverySeconds} s (late from {string.Join(", ", lateAfter)} s on; before: {string.Join(", ", lateBefore)}); resident {effect.ResidentBefore:N0} MB before, {effect.ResidentLargest:N0} MB at most"));
        return (stretches, effect);
    }

    /// <summary>As many as can be stored, and none is: after the first moment everything is refused, and what was taken is stored when the database goes on.</summary>
    private static async Task<OverloadStall> StallAsync(
        OpenLoop open, HostedProcess service, LoadServer server, int round, double highest, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString(Database));
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var stop = new NpgsqlCommand("lock table signals in access exclusive mode", connection))
        {
            await stop.ExecuteNonQueryAsync(cancellationToken);
        }
        var before = ProcessCpu.Of(service.Id);
        var running = open.RunAsync([new Phase(highest, _stall)], cancellationToken);
        await Task.Delay(_stall, TimeProvider.System, cancellationToken);
        var after = ProcessCpu.Of(service.Id);
        await transaction.RollbackAsync(cancellationToken);
        var answers = await running;
        var figures = answers.Between(TimeSpan.Zero, _stall);
        OpenReport.WriteLine("stalled", figures);
        OpenReport.Require(figures.Failed == 0, $"Failed: {answers.Failures()}");
        return new OverloadStall(round, figures.Refused, figures.RefusedP99, (after - before).TotalMicroseconds / figures.Refused);
    }

    private static async Task<double> LargestResidentAsync(int processId, CancellationToken ended)
    {
        var largest = 0.0;
        using var timer = new PeriodicTimer(_look);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                largest = Math.Max(largest, ProcessCpu.ResidentMegabytes(processId));
            }
        }
        catch (OperationCanceledException)
        {
            // it is over
        }
        return largest;
    }

    /// <summary>
    /// When the first stretch of <see cref="_normalFor"/> began in which everything was normal. Not the end of the last half-second that was not: those come again
    /// without an overload, too (<see cref="OverloadEffect.LateBefore"/>), when large requests meet or PostgreSQL tidies up.
    /// </summary>
    private static double Recovery(List<double> late)
    {
        var recovered = 0.0;
        foreach (var at in late.TakeWhile(at => at < recovered + _normalFor.TotalSeconds))
        {
            recovered = at + _window.TotalSeconds;
        }
        return recovered;
    }

    /// <summary>When the half-seconds of a stretch began that were not normal, in seconds from its beginning.</summary>
    private static List<double> Late(Answers answers, double normalP99, TimeSpan begun, TimeSpan length)
    {
        var bound = Math.Max(normalP99 * NormalAgainTimes, normalP99 + NormalAgainMs);
        var late = new List<double>();
        for (var at = TimeSpan.Zero; at < length; at += _window)
        {
            var figures = answers.Between(begun + at, begun + at + _window);
            if (figures.Refused > 0 || figures.P99 > bound)
            {
                late.Add(at.TotalSeconds);
            }
        }
        return late;
    }

    private static void Write(LoadOptions options, Machine machine, string commit, List<OverloadStretch> stretches, List<OverloadEffect> effects, List<OverloadStall> stalls)
    {
        Figure Of(string kind, string when, Func<OpenFigures, double> value) =>
            Figure.Of(stretches.Where(s => s.Kind == kind && s.When == when).Select(s => value(s.Figures)));
        var ratios = _kinds.SelectMany(k => new Ratio[]
        {
            new($"{k.Name}: 503, p99", Of(k.Name, "during", f => f.RefusedP99), RefusedTargetMs, AtMost: true, "ms"),
            new($"{k.Name}: p99 of what was accepted", Of(k.Name, "during", f => f.P99), AcceptedTargetMs, AtMost: true, "ms"),
            new($"{k.Name}: normal again after", Figure.Of(effects.Where(e => e.Kind == k.Name).Select(e => e.RecoverySeconds)), RecoveryTargetSeconds, AtMost: true, "s"),
            new($"{k.Name}: late half-seconds in the {Math.Max(2, options.Seconds / 2)} s before", Figure.Of(effects.Where(e => e.Kind == k.Name).Select(e => (double)e.LateBefore.Count)), Target: null, AtMost: true, ""),
            new($"{k.Name}: late half-seconds in as long after", Figure.Of(effects.Where(e => e.Kind == k.Name).Select(e => (double)e.LateAfter.Count)), Target: null, AtMost: true, ""),
            new($"{k.Name}: largest resident memory", Figure.Of(effects.Where(e => e.Kind == k.Name).Select(e => e.ResidentLargest)), Target: null, AtMost: true, "MB"),
        }).Concat(
        [
            new("Database stalled: 503, p99", Figure.Of(stalls.Select(s => s.RefusedP99)), RefusedTargetMs, AtMost: true, "ms"),
            new("Database stalled: processor time of the service for a 503", Figure.Of(stalls.Select(s => s.RefusalMicroseconds)), Target: null, AtMost: true, "µs"),
        ]).ToList();
        var table = new StringBuilder("| requests | when | offered/s | accepted/s | p50 ms | p99 ms | longest ms | in part/s | refused/s | p50 ms | p99 ms | longest ms |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var group in stretches.GroupBy(s => (s.Kind, s.When)))
        {
            string Cell(Func<OpenFigures, double> value) => ResultTables.Show(Figure.Of(group.Select(s => value(s.Figures))).Median);
            string Rate(Func<OpenFigures, double> value) => Cell(f => f.Accepted == 0 ? 0 : value(f) * f.PerSecond / f.Accepted);
            table.Append(CultureInfo.InvariantCulture,
                $"| {group.Key.Kind} | {group.Key.When} | {Rate(f => f.Offered)} | {Rate(f => f.Accepted)} | {Cell(f => f.P50)} | {Cell(f => f.P99)} | {Cell(f => f.Max)} | {Rate(f => f.Partly)} | {Rate(f => f.Refused)} | {Cell(f => f.RefusedP50)} | {Cell(f => f.RefusedP99)} | {Cell(f => f.RefusedMax)} |\n");
        }
        var result = new OverloadResult(TimeProvider.System.GetUtcNow(), commit, options.Rounds, options.Seconds, machine, ratios, stretches, effects, stalls);
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            # Overload

            Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- overload`; method: [performance](../performance.md#overload).
            {options.Rounds} rounds; in each, half of what a closed loop reaches, {Times} times that rate for {options.Seconds} s, and half of it again, beside {SlowClientCount} clients that
            send a byte a second. A half-second is late in which something was refused or the p99 was above {NormalAgainTimes} times what it was before, or {NormalAgainMs} ms above it if that is more; normal again is the
            beginning of the first {_normalFor.TotalSeconds} s without one. Times from when a request was due, medians over the rounds. Everything else than 200, 201, and 503 or (for a part of a batch) 207 with `Retry-After` fails the run.

            {ResultTables.Ratios(ratios)}
            {table}
            {ResultTables.Machine(result.At, commit, machine)}
            """);
        OpenReport.Write(options, "overload", result, text);
    }
}
