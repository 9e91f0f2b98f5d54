using System.Globalization;
using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>
/// Delivery's promise against a real process that gets SIGKILL in the middle of it, again and again. Three rounds; as many as
/// <c>SIGNALHUB_KILL_ROUNDS</c> says in the long run.
/// </summary>
public sealed class KilledWhileDeliveringTests
{
    private const string RoundsVariable = "SIGNALHUB_KILL_ROUNDS";
    private const int UsualRounds = 3;
    private const int DeliveriesPerRound = 400;
    private const int Endpoints = 2;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var rounds) ? rounds : UsualRounds;

    [Fact]
    public async Task Everything_arrives_only_what_was_in_flight_arrives_twice_and_nothing_is_stuck()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var process = database.Start();
        await PrepareAsync(await process.ReadyAsync(), receiver.Url);
        await process.DisposeAsync();
        var total = await QueueAsync(database, DeliveriesPerRound * (Rounds + 1) / Endpoints);

        var inFlightAtKills = new HashSet<string>();
        for (var round = 1; round <= Rounds; round++)
        {
            process = database.Start();
            await receiver.WaitUntilAsync(requests => Delivered(requests).Distinct().Count() >= DeliveriesPerRound * round);
            await process.KillAsync();
            // What the dead process had claimed and not written down. What of it was not sent yet arrives once.
            inFlightAtKills.UnionWith(await database.DeliveriesAsync("claims > 0"));
            await database.LetLeasesEndAsync();
        }
        process = database.Start();
        await receiver.WaitUntilAsync(requests => Delivered(requests).Distinct().Count() >= total);
        // What goes out a second time comes last, after what this waited for.
        await database.UntilAsync("select not exists (select from delivery_queue)");
        Assert.Equal(0, await process.TerminateAsync());

        Assert.NotEmpty(inFlightAtKills);
        var arrivals = Delivered(receiver.Requests).CountBy(id => id).ToDictionary();
        Assert.Equal(total, arrivals.Count);
        Assert.Empty(arrivals.Where(a => a.Value > 1).Select(a => a.Key).Except(inFlightAtKills));
        Assert.Equal([$"delivered {total}"], await database.ColumnAsync<string>("select state || ' ' || count(*) from deliveries group by state"));
        // Whatever ended has the record of the try that ended it.
        Assert.Equal([total.ToString(CultureInfo.InvariantCulture)], await database.ColumnAsync<string>("select count(distinct delivery_id)::text from delivery_attempts where error_class is null"));
    }

    private static IEnumerable<string> Delivered(IReadOnlyList<ReceivedRequest> requests) => requests.Select(r => r.Headers["X-SignalHub-Delivery"]);

    private static async Task PrepareAsync(Uri url, string receiver)
    {
        using var client = SharedDatabase.Client(url, await SharedDatabase.NewWorkspaceAsync(url));
        for (var i = 0; i < Endpoints; i++)
        {
            await client.PostAsync("/webhooks/endpoints", new { url = $"{receiver}/{i}" }).JsonAsync(HttpStatusCode.Created);
        }
    }

    /// <summary>The rows that an intake would have written, for each endpoint so many.</summary>
    private static Task<int> QueueAsync(SharedDatabase database, int perEndpoint) => database.ExecuteAsync($"""
        with events as (
            insert into webhook_events (workspace_id, created_at, id, type, body)
            select w.workspace_id, date_trunc('milliseconds', now()), gen_random_uuid(), 'signal.qualified', '{"{}"}'
              from (select distinct workspace_id from webhook_endpoints) w cross join generate_series(1, {perEndpoint})
            returning *
        )
        insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at)
        select v.workspace_id, gen_random_uuid(), e.id, v.id, v.type, v.created_at, v.created_at, v.created_at
          from events v join webhook_endpoints e on e.workspace_id = v.workspace_id
        """);
}
