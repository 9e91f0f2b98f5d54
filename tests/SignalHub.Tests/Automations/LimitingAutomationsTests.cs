using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Automations;

/// <summary>At most once for a lead in a period, whoever posts what at the same time and wherever.</summary>
public sealed class LimitingAutomationsTests : IAsyncLifetime
{
    private const string Url = "http://127.0.0.1:9/hook";

    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task It_fires_again_for_a_lead_once_the_period_is_over_and_for_others_at_once()
    {
        var automation = await _acme.NewAutomationAsync(Url, limit: new { per = "lead", period_hours = 24 });
        await _acme.IngestAsync(Sample.Signal("a@acme.com", 1));
        _app.Clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        await _acme.IngestAsync(Sample.Signal("a@acme.com", 2));
        await _acme.IngestAsync(Sample.Signal("b@acme.com", 2));
        _app.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var last = await _acme.SignalIdAsync(Sample.Signal("a@acme.com", 3));

        var runs = (await _acme.RunsAsync(automation)).Select(r => r!).ToList();

        Assert.Equal(3, runs.Count(r => (string)r["outcome"]! == "fired"));
        var limited = Assert.Single(runs, r => (string)r["outcome"]! == "limit_reached");
        Assert.False((bool)limited["fired"]!);
        Assert.Null(limited["delivery_id"]);
        Assert.Contains("at most once in 24 hours", (string?)limited["reasons"]![0], StringComparison.Ordinal);
        Assert.Equal(last, (string?)runs[0]["signal_id"]);
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from delivery_queue"));
        Assert.Equal(3L, await _app.QueryAsync<long>("select count(*) from webhook_events"));
        Assert.False((bool)(await _acme.TryAutomationAsync(automation, last))["would_fire"]!);
    }

    [Fact]
    public async Task A_condition_that_is_not_met_uses_nothing_up_and_each_automation_counts_for_itself()
    {
        var limit = new { per = "lead", period_hours = 1 };
        var automation = await _acme.NewAutomationAsync(Url, "signal.context.n > 1", limit);
        var other = await _acme.NewAutomationAsync(Url, limit: limit);

        for (var n = 1; n <= 3; n++)
        {
            await _acme.IngestAsync(Sample.Signal("a@acme.com", n, context: new { n }));
        }

        Assert.Equal(["limit_reached", "fired"], (await _acme.RunsAsync(automation)).Select(r => (string)r!["outcome"]!));
        Assert.Equal(["limit_reached", "limit_reached", "fired"], (await _acme.RunsAsync(other)).Select(r => (string)r!["outcome"]!));
    }

    [Fact]
    public async Task A_lead_that_absorbs_another_counts_for_both()
    {
        var automation = await _acme.NewAutomationAsync(Url, limit: new { per = "lead", period_hours = 24 });
        // Two people, of whom a third signal tells that they are one.
        await _acme.IngestAsync(new { signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:01:00Z", identity = new { linkedin_url = "in/jane" } });
        await _acme.Client.PatchAsync($"/automations/{automation}", new { enabled = false }).JsonAsync(HttpStatusCode.OK);
        await _acme.IngestAsync(new { signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:02:00Z", identity = new { email = "jane@acme.com" } });
        await _acme.Client.PatchAsync($"/automations/{automation}", new { enabled = true }).JsonAsync(HttpStatusCode.OK);

        await _acme.IngestAsync(new { signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:03:00Z", identity = new { email = "jane@acme.com", linkedin_url = "in/jane" } });
        await _acme.IngestAsync(new { signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:04:00Z", identity = new { email = "jane@acme.com" } });

        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from leads where merged_into is null"));
        Assert.Equal(["limit_reached", "limit_reached", "fired"], (await _acme.RunsAsync(automation)).Select(r => (string)r!["outcome"]!));
    }

    [Fact]
    public async Task Signals_posted_on_two_nodes_at_once_fire_it_once_for_each_lead()
    {
        const int People = 12;
        const int SignalsEach = 10;
        var limited = await _acme.NewAutomationAsync(Url, limit: new { per = "lead", period_hours = 24 });
        var unlimited = await _acme.NewAutomationAsync(Url);
        await using var other = await _app.SecondNodeAsync();
        using var second = other.WithKey(_acme.Key);

        await Task.WhenAll(Enumerable.Range(0, People * SignalsEach).Select(async i =>
        {
            var client = (i / People) % 2 == 0 ? _acme.Client : second;
            await client.PostAsync("/signals", Sample.Signal($"p{i % People}@acme.com", i / People)).JsonAsync(HttpStatusCode.Created);
        }));

        Assert.Equal((long)People * SignalsEach, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal((long)People, await CountAsync(limited, "fired"));
        Assert.Equal((long)People * (SignalsEach - 1), await CountAsync(limited, "limit_reached"));
        Assert.Equal((long)People, await _app.QueryAsync<long>($"select count(distinct lead_id) from automation_runs where outcome = 'fired' and automation_id = (select automation_id from automation_lead_fires limit 1)"));
        Assert.Equal((long)People * SignalsEach, await CountAsync(unlimited, "fired"));
        Assert.Equal((long)People * (SignalsEach + 1), await _app.QueryAsync<long>("select count(*) from delivery_queue"));
    }

    private async Task<long> CountAsync(string automation, string outcome)
    {
        var count = 0L;
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await _acme.GetAsync($"/automations/{automation}/runs?outcome={outcome}&limit=200{(cursor.Length > 0 ? "&cursor=" + cursor : "")}");
            count += page["data"]!.AsArray().Count;
            cursor = (string?)page["next_cursor"];
        }
        return count;
    }
}
