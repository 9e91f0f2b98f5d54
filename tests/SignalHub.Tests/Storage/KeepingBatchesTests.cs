using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

/// <summary>The connection of a writer, and the statements that it sends over it again and again.</summary>
public sealed class KeepingBatchesTests : IAsyncLifetime
{
    private const string Texts = "select t from unnest($1::text[]) as t where $2::timestamptz <> '2000-01-01Z' order by t";
    private const string Numbers = "select n::text from unnest($1::bigint[]) as n order by n";

    private readonly ManualClock _clock = new();
    private Database _database = null!;
    private KeptConnection _kept = null!;
    private string _address = null!;

    public async Task InitializeAsync()
    {
        _address = await TestPostgres.CreateEmptyDatabaseAsync();
        _database = new Database(_address);
        _kept = new KeptConnection(_database, _clock);
    }

    public async Task DisposeAsync()
    {
        await _kept.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task The_same_statements_are_sent_with_other_values_and_prepared_once()
    {
        Assert.Equal(["a", "b"], await SendAsync(batch => AddTexts(batch, "b", "a")));
        Assert.Equal(["c"], await SendAsync(batch => AddTexts(batch, "c")));
        Assert.Equal(["7", "d"], await SendAsync(batch => { batch.Add(Numbers).Column([7L]); AddTexts(batch, "d"); }));
        Assert.Equal(["8"], await SendAsync(batch => batch.Add(Numbers).Column([8L])));

        Assert.Equal(["2"], await SendAsync(batch => batch.Add("select count(*)::text from pg_prepared_statements where position('unnest' || '($1' in statement) > 0")));
    }

    [Fact]
    public async Task A_statement_that_is_twice_in_a_batch_has_its_own_values_each_time()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(["a", "b", "c"], await SendAsync(batch => { AddTexts(batch, "a"); AddTexts(batch, "b"); AddTexts(batch, "c"); }));
        }
    }

    [Fact]
    public async Task What_was_sent_is_not_held_on_to()
    {
        NpgsqlParameter sent = null!;

        Assert.Equal(["a"], await SendAsync(batch => { AddTexts(batch, "a"); sent = batch.BatchCommands[0].Parameters[0]; }));

        Assert.Null(sent.Value);
        Assert.Empty((await _kept.OpenAsync(CancellationToken.None)).BatchCommands);
    }

    [Fact]
    public async Task The_connection_is_the_same_for_a_minute()
    {
        var first = await _kept.OpenAsync(CancellationToken.None);
        await _kept.LeaveAsync();
        Assert.Same(first, await _kept.OpenAsync(CancellationToken.None));

        _clock.Advance(TimeSpan.FromMinutes(1.1));

        Assert.NotSame(first, await _kept.OpenAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Behind_a_pooler_it_is_given_back_after_each_batch()
    {
        await using var database = new Database($"{_address};Max Auto Prepare=0;Maximum Pool Size=1");
        await using var kept = new KeptConnection(database, _clock);
        await kept.OpenAsync(CancellationToken.None);
        await kept.LeaveAsync();

        await using var other = await database.OpenAsync(CancellationToken.None);
        Assert.Equal(System.Data.ConnectionState.Open, other.State);
    }

    [Fact]
    public async Task Writers_that_keep_theirs_leave_the_pool_to_others()
    {
        await using var database = new Database($"{_address};Maximum Pool Size=1");
        var kept = Enumerable.Range(0, Database.Writers).Select(_ => new KeptConnection(database, _clock)).ToList();
        foreach (var connection in kept)
        {
            await connection.OpenAsync(CancellationToken.None);
        }

        await using (var other = await database.OpenWriterAsync(CancellationToken.None))
        {
            Assert.Equal(System.Data.ConnectionState.Open, other.State);
        }
        foreach (var connection in kept)
        {
            await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_statement_that_failed_works_again_over_another_connection()
    {
        await SendAsync(batch => AddTexts(batch, "a"));
        await Assert.ThrowsAsync<PostgresException>(() => SendAsync(batch => { AddTexts(batch, "b"); batch.Add("select 1/0::bigint"); }));
        await _kept.DisposeAsync();

        Assert.Equal(["c"], await SendAsync(batch => AddTexts(batch, "c")));
    }

    [Fact]
    public async Task A_connection_that_was_ended_is_replaced()
    {
        var before = await SendAsync(batch => batch.Add("select pg_backend_pid()::text"));
        await using (var other = await _database.OpenAsync(CancellationToken.None))
        {
            await using var end = new NpgsqlCommand($"select pg_terminate_backend({before[0]}, 5000)", other);
            await end.ExecuteNonQueryAsync();
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => SendAsync(batch => AddTexts(batch, "a")));

        Assert.Equal(["b"], await SendAsync(batch => AddTexts(batch, "b")));
        Assert.NotEqual(before, await SendAsync(batch => batch.Add("select pg_backend_pid()::text")));
    }

    private static void AddTexts(KeptBatch batch, params string[] texts) => batch.Add(Texts).Column(texts).Value(DateTimeOffset.UnixEpoch);

    private async Task<List<string>> SendAsync(Action<KeptBatch> add)
    {
        var batch = await _kept.OpenAsync(CancellationToken.None);
        add(batch);
        var answers = new List<string>();
        await using var reader = await batch.SendAsync(prepare: true, CancellationToken.None);
        do
        {
            while (await reader.ReadAsync())
            {
                answers.Add(reader.GetString(0));
            }
        }
        while (await reader.NextResultAsync());
        await _kept.LeaveAsync();
        return answers;
    }
}
