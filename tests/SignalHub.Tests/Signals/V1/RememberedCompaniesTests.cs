using System.Net;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals.V1;

/// <summary>Writers remember the companies they met last; names must not lead them astray.</summary>
public sealed class RememberedCompaniesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private static async Task<string> AccountAsync(HttpClient client, object account) =>
        (string)(await client.PostAsync("/v1/signals", new { type = "t", source = "s", account }).JsonAsync(HttpStatusCode.Created))["account_id"]!;

    [Fact]
    public async Task A_company_that_another_node_gave_a_domain_or_a_name_stays_one_company()
    {
        await using var second = await _app.SecondNodeAsync();
        using var other = second.WithKey(_acme.Key);

        var here = await AccountAsync(_acme.Client, new { name = "Acme" });
        Assert.Equal(here, await AccountAsync(other, new { name = "Acme", domain = "acme.com" }));
        Assert.Equal(here, await AccountAsync(_acme.Client, new { name = "Acme" }));
        Assert.Equal(here, await AccountAsync(_acme.Client, new { name = "Acme Holding", domain = "acme.com" }));
        Assert.Equal(here, await AccountAsync(other, new { name = "acme holding" }));
        var put = await other.PutAsync("/accounts/acme.com", new { name = "Acme Group" }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(here, await AccountAsync(_acme.Client, new { name = "ACME group" }));

        Assert.Equal(here, (string)put["id"]!);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from accounts"));
    }

    [Fact]
    public async Task A_retry_by_key_is_found_also_when_no_duplicates_are_expected()
    {
        object Signal(string key) => new { type = "t", source = "s", contact = new { email = "jane@acme.com" }, idempotency_key = key };
        for (var i = 0; i < 110; i++)
        {
            await _acme.Client.PostAsync("/v1/signals", Signal($"k{i}")).JsonAsync(HttpStatusCode.Created);
        }

        var again = await _acme.Client.PostAsync("/v1/signals", Signal("k3")).JsonAsync(HttpStatusCode.OK);

        Assert.Equal(110L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal("received", (string)again["status"]!);
    }
}
