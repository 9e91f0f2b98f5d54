using Npgsql;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

/// <summary>The connections on which signals are written, and the others.</summary>
public sealed class WritersConnectionsTests : IAsyncLifetime
{
    private const string Settings = """
        select concat_ws(' ', current_setting('enable_hashjoin'), current_setting('enable_mergejoin'), current_setting('enable_seqscan'),
                         current_setting('plan_cache_mode'), current_setting('jit'), current_setting('lock_timeout'), current_setting('work_mem'))
        """;

    private string _address = null!;

    public async Task InitializeAsync() => _address = await TestPostgres.CreateEmptyDatabaseAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Writers_only_probe_by_key_and_are_impatient_and_nobody_else_is()
    {
        await using var database = new Database(_address);

        Assert.True(await database.CheckWritersAsync(CancellationToken.None));
        Assert.Equal("off off off force_generic_plan off 200ms 4MB", await AskAsync(await database.OpenWriterAsync(CancellationToken.None)));
        Assert.Equal("on on on auto off 0 4MB", await AskAsync(await database.OpenAsync(CancellationToken.None)));
    }

    [Fact]
    public async Task What_the_operator_sets_stays()
    {
        await using var database = new Database($"{_address};Options=-c work_mem=8MB;Minimum Pool Size=3");

        Assert.Equal("off off off force_generic_plan off 200ms 8MB", await AskAsync(await database.OpenWriterAsync(CancellationToken.None)));
        Assert.EndsWith("8MB", await AskAsync(await database.OpenAsync(CancellationToken.None)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_a_pooler_writers_use_the_connections_of_everybody()
    {
        await using var database = new Database($"{_address};Max Auto Prepare=0");

        Assert.True(await database.CheckWritersAsync(CancellationToken.None));
        Assert.StartsWith("on on on auto", await AskAsync(await database.OpenWriterAsync(CancellationToken.None)), StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(NpgsqlConnection connection)
    {
        await using (connection)
        {
            await using var command = new NpgsqlCommand(Settings, connection);
            return (string)(await command.ExecuteScalarAsync())!;
        }
    }
}
