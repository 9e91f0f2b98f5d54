using System.Net;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>A replay whose process gets SIGKILL in the middle of a turn.</summary>
public sealed class KilledWhileReplayingTests
{
    private const int PerTurn = 300;
    private const int Deliveries = 2 * PerTurn;

    // What the second turn moves.
    private const string SecondHalf = "select id from delivery_history where created_at > (select min(created_at) from webhook_events) for update";

    [Fact]
    public async Task The_next_process_goes_on_where_it_was_and_everything_arrives_under_its_ids()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var process = database.Start();
        var url = await process.ReadyAsync();
        var key = await SharedDatabase.NewWorkspaceAsync(url);
        var client = SharedDatabase.Client(url, key);
        var endpoint = (string)(await client.PostAsync("/webhooks/endpoints", new { url = receiver.Url }).JsonAsync(HttpStatusCode.Created))["id"]!;
        await SkipAsync(database);
        var ids = (await database.ColumnAsync<Guid>("select id from delivery_history")).Select(id => Ids.Text(Ids.Delivery, id)).ToList();

        await using (var connection = await database.OpenAsync())
        {
            await using var holding = await connection.BeginTransactionAsync();
            await using var hold = new Npgsql.NpgsqlCommand(SecondHalf, connection);
            Assert.Equal(PerTurn, await CountAsync(hold));
            var job = (string)(await client.PostAsync($"/webhooks/endpoints/{endpoint}/replay", new { status = "skipped", max_per_second = PerTurn })
                .JsonAsync(HttpStatusCode.Accepted))["id"]!;
            // The first turn is done; the second has begun and waits for rows that are held.
            await database.UntilAsync("select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%delivery_history%'");
            Assert.Equal([$"running {PerTurn}"], await database.ColumnAsync<string>("select state || ' ' || done from jobs"));
            await process.KillAsync();
            await holding.RollbackAsync();
            client.Dispose();

            var leased = await database.DeliveriesAsync("claims > 0");
            await database.LetLeasesEndAsync();
            // The turn belonged to the dead for a minute.
            await database.ExecuteAsync("update jobs set next_at = now()");
            url = await database.Start().ReadyAsync();
            await receiver.WaitUntilAsync(requests => requests.Select(r => r.Headers["X-SignalHub-Delivery"]).Distinct().Count() == Deliveries);
            await database.UntilAsync("select count(*) = 0 from delivery_queue");
            await database.UntilAsync("select bool_and(ended_at is not null) from jobs");

            using var after = SharedDatabase.Client(url, key);
            var done = await after.GetAsync(new Uri($"/jobs/{job}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
            var progress = done["progress"]!;
            Assert.Equal(("succeeded", Deliveries, Deliveries, Deliveries),
                ((string?)done["state"], (int)progress["total"]!, (int)progress["done"]!, (int)progress["affected"]!));
            var arrivals = receiver.Requests.CountBy(r => r.Headers["X-SignalHub-Delivery"]).ToDictionary();
            Assert.Equal(ids.Order(StringComparer.Ordinal), arrivals.Keys.Order(StringComparer.Ordinal));
            Assert.Empty(arrivals.Where(a => a.Value > 1).Select(a => a.Key).Except(leased));
        }
        Assert.Equal([$"delivered {Deliveries}"], await database.ColumnAsync<string>("select state || ' ' || count(*) from deliveries group by state"));
    }

    private static async Task<int> CountAsync(Npgsql.NpgsqlCommand command)
    {
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        while (await reader.ReadAsync())
        {
            rows++;
        }
        return rows;
    }

    /// <summary>What the endpoint would have missed while it was disabled: a turn's worth, and as much a millisecond later.</summary>
    private static Task<int> SkipAsync(SharedDatabase database) => database.ExecuteAsync($"""
        with events as (
            insert into webhook_events (workspace_id, created_at, id, type, body)
            select e.workspace_id, date_trunc('milliseconds', now()) - case when n <= {PerTurn} then interval '1 millisecond' else interval '0' end,
                   gen_random_uuid(), 'signal.qualified', '{"{}"}'
              from webhook_endpoints e cross join generate_series(1, {Deliveries}) n
            returning *
        )
        insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, queued_at, ended_at, state, reason, attempt, step)
        select v.workspace_id, v.created_at, gen_random_uuid(), e.id, v.id, v.type, v.created_at, v.created_at, 'skipped', 'endpoint_disabled', 0, 0
          from events v join webhook_endpoints e on e.workspace_id = v.workspace_id
        """);
}
