using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Npgsql;
using SignalHub.Storage;
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
        var database = await TestPostgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        using var directory = new TemporaryDirectory();
        await using var receiver = await WebhookReceiver.StartAsync();
        var process = ServiceProcess.Start(directory.Path, Settings(database));
        await PrepareAsync(await process.ReadyAsync(), receiver.Url);
        await process.DisposeAsync();
        var total = await QueueAsync(source, DeliveriesPerRound * (Rounds + 1) / Endpoints);

        var inFlightAtKills = new HashSet<string>();
        for (var round = 1; round <= Rounds; round++)
        {
            process = ServiceProcess.Start(directory.Path, Settings(database));
            await receiver.WaitUntilAsync(requests => Delivered(requests).Distinct().Count() >= DeliveriesPerRound * round);
            await process.KillAsync();
            await process.DisposeAsync();
            var arrived = Delivered(receiver.Requests).ToHashSet();
            inFlightAtKills.UnionWith((await LeasedAsync(source)).Where(arrived.Contains));
            await LetLeasesEndAsync(source);
        }
        process = ServiceProcess.Start(directory.Path, Settings(database));
        await receiver.WaitUntilAsync(requests => Delivered(requests).Distinct().Count() >= total);
        Assert.Equal(0, await process.TerminateAsync());
        await process.DisposeAsync();

        Assert.NotEmpty(inFlightAtKills);
        var arrivals = Delivered(receiver.Requests).CountBy(id => id).ToDictionary();
        Assert.Equal(total, arrivals.Count);
        Assert.Empty(arrivals.Where(a => a.Value > 1).Select(a => a.Key).Except(inFlightAtKills));
        Assert.Equal([$"delivered {total}"], await TextsAsync(source, "select state || ' ' || count(*) from deliveries group by state"));
        // Whatever ended has the record of the try that ended it.
        Assert.Equal([total.ToString(CultureInfo.InvariantCulture)], await TextsAsync(source, "select count(distinct delivery_id)::text from delivery_attempts where error_class is null"));
    }

    private static IEnumerable<string> Delivered(IReadOnlyList<ReceivedRequest> requests) => requests.Select(r => r.Headers["X-SignalHub-Delivery"]);

    private static (string, string)[] Settings(string database) =>
    [
        ("ConnectionStrings__SignalHub", database), ("SignalHub__OperatorKey", SignalHubApp.OperatorKey),
        ("SignalHub__EncryptionKey", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), ("Webhooks__AllowHttp", "true"),
        ("Webhooks__AllowedNetworks__0", "127.0.0.0/8"), ("Serilog__MinimumLevel__Override__SignalHub", "Warning"),
    ];

    private static async Task PrepareAsync(Uri url, string receiver)
    {
        using var operatorClient = Client(url, SignalHubApp.OperatorKey);
        var key = (string)(await operatorClient.PostAsync("/workspaces", new { name = "Acme" }).JsonAsync(HttpStatusCode.Created))["api_key"]!["secret"]!;
        using var client = Client(url, key);
        for (var i = 0; i < Endpoints; i++)
        {
            await client.PostAsync("/webhooks/endpoints", new { url = $"{receiver}/{i}" }).JsonAsync(HttpStatusCode.Created);
        }
    }

    /// <summary>The rows that an intake would have written, for each endpoint so many.</summary>
    private static async Task<int> QueueAsync(NpgsqlDataSource source, int perEndpoint)
    {
        await using var command = source.CreateCommand("""
            with events as (
                insert into webhook_events (workspace_id, created_at, id, type, body)
                select w.workspace_id, date_trunc('milliseconds', now()), gen_random_uuid(), 'signal.qualified', '{}'
                  from (select distinct workspace_id from webhook_endpoints) w cross join generate_series(1, $1)
                returning *
            )
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at)
            select v.workspace_id, gen_random_uuid(), e.id, v.id, v.type, v.created_at, v.created_at, v.created_at
              from events v join webhook_endpoints e on e.workspace_id = v.workspace_id
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = perEndpoint });
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>What the dead process had claimed and not written down.</summary>
    private static async Task<IEnumerable<string>> LeasedAsync(NpgsqlDataSource source) =>
        (await TextsAsync(source, "select id::text from delivery_queue where claims > 0")).Select(id => Ids.Text(Ids.Delivery, Guid.Parse(id)));

    /// <summary>What the dead had claimed is theirs for a minute and a half: lets that time pass.</summary>
    private static Task<List<string>> LetLeasesEndAsync(NpgsqlDataSource source) =>
        TextsAsync(source, "update delivery_queue set next_at = next_at - interval '10 minutes' returning ''");

    private static async Task<List<string>> TextsAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync())
        {
            texts.Add(reader.GetString(0));
        }
        return texts;
    }

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
