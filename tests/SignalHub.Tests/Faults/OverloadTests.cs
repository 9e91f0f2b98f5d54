using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>More comes in than can be stored, or comes in slowly: a quick 503 for what there is no room for, and nothing lost of the rest.</summary>
public sealed class OverloadTests
{
    // The promise is 100 ms; a test machine may be busy with other things.
    private static readonly TimeSpan _atOnce = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task While_the_database_stalls_new_signals_are_refused_at_once_and_what_was_accepted_is_stored_when_it_goes_on()
    {
        await using var app = await SignalHubApp.StartAsync();
        var acme = await app.NewWorkspaceAsync();
        await acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        app.Clock.Advance(IntakeQueue.WarmUp);
        var queue = app.Services.GetRequiredService<IntakeQueue>();
        await using var stall = await Stall.BeginAsync(app);

        var taken = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 2));
        await UntilAsync(stall.IsFeltAsync);
        var waiting = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 3));
        await UntilAsync(() => Task.FromResult(queue.Depth > 0));
        app.Clock.Advance(IntakeQueue.MaxWait + TimeSpan.FromMilliseconds(1));

        var started = Stopwatch.GetTimestamp();
        using var refused = await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 4));
        var batch = await acme.Client.PostAsync("/signals/batch", new { signals = new[] { Sample.Signal("jane@acme.com", minute: 4), new { } } }).JsonAsync(HttpStatusCode.UnprocessableEntity);

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, _atOnce);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Contains("\"overloaded\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("overloaded", (string?)batch["results"]![0]!["error"]!["code"]);
        Assert.False(taken.IsCompleted || waiting.IsCompleted);

        await stall.EndAsync();
        await taken.JsonAsync(HttpStatusCode.Created);
        await waiting.JsonAsync(HttpStatusCode.Created);
        await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 4)).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(4L, await app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
        Assert.Equal(4L, await app.CountedTodayAsync());
    }

    [Fact]
    public async Task A_new_process_may_take_seconds_for_its_first_signals_and_refuses_none()
    {
        await using var app = await SignalHubApp.StartAsync();
        var acme = await app.NewWorkspaceAsync();
        var queue = app.Services.GetRequiredService<IntakeQueue>();
        await using var stall = await Stall.BeginAsync(app);

        var first = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 1));
        await UntilAsync(stall.IsFeltAsync);
        var second = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 2));
        await UntilAsync(() => Task.FromResult(queue.Depth > 0));
        app.Clock.Advance(IntakeQueue.MaxWaitInWarmUp);
        var third = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 3));
        await UntilAsync(() => Task.FromResult(queue.Depth > 1));
        app.Clock.Advance(TimeSpan.FromMilliseconds(1));
        using var refused = await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 4));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        await stall.EndAsync();
        await first.JsonAsync(HttpStatusCode.Created);
        await second.JsonAsync(HttpStatusCode.Created);
        await third.JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Behind_a_batch_that_takes_too_long_everything_is_refused_unread_and_taken_again_when_it_is_done()
    {
        await using var app = await SignalHubApp.StartAsync();
        var acme = await app.NewWorkspaceAsync();
        await acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        var gate = app.Services.GetRequiredService<IntakeGate>();
        Slow(app, gate, TimeSpan.FromMilliseconds(100));
        await using var stall = await Stall.BeginAsync(app);

        // Ten signals of 100 ms are more than may be waited for; one was not.
        var batch = acme.Client.PostAsync("/signals/batch", new { signals = Enumerable.Range(2, 10).Select(minute => Sample.Signal("jane@acme.com", minute)) });
        await UntilAsync(() => Task.FromResult(!gate.IsOpen));
        using var broken = new StringContent("{", Encoding.UTF8, "application/json");
        foreach (var path in new[] { "/signals", "/v1/signals", "/signals/batch" })
        {
            using var refused = await acme.Client.PostAsync(new Uri(path, UriKind.Relative), broken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter?.Delta);
            Assert.True(refused.Headers.Contains("X-Request-Id"));
            // Nobody has looked at the key yet either; with a query the route itself refuses.
            using var unread = await app.Anonymous().PostAsync(new Uri(path, UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, unread.StatusCode);
            using var asked = await acme.Client.PostAsync(new Uri($"{path}?x=1", UriKind.Relative), broken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, asked.StatusCode);
        }
        await acme.Client.GetAsync(new Uri("/leads", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
        Assert.False(batch.IsCompleted);

        await stall.EndAsync();
        await batch.JsonAsync(HttpStatusCode.OK);
        await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 12)).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(12L, await app.CountedTodayAsync());
    }

    [Fact]
    public async Task Bodies_that_never_end_hold_nobody_up()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var process = database.Start();
        var url = await process.ReadyAsync();
        var key = await SharedDatabase.NewWorkspaceAsync(url);
        using var client = SharedDatabase.Client(url, key);
        var slow = new List<TcpClient>();
        for (var i = 0; i < 200; i++)
        {
            var connection = new TcpClient();
            await connection.ConnectAsync(url.Host, url.Port);
            await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"));
            slow.Add(connection);
        }

        foreach (var minute in Enumerable.Range(0, 20))
        {
            await client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute)).JsonAsync(HttpStatusCode.Created);
        }

        slow.ForEach(connection => connection.Dispose());
        Assert.Single((await client.GetAsync(new Uri("/leads", UriKind.Relative)).JsonAsync(HttpStatusCode.OK))["data"]!.AsArray());
    }

    /// <summary>As if a signal took a writer so long.</summary>
    private static void Slow(SignalHubApp app, IntakeGate gate, TimeSpan perSignal)
    {
        var begun = gate.Begin();
        app.Clock.Advance(perSignal * IntakeGate.TellingBatch);
        for (var i = 0; i < 60; i++)
        {
            gate.Wrote(IntakeGate.TellingBatch, begun);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < _longest, $"Half a minute later still not: {what}");
            await Task.Yield();
        }
    }

    /// <summary>As if the database took no signal.</summary>
    private sealed class Stall : IAsyncDisposable
    {
        private readonly NpgsqlConnection _connection;

        private Stall(NpgsqlConnection connection) => _connection = connection;

        public static async Task<Stall> BeginAsync(SignalHubApp app)
        {
            var stall = new Stall(new NpgsqlConnection(app.ConnectionString));
            await stall._connection.OpenAsync();
            await stall.AskAsync("begin; lock table signals in access exclusive mode");
            return stall;
        }

        /// <summary>Whether a writer waits for its end.</summary>
        public async Task<bool> IsFeltAsync() => (long)(await AskAsync(
            "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())"))! > 0;

        public async Task EndAsync() => await AskAsync("rollback");

        public ValueTask DisposeAsync() => _connection.DisposeAsync();

        private async Task<object?> AskAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, _connection);
            return await command.ExecuteScalarAsync();
        }
    }
}
