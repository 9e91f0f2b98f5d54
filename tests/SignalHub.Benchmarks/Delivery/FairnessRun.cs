using System.Collections.Concurrent;
using System.Diagnostics;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>From commit to arrival at the healthy endpoints, in milliseconds.</summary>
internal sealed record Lag(double P50, double P99, double Max, int Events)
{
    private double[] _sorted = [];

    public static Lag Of(IEnumerable<double> milliseconds)
    {
        var sorted = milliseconds.Order().ToArray();
        return new Lag(At(sorted, 0.5), At(sorted, 0.99), sorted[^1], sorted.Length) { _sorted = sorted };
    }

    /// <summary>All events of several rounds together.</summary>
    public static Lag Pooled(IEnumerable<Lag> rounds) => Of(rounds.SelectMany(r => r._sorted));

    internal static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
}

/// <summary>What one claim takes beside a backlog of that many rows, in milliseconds.</summary>
internal sealed record ClaimCost(int Backlog, double P50, double P99);

/// <summary>Healthy endpoints with and without bad neighbours, and what a claim costs beside their backlog.</summary>
internal sealed class FairnessRun(DeliveryServer server, Receiver receiver)
{
    public const int Healthy = 50;
    public const int SlowBacklog = 5_000;
    public const int EventsPerSecond = 400;

    private const string DeadUrl = "http://127.0.0.1:1/";
    private const int TicksPerSecond = 50;
    private const int Claims = 100;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    public async Task<DeliveryDatabase> PrepareAsync(string name, int deadBacklog)
    {
        var rows = await server.CreateAsync(name);
        if (deadBacklog > 0)
        {
            await rows.AddBacklogAsync((await rows.AddEndpointsAsync(1, DeadUrl))[0], deadBacklog);
            await rows.AddBacklogAsync((await rows.AddEndpointsAsync(1, receiver.SlowUrl))[0], SlowBacklog);
        }
        return rows;
    }

    /// <summary>An open loop of events to healthy endpoints, evenly over them, for that long.</summary>
    public async Task<Lag> LagAsync(DeliveryDatabase rows, TimeSpan length)
    {
        // Whatever an earlier run left: breakers closed, backlog due.
        await rows.ExecuteAsync("update webhook_endpoints set consecutive_failures = 0, failing_since = null, probe_at = null");
        await rows.ExecuteAsync("update delivery_queue set next_at = now() - interval '1 day', claims = 0 where next_at > now()");
        var endpoints = await rows.AddEndpointsAsync(Healthy, receiver.Url);
        receiver.Arrivals = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var committed = new Dictionary<string, long>(StringComparer.Ordinal);
        await using (var node = await Node.StartAsync(rows))
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
            var sent = 0;
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < length && await timer.WaitForNextTickAsync();)
            {
                var due = (int)(watch.Elapsed.TotalSeconds * EventsPerSecond) - sent;
                var events = await rows.QueueAsync([.. Enumerable.Range(sent, due).Select(i => endpoints[i % Healthy])], node);
                var at = Stopwatch.GetTimestamp();
                sent += due;
                foreach (var id in events)
                {
                    committed[Ids.Text(Ids.Event, id)] = at;
                }
            }
            for (var watch = Stopwatch.StartNew(); committed.Keys.Any(id => !receiver.Arrivals.ContainsKey(id)) && watch.Elapsed < _patience;)
            {
                await timer.WaitForNextTickAsync();
            }
        }
        var arrivals = receiver.Arrivals;
        receiver.Arrivals = null;
        if (committed.Keys.Count(id => !arrivals.ContainsKey(id)) is > 0 and var missing)
        {
            throw new InvalidOperationException($"{missing} of {committed.Count} events did not arrive within {_patience.TotalSeconds} s.");
        }
        // An arrival may be seen before the feeder has heard of its own commit.
        var lag = Lag.Of(committed.Select(c => Math.Max(0, Stopwatch.GetElapsedTime(c.Value, arrivals[c.Key]).TotalMilliseconds)));
        await rows.ExecuteAsync("delete from webhook_endpoints where url = $1", receiver.Url);
        return lag;
    }

    /// <summary>Claims with healthy endpoints behind a closed breaker's backlog: the worst case, as an open one leaves it out.</summary>
    public async Task<ClaimCost> ClaimCostAsync(string name, int backlog)
    {
        await using var rows = await PrepareAsync(name, backlog);
        foreach (var endpoint in await rows.AddEndpointsAsync(Healthy, receiver.Url))
        {
            await rows.QueueAsync([endpoint, endpoint, endpoint, endpoint]);
        }
        await rows.ExecuteAsync("vacuum analyze");
        var store = new ClaimStore(rows.Database, TimeProvider.System);
        var request = new ClaimRequest(new Dictionary<EndpointKey, int>(), 8, 100, TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(2));
        var times = new List<double>();
        for (var i = 0; i < Claims; i++)
        {
            var watch = Stopwatch.StartNew();
            var claimed = await store.ClaimAsync(request, CancellationToken.None);
            times.Add(watch.Elapsed.TotalMilliseconds);
            await store.HandBackAsync([.. claimed.Select(c => c.Row)], CancellationToken.None);
        }
        var sorted = times.Order().ToArray();
        return new ClaimCost(backlog, Lag.At(sorted, 0.5), Lag.At(sorted, 0.99));
    }
}
