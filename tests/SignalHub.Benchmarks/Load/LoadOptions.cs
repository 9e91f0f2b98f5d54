using System.Globalization;

namespace SignalHub.Benchmarks.Load;

/// <summary>How long and how often to measure.</summary>
/// <param name="Rounds">1–50; each measures everything once, in another order.</param>
/// <param name="Seconds">2–120; of each measurement of throughput. Those with one connection take half of it.</param>
/// <param name="Quick">A smoke run: nothing is written.</param>
/// <param name="Profile">With the statements that cost PostgreSQL most; slows everything a little, so nothing is written either.</param>
/// <param name="Output">Directory of the results.</param>
/// <param name="Signals">The largest number of stored signals; for growth.</param>
internal sealed record LoadOptions(int Rounds, int Seconds, bool Quick, bool Profile, string Output, int Signals)
{
    public const string Usage = """
                  --rounds n   --seconds n   --output docs/benchmarks
                  --quick      one round of 2 s, nothing written
                  --profile    load: one round with the costliest statements of each contender, nothing written
                  --signals n  growth: the largest number of stored signals
        """;

    private const int MaxRounds = 50;
    private const int MinSeconds = 2; // below that a checkpoint or a collection decides
    private const int MaxSeconds = 120;
    private const int MinSignals = 10_000;
    private const int MaxSignals = 100_000_000;
    private const int QuickSignals = 100_000;

    public bool WritesResults => !Quick && !Profile;

    /// <exception cref="ArgumentException">An option nobody knows, or a number out of its range.</exception>
    public static LoadOptions Parse(string[] args, int rounds, int seconds, int signals = 0)
    {
        var options = new LoadOptions(rounds, seconds, Quick: false, Profile: false, Output: Path.Combine("docs", "benchmarks"), signals);
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Quick = true, Rounds = 1, Seconds = MinSeconds, Signals = Math.Min(signals, QuickSignals) },
                "--profile" => options with { Profile = true, Rounds = 1 },
                "--rounds" => options with { Rounds = Number(args, ++i, 1, MaxRounds) },
                "--seconds" => options with { Seconds = Number(args, ++i, MinSeconds, MaxSeconds) },
                "--signals" when signals > 0 => options with { Signals = Number(args, ++i, MinSignals, MaxSignals) },
                "--output" when i + 1 < args.Length => options with { Output = args[++i] },
                _ => throw new ArgumentException($"{args[i]} is no option here, or its value is missing:\n{Usage}"),
            };
        }
        return options;
    }

    private static int Number(string[] args, int index, int min, int max) =>
        index < args.Length && int.TryParse(args[index], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ArgumentException($"{args[index - 1]} needs a number from {min} to {max}.");
}
