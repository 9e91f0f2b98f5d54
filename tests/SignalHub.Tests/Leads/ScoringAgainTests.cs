using System.Net;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Operations;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Leads;

public sealed class ScoringAgainTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
        await _acme.Client.PutAsync("/icps/Mid-market%20SaaS", new
        {
            code = "Mid-market SaaS", kind = "icp",
            criteria = new object[] { new { id = "size", label = "Employees", mode = "score", weight = 10, when = "company.employees >= 50" } },
        }).JsonAsync(HttpStatusCode.OK);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task New_facts_score_the_leads_again_and_leave_the_signal_and_its_webhooks_alone()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await _acme.NewEndpointAsync(new { url = receiver.Url, events = new[] { "lead.updated", "signal.qualified" } });
        var sent = await _acme.IngestAsync(Sample.Signal("jane@acme.com"));
        Assert.Equal(0, (int)sent["qualification"]!["icp_score"]!);

        await _acme.Client.PutAsync("/accounts/acme.com", new { attributes = new { employees = 320 } }).JsonAsync(HttpStatusCode.OK);

        var lead = await _acme.GetAsync($"/leads/{sent["matched_record_id"]}");
        Assert.Equal((100, true), ((int)lead["icp_score"]!, (bool)lead["account"]!["attributes"]!["employees"]!.GetValue<int>().Equals(320)));
        Assert.Equal(0, (int)(await _acme.GetAsync($"/signals/{sent["signal_capture_id"]}"))["qualification"]!["icp_score"]!);
        await _app.DeliverDueAsync();
        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task More_leads_than_a_request_scores_are_finished_by_the_upkeep_even_after_a_restart()
    {
        await Task.WhenAll(Enumerable.Range(0, 250).Select(i => _acme.Client.PostAsync("/signals", Sample.Signal($"p{i}@acme.com")).JsonAsync(HttpStatusCode.Created)));

        await _acme.Client.PutAsync("/accounts/acme.com", new { attributes = new { employees = 320 } }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal(100L, await _app.QueryAsync<long>("select count(*) from leads where icp_score = 100"));
        await _app.RestartAsync();
        while (await _app.Services.GetRequiredService<LeadRescoring>().RunOnceAsync(default))
        {
        }
        Assert.Equal(250L, await _app.QueryAsync<long>("select count(*) from leads where icp_score = 100"));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from rescore_queue"));
    }

    [Fact]
    public async Task A_signal_that_comes_later_is_scored_with_the_facts()
    {
        await _acme.Client.PutAsync("/accounts/acme.com", new { name = "Acme", attributes = new { employees = "320" } }).JsonAsync(HttpStatusCode.Created);

        var sent = await _acme.IngestAsync(Sample.Signal("jane@acme.com"));

        Assert.Equal(100, (int)sent["qualification"]!["icp_score"]!);
    }
}
