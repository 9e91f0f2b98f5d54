using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

/// <summary>One node: a dispatcher with its parts, on a database that it may share with others.</summary>
internal sealed class Node : IDisposable
{
    public Node(Database database, TimeProvider clock, IDataProtectionProvider keys, WebhookOptions? settings = null)
    {
        settings ??= new WebhookOptions();
        settings.AllowHttp = true;
        settings.AllowedNetworks = ["127.0.0.0/8"];
        // Runs by the machine's clock whatever the test's clock does: a busy machine would make failed tries of it that no receiver saw.
        settings.ConnectTimeout = TimeSpan.FromMinutes(1);
        var options = Options.Create(settings);
        var secrets = new SecretProtection(keys);
        Sender = new WebhookSender(new OutboundGuard(options), options, clock, Dns.GetHostAddressesAsync);
        Claims = new ClaimStore(database, clock);
        Store = new DeliveryStore(database, clock);
        var targets = new TargetStore(database);
        Attempts = new AttemptStore(database, new MonthlyPartitions(database, clock), new EndpointHealthStore(clock), Signal, clock, NullLogger<AttemptStore>.Instance);
        Dispatcher = new Dispatcher(Claims, targets, Store, new EventExtrasStore(database), Attempts, Sender, secrets, Signal, options, clock, NullLogger<Dispatcher>.Instance);
        TestSend = new TestSend(targets, new EndpointStore(database, clock), Attempts, Sender, secrets, clock);
    }

    public DeliverySignal Signal { get; } = new();

    public WebhookSender Sender { get; }

    public ClaimStore Claims { get; }

    public DeliveryStore Store { get; }

    public AttemptStore Attempts { get; }

    public Dispatcher Dispatcher { get; }

    public TestSend TestSend { get; }

    public Task<DispatchCounts> DeliverDueAsync() => Dispatcher.RunOnceAsync(CancellationToken.None);

    public void Dispose()
    {
        Dispatcher.Dispose();
        Sender.Dispose();
    }
}

/// <summary>A database of its own, a clock that stands still, one node, and the rows that other slices would have written.</summary>
internal sealed class DeliveryBench : IAsyncDisposable
{
    public const string Secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private readonly List<Node> _nodes = [];
    private int _events;

    private DeliveryBench(Database database)
    {
        Database = database;
        Node = AddNode();
    }

    public Database Database { get; }

    public EphemeralDataProtectionProvider Keys { get; } = new();

    public ManualClock Clock { get; } = new();

    public Node Node { get; }

    public Guid Workspace { get; } = Ids.New(DateTimeOffset.UnixEpoch);

    public static async Task<DeliveryBench> CreateAsync()
    {
        var bench = new DeliveryBench(new Database(await TestPostgres.CreateDatabaseAsync()));
        await bench.ExecuteAsync("insert into workspaces (id, name, created_at) values ($1, 'Acme', $2)", bench.Workspace, bench.Clock.GetUtcNow());
        await bench.ExecuteAsync("select add_month('webhook_events', $1)", DateOnly.FromDateTime(bench.Clock.GetUtcNow().UtcDateTime));
        return bench;
    }

    public Node AddNode(WebhookOptions? settings = null)
    {
        var node = new Node(Database, Clock, Keys, settings);
        _nodes.Add(node);
        return node;
    }

    public async Task<Guid> AddEndpointAsync(string url, string policy = "standard", int timeoutSeconds = 10, int[]? schedule = null, int? maxPerSecond = null, bool ordered = false, params string[] events)
    {
        var id = Ids.New(Clock.GetUtcNow());
        await ExecuteAsync("""
            insert into webhook_endpoints (workspace_id, id, url, events, secret, signature_header, timeout_seconds, retry_policy, schedule,
                max_per_second, ordered, enabled, created_at, updated_at)
            values ($1, $2, $3, $11, $4, 'X-SignalHub-Signature', $5, $6, $7, $9, $10, true, $8, $8)
            """, Workspace, id, url, new SecretProtection(Keys).Protect(WebhookSecret.Parse(Secret)), (short)timeoutSeconds, policy,
            (object?)schedule ?? DBNull.Value, Clock.GetUtcNow(), (object?)maxPerSecond ?? DBNull.Value, ordered,
            events.Length > 0 ? events : ["signal.qualified"]);
        return id;
    }

    /// <summary>One event and its delivery to that endpoint, due now; answers the ids of both.</summary>
    public async Task<(Guid Event, Guid Delivery)> QueueAsync(Guid endpoint, string body = """{"event":"signal.qualified"}""", Guid? lead = null)
    {
        var now = Clock.GetUtcNow();
        var eventId = Ids.Derive(now, SHA256.HashData(BitConverter.GetBytes(++_events)));
        var delivery = Ids.Derive(now, "delivery", eventId, endpoint);
        await ExecuteAsync("insert into webhook_events (workspace_id, created_at, id, type, body) values ($1, $2, $3, 'signal.qualified', $4)",
            Workspace, now, eventId, Encoding.UTF8.GetBytes(body));
        await ExecuteAsync("""
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at, lead_id, ordinal)
            select $1, $2, $3, $4, 'signal.qualified', $5, $5, $5, $6,
                   case when $6 is not null and ordered then nextval('delivery_ordinals') end
              from webhook_endpoints where id = $3
            """, Workspace, delivery, endpoint, eventId, now, new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)lead ?? DBNull.Value });
        return (eventId, delivery);
    }

    /// <summary>Many deliveries of one event's body, inserted at once.</summary>
    public async Task QueueManyAsync(Guid endpoint, int count, TimeSpan dueSince = default)
    {
        var (eventId, first) = await QueueAsync(endpoint);
        await ExecuteAsync("""
            insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at)
            select $1, gen_random_uuid(), $2, $3, 'signal.qualified', $4, $4, $4 - $5 from generate_series(2, $6)
            """, Workspace, endpoint, eventId, Clock.GetUtcNow(), dueSince, count);
        await ExecuteAsync("update delivery_queue set next_at = next_at - $2 where id = $1", first, dueSince);
    }

    /// <summary>Asks until the answer is true.</summary>
    public async Task UntilAsync(string sql, params object[] values)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await ScalarAsync<bool>(sql, values))
        {
            Assert.False(limit.IsCancellationRequested, $"Not true in time: {sql}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>State and reason of a delivery: <c>failed/exhausted</c>, <c>pending</c>.</summary>
    public Task<string> StateAsync(Guid delivery) =>
        ScalarAsync<string>("select state || coalesce('/' || reason, '') from deliveries where workspace_id = $1 and id = $2", Workspace, delivery);

    public async Task<IReadOnlyDictionary<string, int>> StatesAsync(Guid endpoint)
    {
        await using var command = Command("select state || coalesce('/' || reason, ''), count(*)::int from deliveries where endpoint_id = $1 group by 1", endpoint);
        await using var reader = await command.ExecuteReaderAsync();
        var states = new Dictionary<string, int>();
        while (await reader.ReadAsync())
        {
            states[reader.GetString(0)] = reader.GetInt32(1);
        }
        return states;
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row: {sql}"));
    }

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            node.Dispose();
        }
        await Database.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = Database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }
        return command;
    }
}
