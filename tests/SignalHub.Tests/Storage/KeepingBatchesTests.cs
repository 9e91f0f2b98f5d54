using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

/// <summary>The connection of a writer, and the statements that it sends over it again and again.</summary>
public sealed class KeepingBatchesTests : IAsyncLifetime
{
    private const string Texts = "select t from unnest($1::text[]) as t where $2::timestamptz <> '2000-01-01Z' order by t";
    private const string Numbers = "select n::text from unnest($1::bigint[]) as n order by n";

    private Database _database = null!;
    private KeptConnection _kept = null!;

    public async Task InitializeAsync()
    {
        _database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        _kept = new KeptConnection(_database);
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
        var batch = await _kept.OpenAsync(CancellationToken.None);
        AddTexts(batch, "a");
        var sent = batch.BatchCommands[0].Parameters[0];

        batch.Clear();

        Assert.Null(sent.Value);
        Assert.Empty(batch.BatchCommands);
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
        return answers;
    }
}
