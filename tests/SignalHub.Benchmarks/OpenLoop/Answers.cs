using System.Diagnostics;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>What a stretch of an open-loop run saw. Times in ms, from when a request was due to its answer.</summary>
/// <param name="Offered">Requests that were due.</param>
/// <param name="Accepted">Answered 200 or 201: all of it is stored.</param>
/// <param name="Refused">Answered 503 with <c>Retry-After</c>.</param>
/// <param name="Failed">Everything else: other answers, a 503 without <c>Retry-After</c>, broken connections, no answer.</param>
/// <param name="SendLagP99">How late the generator itself was; part of the other times.</param>
internal sealed record OpenFigures(
    int Offered, int Accepted, int Refused, int Failed, double PerSecond, double P50, double P99, double P999, double Max,
    double RefusedP50, double RefusedP99, double RefusedMax, double SendLagP99);

/// <summary>Every request of an open-loop run by the time it was due.</summary>
internal sealed class Answers(long[] due)
{
    private const int Ok = 200;
    private const int Created = 201;
    private const int Unavailable = 503;

    private readonly int[] _status = new int[due.Length];
    private readonly bool[] _saidWhen = new bool[due.Length];
    private readonly float[] _milliseconds = new float[due.Length];
    private readonly float[] _sendLag = new float[due.Length];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = due.Length;

    public int Count => due.Length;

    /// <summary>Ends with the last answer.</summary>
    public Task All => _all.Task;

    public long DueAt(int arrival) => due[arrival];

    public void Sent(int arrival, long at) => _sendLag[arrival] = Milliseconds(at - due[arrival]);

    public void Answered(int arrival, long at, int status, bool saysWhen)
    {
        _milliseconds[arrival] = Milliseconds(at - due[arrival]);
        _saidWhen[arrival] = saysWhen;
        _status[arrival] = status;
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _all.SetResult();
        }
    }

    /// <summary>Figures of what was due from the one time to the other.</summary>
    public OpenFigures Between(TimeSpan from, TimeSpan to)
    {
        var first = IndexOf(from);
        var end = IndexOf(to);
        var (accepted, refused, lags) = (new List<float>(), new List<float>(), new List<float>());
        for (var i = first; i < end; i++)
        {
            lags.Add(_sendLag[i]);
            if (_status[i] is Ok or Created)
            {
                accepted.Add(_milliseconds[i]);
            }
            else if (_status[i] == Unavailable && _saidWhen[i])
            {
                refused.Add(_milliseconds[i]);
            }
        }
        accepted.Sort();
        refused.Sort();
        lags.Sort();
        return new OpenFigures(end - first, accepted.Count, refused.Count, end - first - accepted.Count - refused.Count, accepted.Count / (to - from).TotalSeconds,
            At(accepted, 0.5), At(accepted, 0.99), At(accepted, 0.999), At(accepted, 1), At(refused, 0.5), At(refused, 0.99), At(refused, 1), At(lags, 0.99));
    }

    /// <summary>What the failures were, for a message.</summary>
    public string Failures() => string.Join(", ", _status.Where((s, i) => s is not (Ok or Created) && !(s == Unavailable && _saidWhen[i]))
        .GroupBy(s => s).Select(g => $"{g.Count()} × {g.Key switch { 0 => "no answer", Connection.Broken => "broken connection", var s => s.ToString(System.Globalization.CultureInfo.InvariantCulture) }}"));

    private int IndexOf(TimeSpan at)
    {
        var index = Array.BinarySearch(due, (long)(at.TotalSeconds * Stopwatch.Frequency));
        return index < 0 ? ~index : index;
    }

    private static double At(List<float> sorted, double share) => sorted.Count == 0 ? 0 : Math.Round(sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))], 2);

    private static float Milliseconds(long ticks) => (float)(ticks * 1000.0 / Stopwatch.Frequency);
}
