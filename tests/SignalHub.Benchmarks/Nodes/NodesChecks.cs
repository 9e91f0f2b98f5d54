using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using SignalHub.Benchmarks.Delivery;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Nodes;

/// <summary>Something that has to hold with several nodes.</summary>
/// <param name="Found">What was counted.</param>
/// <param name="IsRequired">The run fails without it.</param>
internal sealed record NodesCheck(string Name, string Found, bool Holds, bool IsRequired = true);

/// <summary>
/// One event at both nodes is one signal; what comes in at a node that sends nothing is delivered by the other at once; counters are those of all nodes.
/// </summary>
internal static class NodesChecks
{
    private const int Twins = 2_000;
    private const int Alone = 100;
    private const int Burst = 2_000;
    private const int AtOnce = 32;
    private const int PerMinute = 600;
    private const int QuickShare = 10;
    private const double AdmittedTarget = 1.05;

    private const int FarAway = 2_000_000_000;

    /// <summary>A node that was not told polls; this is far below that, and far above a delivery.</summary>
    private static readonly TimeSpan _told = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(1);

    public static async Task<IReadOnlyList<NodesCheck>> RunAsync(
        ServiceSetup setup, string database, LoadStore store, bool quick, CancellationToken cancellationToken)
    {
        await using var receiver = await Receiver.StartAsync();
        (string, string)[] loopback = [("Webhooks__AllowHttp", "true"), ("Webhooks__AllowedNetworks__0", "127.0.0.0/8")];
        await using var takes = await setup.StartAsync(database, "takes", cancellationToken, loopback);
        await using var sends = await setup.StartAsync(database, "sends", cancellationToken, [.. loopback, ("Roles__Dispatcher", "true")]);
        var share = quick ? QuickShare : 1;
        ConsoleReport.WriteStep("Checks");
        var before = await store.CountAsync(cancellationToken);
        var checks = new List<NodesCheck>();
        var key = await setup.AddAsync(takes.Url, "Nodes", FarAway, endpoint: null, cancellationToken);
        using (var first = Client(takes.Url, key))
        using (var second = Client(sends.Url, key))
        {
            checks.Add(await TwinsAsync(first, second, Twins / share, cancellationToken));
        }
        var heardKey = await setup.AddAsync(takes.Url, "Heard", FarAway, receiver.Url, cancellationToken);
        using (var client = Client(takes.Url, heardKey))
        {
            checks.Add(await AloneAsync(client, receiver, Alone / share, cancellationToken));
            checks.Add(await BurstAsync(client, receiver, Burst / share, cancellationToken));
        }
        var limitedKey = await setup.AddAsync(takes.Url, "Limited", PerMinute, endpoint: null, cancellationToken);
        using (var first = Client(takes.Url, limitedKey))
        using (var second = Client(sends.Url, limitedKey))
        {
            checks.Add(await LimitsAsync(first, second, cancellationToken));
        }
        var after = await store.CountAsync(cancellationToken);
        var (signals, usage, leads) = (after.Signals - before.Signals, after.CountedAsUsage - before.CountedAsUsage, after.CountedOnLeads - before.CountedOnLeads);
        checks.Add(new NodesCheck("Usage and the leads' counts are those of the signals", $"{signals} signals, usage {usage}, on leads {leads}", signals == usage && signals == leads));
        foreach (var check in checks)
        {
            Console.WriteLine($"   {(check.Holds ? "holds" : "DOES NOT HOLD")}: {check.Name}: {check.Found}");
        }
        return checks;
    }

    /// <summary>Writers of two nodes that want the same people again and again may give up with 503; a sender tries that again, and so does this.</summary>
    private static async Task<NodesCheck> TwinsAsync(HttpClient first, HttpClient second, int count, CancellationToken cancellationToken)
    {
        var wrong = new ConcurrentBag<string>();
        var again = 0;
        async Task<(HttpStatusCode Status, string? Id)> SendAsync(HttpClient client, int number, CancellationToken ct)
        {
            while (true)
            {
                var answer = await PostAsync(client, "twin", number, ct);
                if (answer.Status != HttpStatusCode.ServiceUnavailable)
                {
                    return answer;
                }
                Interlocked.Increment(ref again);
            }
        }
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, ct) =>
        {
            var answers = await Task.WhenAll(SendAsync(first, i, ct), SendAsync(second, i, ct));
            if (!answers.Select(a => a.Status).Order().SequenceEqual([HttpStatusCode.OK, HttpStatusCode.Created]) || answers[0].Id != answers[1].Id)
            {
                wrong.Add($"{(int)answers[0].Status} and {(int)answers[1].Status}");
            }
        });
        var otherwise = string.Concat(wrong.GroupBy(w => w).Select(g => $"; {g.Count()} × {g.Key}"));
        return new NodesCheck("The same event at both nodes at once: one 201, one 200, one id", $"{count - wrong.Count} of {count} events, {again} sent again after a 503{otherwise}", wrong.IsEmpty);
    }

    /// <summary>One after another, so that each finds a dispatcher that sleeps.</summary>
    private static async Task<NodesCheck> AloneAsync(HttpClient client, Receiver receiver, int count, CancellationToken cancellationToken)
    {
        var lags = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var expected = receiver.Received + 1;
            await PostAsync(client, "alone", i, cancellationToken);
            var answered = Stopwatch.GetTimestamp();
            while (receiver.Received < expected && Stopwatch.GetElapsedTime(answered) < _patience)
            {
                await Task.Delay(_look, TimeProvider.System, cancellationToken);
            }
            lags.Add(Stopwatch.GetElapsedTime(answered).TotalMilliseconds);
        }
        lags.Sort();
        var late = lags.Count(lag => lag > _told.TotalMilliseconds);
        return new NodesCheck("A signal at the node that sends nothing wakes the other one", string.Create(CultureInfo.InvariantCulture,
            $"{count} one by one, from answer to arrival {lags[count / 2]:0} ms in the median, {lags[^1]:0} ms at most; {late} later than {_told.TotalSeconds} s"), late == 0);
    }

    private static async Task<NodesCheck> BurstAsync(HttpClient client, Receiver receiver, int count, CancellationToken cancellationToken)
    {
        var expected = receiver.Received + count;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (i, ct) => await PostAsync(client, "burst", i, ct));
        var answered = Stopwatch.GetTimestamp();
        while (receiver.Received < expected && Stopwatch.GetElapsedTime(answered) < _patience)
        {
            await Task.Delay(_look, TimeProvider.System, cancellationToken);
        }
        var took = Stopwatch.GetElapsedTime(answered);
        await Task.Delay(_told, TimeProvider.System, cancellationToken); // what comes twice comes now
        return new NodesCheck("Each of a burst arrives once", string.Create(CultureInfo.InvariantCulture,
            $"{receiver.Received - expected + count} of {count}, the last {took.TotalSeconds:0.0} s after the last answer"), receiver.Received == expected);
    }

    private static async Task<NodesCheck> LimitsAsync(HttpClient first, HttpClient second, CancellationToken cancellationToken)
    {
        var (admitted, other) = (0, 0);
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, PerMinute * 3, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, ct) =>
        {
            var status = (await PostAsync(i % 2 == 0 ? first : second, "limited", i, ct)).Status;
            Interlocked.Increment(ref status == HttpStatusCode.Created ? ref admitted : ref other);
        });
        var share = (double)admitted / PerMinute;
        return new NodesCheck($"At most {AdmittedTarget.ToString(CultureInfo.InvariantCulture)} times a limit of {PerMinute} a minute is admitted by both together",
            string.Create(CultureInfo.InvariantCulture, $"{admitted} admitted, {other} refused in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s: {share:0.00} ×"),
            share <= AdmittedTarget, IsRequired: false);
    }

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static async Task<(HttpStatusCode Status, string? Id)> PostAsync(HttpClient client, string kind, int number, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsJsonAsync("/signals", new
        {
            signal_type = "custom_event",
            source = "segment",
            event_name = "user_invited_teammate",
            occurred_at = DateTimeOffset.UnixEpoch.AddYears(50).AddSeconds(number),
            identity = new { email = $"{kind}{number % 50}@{kind}.example.com", title = "VP Engineering" },
            context = new { team_size = 12, plan_tier = "free" },
        }, cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        return (answer.StatusCode, answer.IsSuccessStatusCode ? JsonDocument.Parse(text).RootElement.GetProperty("signal_capture_id").GetString() : null);
    }
}
