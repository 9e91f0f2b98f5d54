using System.Net;
using Npgsql;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>Somebody holds a row that the intake has to change, or to read: whoever has nothing to do with it does not wait for it.</summary>
public sealed class HeldRowsTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;
    private NpgsqlConnection _holder = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
        _holder = new NpgsqlConnection(_app.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _holder.DisposeAsync();
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lead_that_somebody_holds_does_not_hold_up_the_other_line(bool isKnown)
    {
        // Of twenty people some wait in each line; none has a company in common with another.
        var others = Enumerable.Range(0, 20).Select(i => $"p{i}@c{i}.com").ToList();
        await SendAsync("jane@acme.com", minute: 0);
        if (isKnown)
        {
            await Task.WhenAll(others.Select(email => SendAsync(email, minute: 0)));
        }
        await using var held = await HoldAsync("select 1 from leads l join contacts c on c.id = l.contact_id where c.email = 'jane@acme.com' for update of l");

        var jane = SendAsync("jane@acme.com", minute: 1);
        var sent = others.ConvertAll(email => SendAsync(email, minute: 1));
        await await Task.WhenAny(sent).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(jane.IsCompleted);

        await held.RollbackAsync();
        await Task.WhenAll([jane, .. sent]);
        Assert.Equal(isKnown ? 42L : 22L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
        Assert.Equal(isKnown ? 42L : 22L, await _app.CountedTodayAsync());
    }

    [Fact]
    public async Task The_first_signals_of_a_batch_are_stored_while_the_check_of_the_next_one_waits()
    {
        await SendAsync("jane@acme.com", minute: 0);
        await using var held = await HoldAsync("lock table signal_types in access exclusive mode; select 1");

        // Whether there is such a type by now is asked of the database.
        var batch = _acme.Client.PostAsync("/signals/batch", new
        {
            signals = new[] { Sample.Signal("jane@acme.com", minute: 1), new { signal_type = "never_heard_of", source = "app", identity = new { email = "jane@acme.com" } } },
        });
        using var longest = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await _app.QueryAsync<long>("select count(*) from signals") < 2)
        {
            longest.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        Assert.False(batch.IsCompleted);

        await held.RollbackAsync();
        await batch.JsonAsync(HttpStatusCode.MultiStatus);
    }

    private async Task<NpgsqlTransaction> HoldAsync(string sql)
    {
        await _holder.OpenAsync();
        var transaction = await _holder.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand(sql, _holder, transaction);
        Assert.NotNull(await hold.ExecuteScalarAsync());
        return transaction;
    }

    private async Task SendAsync(string email, int minute) =>
        Assert.Equal(HttpStatusCode.Created, (await _acme.Client.PostAsync("/signals", Sample.Signal(email, minute))).StatusCode);
}
