using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class RememberingUsageTests : IAsyncLifetime
{
    private static readonly WorkspaceLimits _limits = new(20, 100);
    private static readonly Guid _workspace = new("01950000-0000-7000-8000-000000000001");
    private static readonly Guid _other = new("01950000-0000-7000-8000-000000000002");

    private const int TwoWorkspaces = 2;

    private readonly ManualClock _clock = new();
    private string _connectionString = null!;
    private Database _database = null!;

    public async Task InitializeAsync()
    {
        _connectionString = await TestPostgres.CreateDatabaseAsync();
        _database = new Database(_connectionString);
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_restarted_process_counts_on_from_what_is_stored()
    {
        await StoreAsync(12);
        _clock.Advance(TimeSpan.FromSeconds(30));

        var admission = await NewProcess().ReserveAsync(_workspace, _limits, 20, isTest: false);

        Assert.Equal(8, admission.Allowed);
        Assert.Equal(80, admission.Day.Remaining);
    }

    [Fact]
    public async Task After_a_minute_and_a_slot_only_the_day_remembers()
    {
        await StoreAsync(12);
        _clock.Advance(TimeSpan.FromSeconds(71));

        var admission = await NewProcess().ReserveAsync(_workspace, _limits, 20, isTest: false);

        Assert.Equal(20, admission.Allowed);
        Assert.Equal(68, admission.Day.Remaining);
    }

    [Fact]
    public async Task Test_events_are_stored_for_the_minute_only()
    {
        await StoreAsync(5, isTest: true);

        var admission = await NewProcess().LookAsync(_workspace, _limits);

        Assert.Equal((15, 100), (admission.Minute.Remaining, admission.Day.Remaining));
    }

    [Fact]
    public async Task What_this_process_counted_and_stored_is_not_counted_twice()
    {
        var limiter = NewProcess();
        await limiter.ReserveAsync(_workspace, _limits, 5, isTest: false);
        await StoreAsync(5);

        Assert.Equal(15, (await limiter.LookAsync(_workspace, _limits)).Minute.Remaining);
    }

    [Fact]
    public async Task First_requests_that_come_together_share_one_count()
    {
        await StoreAsync(4);
        var limiter = NewProcess();

        var admissions = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => limiter.ReserveAsync(_workspace, _limits, 1, isTest: false).AsTask())));

        Assert.Equal(16, admissions.Sum(a => a.Allowed));
    }

    [Fact]
    public async Task A_quiet_workspace_leaves_memory_and_comes_back_from_the_database()
    {
        var limiter = NewProcess();
        await limiter.ReserveAsync(_workspace, _limits, 5, isTest: false);
        await StoreAsync(5);
        Assert.Equal(0, limiter.RetireIdle());

        _clock.Advance(TimeSpan.FromMinutes(11));

        Assert.Equal(1, limiter.RetireIdle());
        Assert.Equal((20, 95), Left(await limiter.LookAsync(_workspace, _limits)));
    }

    [Fact]
    public async Task What_is_added_up_counts_as_before()
    {
        await StoreAsync(3);
        await StoreAsync(2, isTest: true);
        var before = await LeftOfStoredAsync();

        // Two nodes at once: each row is added up by one of them.
        await Task.WhenAll(Store.AddUpAsync(CancellationToken.None), Store.AddUpAsync(CancellationToken.None));
        await StoreAsync(4);

        Assert.Equal((15, 97), before);
        Assert.Equal((11, 93), await LeftOfStoredAsync());
        await Store.AddUpAsync(CancellationToken.None);
        Assert.Equal((11, 93), await LeftOfStoredAsync());
    }

    [Fact]
    public async Task Slots_that_no_window_reaches_are_removed()
    {
        await StoreAsync(1);
        _clock.Advance(TimeSpan.FromMinutes(5));
        await StoreAsync(1);
        _clock.Advance(TimeSpan.FromMinutes(6));
        await Store.AddUpAsync(CancellationToken.None);

        Assert.Equal(TwoWorkspaces, await Store.DeleteSlotsBeforeAsync(_clock.GetUtcNow().AddMinutes(-10), CancellationToken.None));
    }

    [Fact]
    public async Task A_load_that_fails_is_tried_again()
    {
        await StoreAsync(12);
        await using var late = new Database();
        var limiter = NewProcess(late);
        await Assert.ThrowsAsync<InvalidOperationException>(() => limiter.ReserveAsync(_workspace, _limits, 1, isTest: false).AsTask());

        late.Connect(_connectionString);

        Assert.Equal(8, (await limiter.LookAsync(_workspace, _limits)).Minute.Remaining);
    }

    [Fact]
    public async Task A_ledger_that_another_version_wrote_stops_only_its_own_workspace()
    {
        var limiter = NewProcess();
        await limiter.ReserveAsync(_workspace, _limits, 5, isTest: false);
        await limiter.ReserveAsync(_other, _limits, 5, isTest: false);
        await using var upgrade = _database.Source.CreateCommand("update usage_ledgers set ledger = '\\x02' where workspace_id = $1");
        upgrade.Parameters.Add(new() { Value = _workspace });
        await upgrade.ExecuteNonQueryAsync();

        var told = await limiter.TellAsync(isLeaving: true);

        Assert.Contains("run the same version of SignalHub on all nodes", Assert.IsType<InvalidDataException>(told.Failure).Message, StringComparison.Ordinal);
        Assert.Equal(15, (await NewProcess().LookAsync(_other, _limits)).Minute.Remaining);
        await Assert.ThrowsAsync<InvalidDataException>(() => NewProcess().LookAsync(_workspace, _limits).AsTask());
    }

    private UsageStore Store => new(_database);

    /// <summary>As after a crash of the server: no ledger, only what is stored.</summary>
    private async Task<(int Minute, int Day)> LeftOfStoredAsync()
    {
        await new UsageLedgerStore(_database, _clock).DeleteUnwrittenSinceAsync(_clock.GetUtcNow().AddMinutes(1), CancellationToken.None);
        return Left(await NewProcess().LookAsync(_workspace, _limits));
    }

    private RateLimiter NewProcess(Database? database = null) =>
        new(new LedgerExchange(new UsageLedgerStore(database ?? _database, _clock), _clock), _clock);

    private static (int Minute, int Day) Left(Admission admission) => (admission.Minute.Remaining, admission.Day.Remaining);

    /// <summary>As the intake does: events of two workspaces in one batch.</summary>
    private async Task StoreAsync(int events, bool isTest = false)
    {
        await using var batch = _database.Source.CreateBatch();
        UsageStore.AddTo(batch, Enumerable.Range(0, events).SelectMany(_ => new[] { (_other, _clock.GetUtcNow(), false), (_workspace, _clock.GetUtcNow(), isTest) }));
        await batch.ExecuteNonQueryAsync();
    }
}
