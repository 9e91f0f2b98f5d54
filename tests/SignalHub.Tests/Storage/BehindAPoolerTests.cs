using System.Net;
using Npgsql;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

/// <summary>The service behind PgBouncer in transaction mode: statements of one transaction share a session, nothing else does.</summary>
public sealed class BehindAPoolerTests
{
    [PgBouncerFact]
    public async Task Signals_are_stored_once_and_leave_no_setting_behind()
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        await using var pooler = await PgBouncer.StartAsync(database);
        await using var app = await SignalHubApp.StartAsync(("ConnectionStrings:SignalHub", pooler.ConnectionString));
        var acme = await app.NewWorkspaceAsync();

        var first = await acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        var second = await acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 2));     // of somebody who is remembered by now
        var again = await acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", minute: 2)).JsonAsync(HttpStatusCode.OK);
        await acme.Client.PostAsync("/signals?dry_run=true", Sample.Signal("jane@acme.com", minute: 3)).JsonAsync(HttpStatusCode.OK);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => acme.IngestAsync(Sample.Signal($"person{i % 10}@acme.com", minute: i))));

        Assert.Equal((string?)second["signal_capture_id"], (string?)again["signal_capture_id"]);
        Assert.Equal(2, (int)(await acme.GetAsync($"/leads/{first["matched_record_id"]}"))["signal_count"]!);
        await using var server = NpgsqlDataSource.Create(database);
        await using var count = server.CreateCommand("select count(*) from signals");
        Assert.Equal(42L, await count.ExecuteScalarAsync());
        await using var pooled = NpgsqlDataSource.Create(pooler.ConnectionString);
        await using var sessions = server.CreateCommand("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
        Assert.InRange((long)(await sessions.ExecuteScalarAsync())!, 1, 2);
        for (var i = 0; i < 4; i++)
        {
            await using var setting = pooled.CreateCommand("select current_setting('enable_seqscan') || current_setting('lock_timeout')");
            Assert.Equal("on0", await setting.ExecuteScalarAsync());
        }
    }

    [PgBouncerFact]
    public async Task A_second_node_starts_while_the_first_one_runs()
    {
        await using var pooler = await PgBouncer.StartAsync(await TestPostgres.CreateDatabaseAsync());
        await using var first = await SignalHubApp.StartAsync(("ConnectionStrings:SignalHub", pooler.ConnectionString));
        await using var second = await first.SecondNodeAsync();
        var acme = await first.NewWorkspaceAsync();
        using var there = second.WithKey(acme.Key);

        await there.PostAsync("/signals", Sample.Signal("jane@acme.com")).JsonAsync(HttpStatusCode.Created);
    }
}
