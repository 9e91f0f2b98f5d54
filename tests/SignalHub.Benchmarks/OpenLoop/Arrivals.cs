using System.Diagnostics;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>So many requests a second, for so long.</summary>
internal sealed record Phase(double PerSecond, TimeSpan Length);

/// <summary>When requests are due: fixed before the first one is sent, so that slow answers do not make fewer of them.</summary>
internal static class Arrivals
{
    private const ulong Seed = 0x5149_4E41_4C53; // the same schedule in every run
    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Poisson arrivals, as of many clients that know nothing of each other; <see cref="Stopwatch"/> ticks after the start.</summary>
    public static long[] Poisson(IEnumerable<Phase> phases)
    {
        var due = new List<long>();
        var (begin, number) = (0.0, Seed);
        foreach (var phase in phases)
        {
            var end = begin + phase.Length.TotalSeconds;
            for (var at = begin; ;)
            {
                number += Golden;
                at -= Math.Log(1 - ((Mix(number) >> 11) / (double)(1UL << 53))) / phase.PerSecond;
                if (at >= end)
                {
                    break;
                }
                due.Add((long)(at * Stopwatch.Frequency));
            }
            begin = end;
        }
        return [.. due];
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): numbers in a row become random ones.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
