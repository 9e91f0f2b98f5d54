using System.Diagnostics;
using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>NOTIFY between nodes: a hint that is cheap for the intake and quick for the others.</summary>
public sealed class HintingNodesTests
{
    private const int Signals = 200;

    // A node's pause between two hints, and the millisecond by which a timer may be early.
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _tolerance = TimeSpan.FromMilliseconds(2);

    [Fact]
    public async Task Transactions_of_the_intake_send_none_and_all_of_a_tenth_of_a_second_become_one()
    {
        await using var app = await SignalHubApp.StartAsync();
        using var acme = await app.NewWorkspaceAsync();
        await acme.NewEndpointAsync(new { url = "http://127.0.0.1:1/" });
        await using var listener = await HintListener.StartAsync(app.ConnectionString);

        await acme.IngestAsync(Sample.Qualified(0));
        await listener.WaitForAsync(1);
        // These commit while the clock stands still: a NOTIFY of one of their transactions would be heard.
        await Parallel.ForEachAsync(Enumerable.Range(1, 200), async (person, _) => await acme.IngestAsync(Sample.Qualified(person)));
        Assert.Equal(201L, await app.QueryAsync<long>("select count(*) from delivery_queue"));
        Assert.Equal(1, await listener.HeardAsync());

        var intervals = 0;
        var heard = await listener.WaitForAsync(2, () =>
        {
            intervals++;
            app.Clock.Advance(_interval);
        });
        Assert.Equal(2, heard);
        Assert.NotEqual(0, intervals);
        // Nothing new: silence.
        app.Clock.Advance(_interval);
        Assert.Equal(2, await listener.HeardAsync());
    }

    [Fact]
    public async Task A_process_that_only_takes_in_wakes_the_one_that_dispatches_long_before_it_would_poll()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var taking = database.Start(("Roles__Dispatcher", "false"));
        var dispatching = database.Start(("Webhooks__PollInterval", "01:00:00"));
        var url = await taking.ReadyAsync();
        await dispatching.ReadyAsync();
        using var client = SharedDatabase.Client(url, await SharedDatabase.NewWorkspaceAsync(url));
        await client.PostAsync("/webhooks/endpoints", new { url = receiver.Url }).JsonAsync(HttpStatusCode.Created);
        await database.UntilAsync("select count(*) = 2 from pg_stat_activity where datname = current_database() and query like 'listen %'");
        await using var listener = await HintListener.StartAsync(database.ConnectionString);
        // The first signal of a process compiles the code that takes signals in, for longer than the others would be let wait.
        await client.PostAsync("/signals?dry_run=true", Sample.Qualified(0)).JsonAsync(HttpStatusCode.OK);

        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, Signals), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (person, _) =>
            await client.PostAsync("/signals", Sample.Qualified(person)).JsonAsync(HttpStatusCode.Created));
        await receiver.WaitForAsync(Signals);

        var heard = await listener.HeardAsync();
        Assert.InRange(heard, 1, 1 + (int)(watch.Elapsed / (_interval - _tolerance)));
        Assert.Equal(Signals, receiver.Requests.Select(r => r.Headers["webhook-id"]).Distinct().Count());
    }
}
