using System.Security.Cryptography;
using System.Text;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Webhooks.Retention;

namespace SignalHub.Tests.Webhooks.Retention;

/// <summary>What the delivery log keeps, and what goes; the clock stands at 14 March 2026.</summary>
public sealed class KeepingDeliveriesTests
{
    private static readonly RetentionOptions _defaults = new(AttemptDays: 30, DeliveryDays: 90, SkippedDays: 30, SkippedPerWorkspace: 1_000_000);

    [Fact]
    public async Task What_is_over_goes_and_the_rest_stays()
    {
        await using var log = await Log.CreateAsync();
        var kept = new[] { await log.EndedAsync("delivered", 89), await log.EndedAsync("failed", 89), await log.EndedAsync("skipped", 29), await log.EndedAsync("delivered", created: 120, ended: 89) };
        var over = new[] { await log.EndedAsync("delivered", 91), await log.EndedAsync("failed", 91), await log.EndedAsync("cancelled", 91), await log.EndedAsync("skipped", 31) };
        await log.AttemptAsync(kept[0], 29);
        await log.AttemptAsync(kept[0], 31);
        await log.AttemptAsync(over[0], 32);

        var counts = await log.RunAsync();

        Assert.Equal(new RetentionCounts(Attempts: 2, Deliveries: 4, Events: 4), counts);
        Assert.Equal(kept.Order(), await log.IdsAsync("select id from delivery_history order by id"));
        Assert.Equal(kept.Select(Log.EventOf).Order(), await log.IdsAsync("select id from webhook_events order by id"));
        Assert.Equal(1, await log.CountAsync("delivery_attempts"));
        Assert.Equal(default, await log.RunAsync());
    }

    [Fact]
    public async Task What_waits_is_never_lost_nor_is_its_event_however_old()
    {
        await using var log = await Log.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var endpoint = await log.Bench.AddEndpointAsync(receiver.Url);
        // The same event also had another delivery, which is over.
        var waiting = await log.PendingAsync(endpoint, 200);
        await log.EndedAsync("delivered", 200, eventId: Log.EventOf(waiting));

        var counts = await log.RunAsync();

        Assert.Equal(new RetentionCounts(Deliveries: 1), counts);
        Assert.Equal(1, (await log.Bench.Node.DeliverDueAsync()).Delivered);
        Assert.Equal($"body of {Log.EventOf(waiting)}", Encoding.UTF8.GetString(Assert.Single(receiver.Requests).Body));
        Assert.Equal("delivered", await log.Bench.StateAsync(waiting));
        Assert.Equal(default, await log.RunAsync());
    }

    [Fact]
    public async Task Whole_months_are_dropped_when_all_of_them_is_over()
    {
        await using var log = await Log.CreateAsync();
        var old = new[] { await log.EndedAsync("delivered", 140), await log.EndedAsync("skipped", 140) };   // 25 October
        await log.AttemptAsync(old[0], 70);                                                                 // 3 January
        var retriedLately = await log.EndedAsync("delivered", created: 110, ended: 5);                      // 24 November
        await log.EndedAsync("delivered", 111);

        var counts = await log.RunAsync();

        Assert.Equal(new RetentionCounts(Deliveries: 1, Events: 1, Months: 2), counts);
        Assert.Equal([retriedLately], await log.IdsAsync("select id from delivery_history"));
        Assert.Equal([Log.EventOf(retriedLately)], await log.IdsAsync("select id from webhook_events"));
        foreach (var (table, exists) in new[] { ("delivery_history_2025_10", false), ("webhook_events_2025_10", false), ("delivery_attempts_2026_01", false), ("delivery_history_2025_11", true), ("webhook_events_2025_11", true) })
        {
            Assert.True(exists == await log.Bench.ScalarAsync<bool>("select to_regclass($1) is not null", table), table);
        }
    }

    [Fact]
    public async Task A_dropped_month_is_made_again_by_whoever_writes_to_it()
    {
        await using var log = await Log.CreateAsync();
        var other = new MonthlyPartitions(log.Bench.Database, log.Bench.Clock);
        var october = log.Bench.Clock.GetUtcNow().AddDays(-140);
        await other.EnsureAsync("webhook_events", [october], default);
        Assert.Equal(1, (await log.RunAsync()).Months);

        await other.EnsureAsync("webhook_events", [october], default);

        Assert.True(await log.Bench.ScalarAsync<bool>("select to_regclass('webhook_events_2025_10') is not null and to_regclass('delivery_history_2025_10') is not null"));
    }

    [Fact]
    public async Task Of_skipped_ones_each_workspace_keeps_its_newest()
    {
        await using var log = await Log.CreateAsync();
        var mine = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            mine.Add(await log.EndedAsync("skipped", 10 - i));
        }
        var others = await log.EndedAsync("skipped", 20, workspace: await log.NewWorkspaceAsync());
        var delivered = await log.EndedAsync("delivered", 25);

        var counts = await log.RunAsync(_defaults with { SkippedPerWorkspace = 3 });

        Assert.Equal(new RetentionCounts(Deliveries: 2, Events: 2), counts);
        Assert.Equal(mine.Skip(2).Append(others).Append(delivered).Order(), await log.IdsAsync("select id from delivery_history order by id"));
    }

    [Fact]
    public async Task More_than_a_batch_goes_in_several()
    {
        await using var log = await Log.CreateAsync();
        var first = await log.EndedAsync("delivered", 91);
        await log.Bench.ExecuteAsync("""
            insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, queued_at, ended_at, state, attempt, step)
            select workspace_id, created_at, gen_random_uuid(), endpoint_id, event_id, event_type, queued_at, ended_at, state, attempt, step
              from delivery_history, generate_series(1, $1)
            """, 2 * DeliveryRetention.Batch);

        var counts = await log.RunAsync();

        Assert.Equal(new RetentionCounts(Deliveries: (2 * DeliveryRetention.Batch) + 1, Events: 1), counts);
    }

    [Fact]
    public async Task While_another_node_is_at_it_this_one_does_nothing()
    {
        await using var log = await Log.CreateAsync();
        await log.EndedAsync("delivered", 91);
        await using (var other = await log.Bench.Database.OpenAsync(default))
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var take = new NpgsqlCommand($"select pg_advisory_xact_lock({RetentionStore.LockKey})", other);
            await take.ExecuteNonQueryAsync();

            Assert.Equal(default, await log.RunAsync());
        }

        Assert.Equal(1, (await log.RunAsync()).Deliveries);
    }

    [Fact]
    public async Task A_month_that_somebody_reads_is_left_for_the_next_run()
    {
        await using var log = await Log.CreateAsync();
        await log.EndedAsync("delivered", 140);
        await using (var reader = await log.Bench.Database.OpenAsync(default))
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await using var read = new NpgsqlCommand("select count(*) from webhook_events", reader);
            await read.ExecuteNonQueryAsync();

            Assert.Equal(new RetentionCounts(Deliveries: 1, Events: 1), await log.RunAsync());
        }

        Assert.Equal(new RetentionCounts(Months: 1), await log.RunAsync());
    }

    [Fact]
    public async Task Zero_keeps_for_ever()
    {
        await using var log = await Log.CreateAsync();
        var old = await log.EndedAsync("delivered", 1_000);
        await log.AttemptAsync(old, 1_000);
        await log.EndedAsync("skipped", 1_000);

        Assert.Equal(default, await log.RunAsync(new RetentionOptions(0, 0, 0, 0)));
    }

    /// <summary>A delivery log with rows of any age.</summary>
    private sealed class Log(DeliveryBench bench) : IAsyncDisposable
    {
        private int _made;

        public DeliveryBench Bench { get; } = bench;

        public static async Task<Log> CreateAsync() => new(await DeliveryBench.CreateAsync());

        /// <summary>Each delivery here has an event of its own, known by its id.</summary>
        public static Guid EventOf(Guid delivery) => Ids.Derive(Ids.InstantOf(delivery), SHA256.HashData(delivery.ToByteArray()));

        public Task<RetentionCounts> RunAsync(RetentionOptions? options = null)
        {
            var partitions = new MonthlyPartitions(Bench.Database, Bench.Clock);
            return new DeliveryRetention(new RetentionStore(Bench.Database), partitions, options ?? _defaults, Bench.Clock).RunOnceAsync(CancellationToken.None);
        }

        public async Task<Guid> NewWorkspaceAsync()
        {
            var id = Ids.New(Bench.Clock.GetUtcNow());
            await Bench.ExecuteAsync("insert into workspaces (id, name, created_at) values ($1, 'Other', $2)", id, Bench.Clock.GetUtcNow());
            return id;
        }

        public Task<Guid> EndedAsync(string state, int days, Guid? eventId = null, Guid? workspace = null) => EndedAsync(state, days, days, eventId, workspace);

        public async Task<Guid> EndedAsync(string state, int created, int ended, Guid? eventId = null, Guid? workspace = null)
        {
            var (at, id) = await NewAsync(created);
            await EventAsync(workspace ?? Bench.Workspace, at, eventId ?? EventOf(id));
            await Bench.ExecuteAsync("""
                insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, queued_at, ended_at, state, attempt, step)
                values ($1, $2, $3, $3, $4, 'signal.qualified', $2, $5, $6, 1, 0)
                """, workspace ?? Bench.Workspace, at, id, eventId ?? EventOf(id), Ago(ended), state);
            return id;
        }

        public async Task<Guid> PendingAsync(Guid endpoint, int days)
        {
            var (at, id) = await NewAsync(days);
            await EventAsync(Bench.Workspace, at, EventOf(id));
            await Bench.ExecuteAsync("""
                insert into delivery_queue (workspace_id, id, endpoint_id, event_id, event_type, created_at, queued_at, next_at)
                values ($1, $2, $3, $4, 'signal.qualified', $5, $5, $5)
                """, Bench.Workspace, id, endpoint, EventOf(id), at);
            return id;
        }

        public async Task AttemptAsync(Guid delivery, int days)
        {
            await Bench.ExecuteAsync("select add_month('delivery_attempts', $1)", DateOnly.FromDateTime(Ago(days).UtcDateTime));
            await Bench.ExecuteAsync("""
                insert into delivery_attempts (workspace_id, at, delivery_id, attempt, endpoint_id, trigger, request_headers, duration_ms)
                values ($1, $2, $3, 1, $3, 'schedule', '{}', 1)
                """, Bench.Workspace, Ago(days), delivery);
        }

        public Task<long> CountAsync(string table) => Bench.ScalarAsync<long>($"select count(*) from {table}");

        public async Task<IEnumerable<Guid>> IdsAsync(string sql) => (await Bench.ScalarAsync<Guid[]>($"select coalesce(array_agg(id), '{{}}') from ({sql}) x")).Order();

        public ValueTask DisposeAsync() => Bench.DisposeAsync();

        private DateTimeOffset Ago(int days) => Bench.Clock.GetUtcNow().AddDays(-days);

        private async Task<(DateTimeOffset At, Guid Id)> NewAsync(int days)
        {
            await Bench.ExecuteAsync("select add_month('webhook_events', $1)", DateOnly.FromDateTime(Ago(days).UtcDateTime));
            return (Ago(days), Ids.Derive(Ago(days), SHA256.HashData(BitConverter.GetBytes(++_made))));
        }

        private Task EventAsync(Guid workspace, DateTimeOffset at, Guid id) => Bench.ExecuteAsync("""
            insert into webhook_events (workspace_id, created_at, id, type, body) values ($1, $2, $3, 'signal.qualified', $4)
            on conflict do nothing
            """, workspace, at, id, Encoding.UTF8.GetBytes($"body of {id}"));
    }
}
