using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class MigratingTests
{
    private static readonly Migration _first = new(1, "0001_first", "create table first (id int); create table second (id int);", "aa");
    private static readonly Migration _second = new(2, "0002_second", "insert into first values (1), (2)", "bb");

    [Fact]
    public async Task The_second_run_finds_nothing_to_do()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());

        var first = await MigrateAsync(database, Migration.Embedded);
        var second = await MigrateAsync(database, Migration.Embedded);

        Assert.Equal(Migration.Embedded.Count, first.Applied);
        Assert.Equal(new MigrationOutcome(first.Version, 0), second);
    }

    [Fact]
    public async Task Every_month_of_events_compresses_bodies_as_cheaply_as_the_server_can()
    {
        await using var database = new Database(await TestPostgres.CreateDatabaseAsync());
        var cheapest = await ScalarAsync(database,
            "select case when 'lz4' = any (enumvals) then 'l' else '' end from pg_settings where name = 'default_toast_compression'");
        await ScalarAsync(database, "select add_month('webhook_events', '2040-01-01')::text");

        Assert.Equal(cheapest, await ScalarAsync(database, """
            select string_agg(distinct attcompression::text, ',') from pg_partition_tree('webhook_events') p join pg_attribute a on a.attrelid = p.relid
             where attname in ('body', 'slack_body')
            """));
    }

    [Theory]
    [InlineData("signals", "context,identity,qualification,warnings")]
    [InlineData("webhook_events", "body,slack_body")]
    public async Task No_month_analyses_its_documents(string parent, string documents)
    {
        await using var database = new Database(await TestPostgres.CreateDatabaseAsync());
        await ScalarAsync(database, $"select add_month('{parent}', '2040-01-01')::text");

        Assert.Equal(2L, await ScalarAsync(database, "select count(*) from pg_attribute where attrelid = 'leads'::regclass and attstattarget = 0 and attnum > 0"));
        Assert.Equal(documents, await ScalarAsync(database, $"""
            select string_agg(distinct skipped, ';')
              from pg_partition_tree('{parent}') p,
                   lateral (select string_agg(attname, ',' order by attname) as skipped from pg_attribute a where a.attrelid = p.relid and attstattarget = 0 and attnum > 0) columns
            """));
    }

    [Fact]
    public async Task Nodes_that_start_together_apply_each_step_once()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => MigrateAsync(database, [_first, _second])));

        Assert.Equal(2, outcomes.Sum(o => o.Applied));
        Assert.Equal(2L, await ScalarAsync(database, "select count(*) from first"));
    }

    [Fact]
    public async Task A_failing_step_leaves_the_ones_before_it_and_nothing_of_itself()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        var broken = new Migration(2, "0002_broken", "create table third (id int); select 1 / 0", "cc");

        await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(database, [_first, broken]));

        Assert.Equal("0001_first", await ScalarAsync(database, "select string_agg(name, ',') from schema_migrations"));
        Assert.Equal(DBNull.Value, await ScalarAsync(database, "select to_regclass('third')::text"));
        Assert.Equal(1, (await MigrateAsync(database, [_first, _second])).Applied);
    }

    [Fact]
    public async Task An_applied_step_whose_file_changed_is_refused()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        await MigrateAsync(database, [_first]);

        var refused = await Assert.ThrowsAsync<StartException>(() => MigrateAsync(database, [_first with { Sha256 = "ee" }, _second]));

        Assert.Contains("0001_first", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await ScalarAsync(database, "select count(*) from first"));
    }

    [Fact]
    public async Task A_schema_newer_than_the_binary_is_refused()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        await MigrateAsync(database, [_first, _second]);

        var refused = await Assert.ThrowsAsync<StartException>(() => MigrateAsync(database, [_first]));

        Assert.Contains("schema version 2, this SignalHub knows 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copied_test_database_has_the_whole_schema()
    {
        await using var database = new Database(await TestPostgres.CreateDatabaseAsync());

        Assert.Equal(0, (await MigrateAsync(database, Migration.Embedded)).Applied);
        Assert.Equal(0L, await ScalarAsync(database, "select count(*) from workspaces"));
    }

    private static Task<MigrationOutcome> MigrateAsync(Database database, IReadOnlyList<Migration> migrations) =>
        new Migrator(database, NullLogger<Migrator>.Instance, migrations).RunAsync(CancellationToken.None);

    private static async Task<object?> ScalarAsync(Database database, string sql)
    {
        await using var command = database.Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
