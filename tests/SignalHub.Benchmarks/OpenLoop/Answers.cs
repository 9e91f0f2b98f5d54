using System.Diagnostics;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>What a stretch of an open-loop run saw. Times in ms, from when a request was due to its answer.</summary>
/// <param name="Offered">Requests that were due.</param>
/// <param name="Accepted">Answered 200 or 201: all of it is stored.</param>
/// <param name="Refused">Answered 503 with <c>Retry-After</c>.</param>
/// <param name="Partly">Answered 207 with <c>Retry-After</c>: a part is stored, the rest is to be sent again. Among the accepted ones, too.</param>
/// <param name="Failed">Everything else: other answers, a 503 or 207 without <c>Retry-After</c>, broken connections, no answer.</param>
/// <param name="Stored">Signals that the answers say are stored.</param>
/// <param name="SendLagP99">How late the generator itself was; part of the other times.</param>
internal sealed record OpenFigures(
    int Offered, int Accepted, int Partly, int Refused, int Failed, long Stored, double PerSecond, double P50, double P99, double P999, double Max,
    double RefusedP50, double RefusedP99, double RefusedMax, double SendLagP99);

/// <summary>Every request of an open-loop run by the time it was due.</summary>
internal sealed class Answers(long[] due, int batch)
{
    private const int Ok = 200;
    private const int Created = 201;
    private const int Part = 207;
    private const int Unavailable = 503;

    private readonly Answer[] _answers = new Answer[due.Length];
    private readonly float[] _milliseconds = new float[due.Length];
    private readonly float[] _sendLag = new float[due.Length];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = due.Length;

    public int Count => due.Length;

    /// <summary>Ends with the last answer.</summary>
    public Task All => _all.Task;

    public long DueAt(int arrival) => due[arrival];

    public void Sent(int arrival, long at) => _sendLag[arrival] = Milliseconds(at - due[arrival]);

    public void Answered(int arrival, long at, Answer answer)
    {
        _milliseconds[arrival] = Milliseconds(at - due[arrival]);
        _answers[arrival] = answer;
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
        var (partly, stored) = (0, 0L);
        for (var i = first; i < end; i++)
        {
            lags.Add(_sendLag[i]);
            if (IsAccepted(_answers[i]))
            {
                accepted.Add(_milliseconds[i]);
                partly += _answers[i].Status == Part ? 1 : 0;
                stored += _answers[i].Status == Part ? _answers[i].Captured : batch;
            }
            else if (IsRefused(_answers[i]))
            {
                refused.Add(_milliseconds[i]);
            }
        }
        accepted.Sort();
        refused.Sort();
        lags.Sort();
        return new OpenFigures(end - first, accepted.Count, partly, refused.Count, end - first - accepted.Count - refused.Count, stored, accepted.Count / (to - from).TotalSeconds,
            At(accepted, 0.5), At(accepted, 0.99), At(accepted, 0.999), At(accepted, 1), At(refused, 0.5), At(refused, 0.99), At(refused, 1), At(lags, 0.99));
    }

    /// <summary>What the failures were, for a message.</summary>
    public string Failures() => string.Join(", ", _answers.Where(a => !IsAccepted(a) && !IsRefused(a)).GroupBy(a => a.Status)
        .Select(g => $"{g.Count()} × {g.Key switch { 0 => "no answer", Answer.Broken => "broken connection", var s => s.ToString(System.Globalization.CultureInfo.InvariantCulture) }}"));

    private static bool IsAccepted(Answer answer) => answer.Status is Ok or Created || answer is { Status: Part, SaysWhen: true };

    private static bool IsRefused(Answer answer) => answer is { Status: Unavailable, SaysWhen: true };

    private int IndexOf(TimeSpan at)
    {
        var index = Array.BinarySearch(due, (long)(at.TotalSeconds * Stopwatch.Frequency));
        return index < 0 ? ~index : index;
    }

    private static double At(List<float> sorted, double share) => sorted.Count == 0 ? 0 : Math.Round(sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))], 2);

    private static float Milliseconds(long ticks) => (float)(ticks * 1000.0 / Stopwatch.Frequency);
}
