using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>
/// Sends requests when they are due, whether or not the ones before have been answered, and measures each from that time: a service that stalls
/// is seen to stall (no coordinated omission). A request that finds no free connection waits for one, and its time runs.
/// </summary>
internal sealed class OpenLoop(Uri url, SignalRequests requests, int connections)
{
    // Far beyond what any answer may take; what has none by then never will.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    // Longer sleeps would be no cheaper.
    private const long LongestSleepMicroseconds = 1_000;

    private static readonly long _ticksPerMicrosecond = Stopwatch.Frequency / 1_000_000;

    public async Task<Answers> RunAsync(IReadOnlyList<Phase> phases, CancellationToken cancellationToken)
    {
        var answers = new Answers(Arrivals.Poisson(phases), requests.Batch);
        var free = new ConcurrentStack<Connection>();
        var started = 0L;
        void Answered(Connection connection, Answer answer)
        {
            answers.Answered(connection.Arrival, Stopwatch.GetTimestamp() - started, answer);
            free.Push(connection);
        }
        var address = new IPEndPoint(IPAddress.Parse(url.Host), url.Port);
        var all = Enumerable.Range(0, connections).Select(_ => new Connection(address, requests.New(), Answered)).ToList();
        try
        {
            all.ForEach(connection => connection.Open());
            free.PushRange([.. all]);
            started = Stopwatch.GetTimestamp();
            await Task.Factory.StartNew(() => Send(answers, free, started, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await answers.All.WaitAsync(_patience, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return answers;
        }
        finally
        {
            all.ForEach(connection => connection.Dispose());
        }
    }

    private void Send(Answers answers, ConcurrentStack<Connection> free, long started, CancellationToken cancellationToken)
    {
        for (var next = 0; next < answers.Count && !cancellationToken.IsCancellationRequested;)
        {
            var now = Stopwatch.GetTimestamp() - started;
            var wait = (answers.DueAt(next) - now) / _ticksPerMicrosecond;
            if (wait > 0 || !free.TryPop(out var connection))
            {
                // A sleep overshoots by some 60 µs, which is below what is measured.
                _ = Sleep((uint)Math.Clamp(wait, 100, LongestSleepMicroseconds));
                continue;
            }
            connection.Arrival = next;
            answers.Sent(next, now);
            requests.Fill(connection.Request);
            connection.Send();
            next++;
        }
    }

    // Thread.Sleep knows whole milliseconds only, which would be half of a latency here.
    [DllImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sleep(uint microseconds);
}
