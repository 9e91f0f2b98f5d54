namespace SignalHub.Benchmarks.Report;

/// <summary>The ratios that are compared. Each is made within one round, then summed up over the rounds.</summary>
internal static class LoadRatios
{
    private const double TimesPgbench = 4;
    private const double TimesPlainEf = 5;
    private const double BatchTimesPgbench = 10;
    private const double LatencyOfPgbench = 1;
    private const double ResidentMegabytes = 300;
    private const double ReadySeconds = 2;

    public static IReadOnlyList<Ratio> Of(IReadOnlyList<Measurement> measurements, double residentMegabytes, IReadOnlyList<double> readySeconds)
    {
        var rounds = measurements.Select(m => m.Round).Distinct().ToList();
        Figure PerRound(Func<int, double> value) => Figure.Of(rounds.Select(value));
        double Best(int round, string contender) => measurements.Where(m => m.Round == round && m.Contender == contender).Max(m => m.PerSecond);
        double Cpu(int round, string contender) => measurements.Where(m => m.Round == round && m.Contender == contender).MaxBy(m => m.PerSecond)!.TotalMicroseconds;
        double P50(int round, string contender) => measurements.Single(m => m.Round == round && m.Contender == contender && m.Connections == 1).P50Ms!.Value;
        return
        [
            new("Posts/s at 64 connections ÷ pgbench, best of 16, 32 and 64 clients",
                PerRound(r => Best(r, Contenders.Service) / Best(r, Contenders.Pgbench)), TimesPgbench, AtMost: false, "×"),
            new("Posts/s at 64 connections ÷ plain EF Core, best of 16, 32 and 64 connections",
                PerRound(r => Best(r, Contenders.Service) / Best(r, Contenders.PlainEf)), TimesPlainEf, AtMost: false, "×"),
            new("Median latency of one post at a time ÷ that of pgbench with one client",
                PerRound(r => P50(r, Contenders.Service) / P50(r, Contenders.Pgbench)), LatencyOfPgbench, AtMost: true, "×"),
            new("Signals/s in batches of 100 ÷ pgbench's transactions/s",
                PerRound(r => Best(r, Contenders.Batches) / Best(r, Contenders.Pgbench)), BatchTimesPgbench, AtMost: false, "×"),
            // Hardly moved by what else the machine does; on a busy one it says more than the rates.
            new("Processor time per event of all processes: pgbench at its best ÷ SignalHub",
                PerRound(r => Cpu(r, Contenders.Pgbench) / Cpu(r, Contenders.Service)), Target: null, AtMost: false, "×"),
            new("The same: plain EF Core at its best ÷ SignalHub",
                PerRound(r => Cpu(r, Contenders.PlainEf) / Cpu(r, Contenders.Service)), Target: null, AtMost: false, "×"),
            new("Largest resident memory of the service", Figure.Of([residentMegabytes]), ResidentMegabytes, AtMost: true, "MB"),
            new("Ready after a start on the existing database", Figure.Of(readySeconds), ReadySeconds, AtMost: true, "s"),
        ];
    }
}
