using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>What writers keep from batch to batch goes away behind their backs: nobody who sends signals hears of it.</summary>
public sealed class LosingWritersTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
        await SendAsync(minute: 0);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Signals_are_stored_once_when_the_server_has_ended_the_connections()
    {
        for (var minute = 1; minute <= 3; minute++)
        {
            await _app.QueryAsync<long>(
                """
                select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and query like '%insert into usage_batches%'
                """);
            await SendAsync(minute);
        }

        Assert.Equal(40L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(40L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
    }

    [Fact]
    public async Task Signals_are_stored_when_a_table_was_altered_under_the_prepared_statements()
    {
        await _app.QueryAsync<long>("alter table leads add column note text; alter table signals add column note text; select 1::bigint");
        await SendAsync(minute: 1);
        await _app.QueryAsync<long>("alter table leads drop column note; alter table signals drop column note; select 1::bigint");
        await SendAsync(minute: 2);

        Assert.Equal(30L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
    }

    /// <summary>Ten people, so that each writer has some.</summary>
    private async Task SendAsync(int minute)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => _acme.Client.PostAsync("/signals", Sample.Signal($"p{i}@acme.com", minute))));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
    }
}
