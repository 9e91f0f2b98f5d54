using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
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

    [Fact]
    public async Task While_the_database_stalls_new_signals_are_refused_at_once_and_what_was_accepted_is_stored_when_it_goes_on()
    {
        await using var app = await SignalHubApp.StartAsync();
        var acme = await app.NewWorkspaceAsync();
        await acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        var queue = app.Services.GetRequiredService<IntakeQueue>();
        await using var other = new NpgsqlConnection(app.ConnectionString);
        await other.OpenAsync();
        await using var stall = await other.BeginTransactionAsync();
        await ExecuteAsync(other, "lock table signals in access exclusive mode");

        var taken = acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 2));
        await UntilAsync(async () => await CountAsync(other, "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())") > 0);
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

        await stall.RollbackAsync();
        await taken.JsonAsync(HttpStatusCode.Created);
        await waiting.JsonAsync(HttpStatusCode.Created);
        await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 4)).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(4L, await app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
        Assert.Equal(4L, await app.QueryAsync<long>("select sum(counted_today)::bigint from usage_batches"));
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

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Yield();
        }
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
