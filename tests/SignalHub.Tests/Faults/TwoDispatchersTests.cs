using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>Two processes of the service on one database, both dispatching.</summary>
public sealed class TwoDispatchersTests : IAsyncLifetime
{
    private const int Signals = 150;
    private const int Endpoints = 2;
    private const int Deliveries = Signals * Endpoints;

    // What is answered at once; then the receiver holds back until both processes have their eight in flight to each endpoint.
    private const int Answered = 40;
    private const int AllInFlight = 2 * Endpoints * 8;

    // Tells the rows that this process has claimed from those of the other.
    private const string LongLease = "01:00:00";
    private const string IsLongLeased = "claims > 0 and next_at > now() + interval '10 minutes'";

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SharedDatabase _database = null!;
    private WebhookReceiver _receiver = null!;
    private ServiceProcess _first = null!;
    private ServiceProcess _second = null!;

    public async Task InitializeAsync()
    {
        _database = await SharedDatabase.CreateAsync();
        _receiver = await WebhookReceiver.StartAsync();
        _receiver.Answer([.. Enumerable.Repeat(WebhookReceiver.Status(200), Answered)]);
        _receiver.Otherwise(WebhookReceiver.When(_released.Task));
        // Few rows a claim, so that neither takes all of them before the other has begun.
        _first = _database.Start(("Webhooks__ClaimPerEndpoint", "16"));
        _second = _database.Start(("Webhooks__ClaimPerEndpoint", "16"), ("Webhooks__Lease", LongLease));
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task Both_do_a_share_of_the_work_and_each_delivery_arrives_exactly_once()
    {
        Uri[] urls = [await _first.ReadyAsync(), await _second.ReadyAsync()];
        var key = await PrepareAsync(urls[0]);

        var posting = PostAsync(key, urls);
        // Together: when a post fails, that is what the test says.
        await Task.WhenAll(posting, _receiver.WaitForAsync(Answered + AllInFlight));
        _released.SetResult();
        await _receiver.WaitForAsync(Deliveries);

        await _database.UntilAsync($"select count(*) = {Deliveries} from delivery_history where state = 'delivered'");
        Assert.Equal([0L], await _database.ColumnAsync<long>("select count(*) from delivery_queue"));
        Assert.Equal([(long)Deliveries], await _database.ColumnAsync<long>("select count(*) from delivery_attempts"));
        Assert.Equal(Deliveries, Arrivals().Count);
        Assert.Equal(Deliveries, _receiver.Requests.Count);
        // Counted after the commit: the last of them a moment later.
        double[] shares = [0, 0];
        for (var looks = 0; looks < 1_000 && shares.Sum() < Deliveries; looks++)
        {
            shares = [await ShareAsync(urls[0]), await ShareAsync(urls[1])];
        }
        Assert.Equal(Deliveries, shares.Sum());
        Assert.All(shares, share => Assert.InRange(share, AllInFlight / 2, Deliveries - (AllInFlight / 2)));
    }

    [Fact]
    public async Task What_a_killed_one_had_is_taken_over_and_only_what_it_had_in_flight_arrives_twice()
    {
        var url = await _first.ReadyAsync();
        await _second.ReadyAsync();
        var key = await PrepareAsync(url);

        var posting = PostAsync(key, url);
        // All slots are taken and none is answered: what is in flight stays as it is until the kill is over.
        await Task.WhenAll(posting, _receiver.WaitForAsync(Answered + AllInFlight));
        await _second.KillAsync();
        var arrived = Arrivals();
        var inFlight = (await _database.DeliveriesAsync(IsLongLeased)).Where(arrived.ContainsKey).ToHashSet();
        _released.SetResult();
        Assert.NotEqual(0, await _database.ExecuteAsync($"update delivery_queue set next_at = now() where {IsLongLeased}"));
        await _receiver.WaitUntilAsync(_ => Arrivals().Count == Deliveries);
        await _database.UntilAsync("select count(*) = 0 from delivery_queue");
        Assert.Equal(0, await _first.TerminateAsync());

        var twice = Arrivals().Where(a => a.Value > 1).ToList();
        Assert.NotEmpty(twice);
        Assert.Empty(twice.Select(a => a.Key).Except(inFlight));
        Assert.All(twice, arrival => Assert.Equal(2, arrival.Value));
        Assert.Equal([$"delivered {Deliveries}"], await _database.ColumnAsync<string>("select state || ' ' || count(*) from deliveries group by state"));
    }

    private static async Task<double> ShareAsync(Uri url)
    {
        double? Delivered(MetricsPage page) => page["signalhub_deliveries_total", "outcome=\"delivered\""];
        return Delivered(await SharedDatabase.MetricsAsync(url, page => Delivered(page) is not null))!.Value;
    }

    private Dictionary<string, int> Arrivals() => _receiver.Requests.CountBy(r => r.Headers["X-SignalHub-Delivery"]).ToDictionary();

    private async Task<string> PrepareAsync(Uri url)
    {
        var key = await SharedDatabase.NewWorkspaceAsync(url);
        using var client = SharedDatabase.Client(url, key);
        for (var i = 0; i < Endpoints; i++)
        {
            await client.PostAsync("/webhooks/endpoints", new { url = $"{_receiver.Url}/{i}", timeout_seconds = 30 }).JsonAsync(HttpStatusCode.Created);
        }
        return key;
    }

    /// <summary>Posts signals to the processes in turns.</summary>
    private static async Task PostAsync(string key, params Uri[] urls)
    {
        var clients = urls.Select(url => SharedDatabase.Client(url, key)).ToList();
        await Parallel.ForEachAsync(Enumerable.Range(0, Signals), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
            await clients[i % clients.Count].PostAsync("/signals", Sample.Qualified(i)).JsonAsync(HttpStatusCode.Created));
        clients.ForEach(client => client.Dispose());
    }
}
