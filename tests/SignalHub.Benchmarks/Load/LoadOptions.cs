using System.Globalization;

namespace SignalHub.Benchmarks.Load;

/// <summary>How long and how often to measure.</summary>
/// <param name="Rounds">1–50; each measures every contender once, in another order.</param>
/// <param name="Seconds">2–120; of each measurement of throughput. Those with one connection take half of it.</param>
/// <param name="Quick">A smoke run: nothing is written.</param>
/// <param name="Profile">With the statements that cost PostgreSQL most; slows everything a little, so nothing is written either.</param>
/// <param name="Output">Directory of the results.</param>
internal sealed record LoadOptions(int Rounds, int Seconds, bool Quick, bool Profile, string Output)
{
    public const string Usage = """
                  --rounds 5   --seconds 10   --output docs/benchmarks
                  --quick      one round of 2 s, nothing written
                  --profile    one round with the costliest statements of each contender, nothing written
        """;

    private const int MaxRounds = 50;
    private const int MinSeconds = 2; // below that a checkpoint or a collection decides
    private const int MaxSeconds = 120;

    public bool WritesResults => !Quick && !Profile;

    /// <exception cref="ArgumentException">An option nobody knows, or a number out of its range.</exception>
    public static LoadOptions Parse(string[] args)
    {
        var options = new LoadOptions(Rounds: 5, Seconds: 10, Quick: false, Profile: false, Output: Path.Combine("docs", "benchmarks"));
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Quick = true, Rounds = 1, Seconds = MinSeconds },
                "--profile" => options with { Profile = true, Rounds = 1 },
                "--rounds" => options with { Rounds = Number(args, ++i, 1, MaxRounds) },
                "--seconds" => options with { Seconds = Number(args, ++i, MinSeconds, MaxSeconds) },
                "--output" when i + 1 < args.Length => options with { Output = args[++i] },
                _ => throw new ArgumentException($"{args[i]} is no option of load, or its value is missing:\n{Usage}"),
            };
        }
        return options;
    }

    private static int Number(string[] args, int index, int min, int max) =>
        index < args.Length && int.TryParse(args[index], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ArgumentException($"{args[index - 1]} needs a number from {min} to {max}.");
}
