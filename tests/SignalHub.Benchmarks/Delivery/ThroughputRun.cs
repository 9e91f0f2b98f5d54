using System.Data;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Npgsql;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Report;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>POSTs a second, and the processor time each took: of this process (receiver included), of PostgreSQL, of Node.js.</summary>
internal sealed record Throughput(int Count, double PerSecond, double OwnMicroseconds, double ServerMicroseconds, double NodeMicroseconds);

/// <summary>
/// The same number of POSTs to the same receiver three ways, with the same number in flight: a bare HttpClient loop that keeps
/// nothing, the product (insert, claim, signed POST, attempt log, complete), and graphile-worker (insert, claim, POST, complete).
/// </summary>
internal sealed class ThroughputRun(DeliveryServer server, Receiver receiver, string? graphileDirectory)
{
    public const int Endpoints = 8;

    /// <summary>What the product allows itself: eight to each endpoint.</summary>
    public const int Concurrency = 8 * Endpoints;

    /// <summary>Events in a transaction, of the product's intake as of the other's <c>add_jobs</c>.</summary>
    public const int PerTransaction = 100;

    /// <summary>Transactions at a time, of either: as many as the product's intake has writers on two cores.</summary>
    public const int Feeders = 2;

    private const int WarmUp = 2_000;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(2);

    public bool HasGraphile => graphileDirectory is not null;

    /// <summary>POSTs a second of the bare loop.</summary>
    public async Task<Throughput> BareAsync(int count)
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
        var left = count;
        var meter = new Meter(server.ProcessId);
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var content = new ByteArrayContent(DeliveryDatabase.Body);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Url) { Content = content };
                using var response = await http.SendAsync(request, CancellationToken.None);
                await response.Content.ReadAsByteArrayAsync();
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    throw new InvalidOperationException($"The receiver answered {response.StatusCode}.");
                }
            }
        })));
        return meter.Read(count);
    }

    /// <summary>Deliveries a second of the product, from the first insert to the last one written down, inserts and sends side by side.</summary>
    /// <param name="profile">Whether to print what the statements cost.</param>
    public async Task<Throughput> ProductAsync(string database, int count, bool profile = false)
    {
        await using var rows = await server.CreateAsync(database);
        var endpoints = await rows.AddEndpointsAsync(Endpoints, receiver.Url);
        await using var node = await Node.StartAsync(rows);
        await DeliverAsync(rows, node, endpoints, WarmUp);
        // Frees used segments of the log to be written over, as on any server that has run for a while: a fresh one makes each first.
        await rows.ExecuteAsync("checkpoint");
        var result = await DeliverAsync(rows, node, endpoints, count, profile ? new LoadStore(server.ConnectionString(database)) : null);
        var delivered = await rows.ScalarAsync("select count(*) from delivery_history where state = 'delivered'");
        var attempts = await rows.ScalarAsync("select count(*) from delivery_attempts");
        return delivered == count + WarmUp && attempts == delivered
            ? result
            : throw new InvalidOperationException($"{delivered} deliveries ended with {attempts} attempts instead of {count + WarmUp}.");
    }

    /// <summary>
    /// The product's figures from one part to the next, of deliveries that another process has written: all of them are claimed.
    /// </summary>
    /// <param name="holds">Whether another session keeps a snapshot open meanwhile, so that nothing that is dead can be cleared away.</param>
    public async Task<IReadOnlyList<Throughput>> PartsAsync(string database, int parts, int count, bool holds)
    {
        await using var rows = await server.CreateAsync(database);
        var endpoints = await rows.AddEndpointsAsync(Endpoints, receiver.Url);
        await using var node = await Node.StartAsync(rows);
        await using var session = await rows.Database.OpenAsync(CancellationToken.None);
        await using var snapshot = await session.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        if (holds)
        {
            await using var command = new NpgsqlCommand("select count(*) from delivery_queue", session, snapshot);
            await command.ExecuteScalarAsync();
        }
        var results = new List<Throughput>();
        for (var part = 1; part <= parts; part++)
        {
            results.Add(await DeliverAsync(rows, node, endpoints, count, claims: true));
        }
        return results;
    }

    /// <summary>Jobs a second of graphile-worker, from the first insert to the last completion, inserts and sends side by side.</summary>
    public async Task<Throughput> GraphileAsync(string database, int count)
    {
        var address = new NpgsqlConnectionStringBuilder(await server.CreateEmptyAsync(database));
        var url = $"postgres://{address.Username}@/{database}?host={Uri.EscapeDataString(address.Host!)}&port={address.Port}";
        var body = Path.Combine(graphileDirectory!, "body.json");
        await File.WriteAllBytesAsync(body, DeliveryDatabase.Body);
        string[] arguments = ["graphile.mjs", url, receiver.Url, .. new[] { count, Concurrency, PerTransaction, Feeders }.Select(n => n.ToString(CultureInfo.InvariantCulture)), body];
        var meter = new Meter(server.ProcessId);
        using var process = Process.Start(new ProcessStartInfo("node", arguments) { WorkingDirectory = graphileDirectory, RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"graphile-worker ended with {process.ExitCode}.");
        }
        var result = JsonDocument.Parse(output).RootElement;
        return result.GetProperty("left").GetInt32() == 0 && result.GetProperty("delivered").GetInt32() == count
            ? meter.Read(count) with { PerSecond = count / result.GetProperty("seconds").GetDouble() }
            : throw new InvalidOperationException($"graphile-worker did not do all of it: {output}");
    }

    private async Task<Throughput> DeliverAsync(DeliveryDatabase rows, Node node, IReadOnlyList<Guid> endpoints, int count, LoadStore? profile = null, bool claims = false)
    {
        await (profile?.BeginProfileAsync(CancellationToken.None) ?? Task.CompletedTask);
        var until = receiver.Received + count;
        var meter = new Meter(server.ProcessId);
        var queued = 0;
        await Task.WhenAll(Enumerable.Range(0, Feeders).Select(_ => Task.Run(async () =>
        {
            for (int next; (next = Interlocked.Add(ref queued, PerTransaction)) <= count;)
            {
                await rows.QueueAsync([.. Enumerable.Range(next, PerTransaction).Select(i => endpoints[i % endpoints.Count])], claims ? null : node);
                if (claims)
                {
                    node.Signal.Wake();
                }
            }
        })));
        while (receiver.Received < until || await rows.CountQueuedAsync() > 0)
        {
            await Task.Delay(_look, TimeProvider.System);
        }
        var result = meter.Read(count);
        if (profile is not null)
        {
            var (statements, tables) = await profile.EndProfileAsync(CancellationToken.None);
            ConsoleReport.WriteProfile("SignalHub", Concurrency, count, statements, tables);
            await profile.DisposeAsync();
        }
        return result;
    }

    /// <summary>Time and processor time since it was made.</summary>
    private sealed class Meter(int postmaster)
    {
        private readonly long _started = Stopwatch.GetTimestamp();
        private readonly TimeSpan _own = ProcessCpu.Of(Environment.ProcessId);
        private readonly TimeSpan _server = ProcessCpu.OfServer(postmaster);
        private readonly TimeSpan _children = ProcessCpu.OfEndedChildren();

        public Throughput Read(int count) => new(
            count,
            count / Stopwatch.GetElapsedTime(_started).TotalSeconds,
            (ProcessCpu.Of(Environment.ProcessId) - _own).TotalMicroseconds / count,
            (ProcessCpu.OfServer(postmaster) - _server).TotalMicroseconds / count,
            (ProcessCpu.OfEndedChildren() - _children).TotalMicroseconds / count);
    }
}
