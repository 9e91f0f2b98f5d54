using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Leads.Identity;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals.V1;

public sealed class NamingCompaniesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private async Task<JsonNode> SendAsync(string? domain, string? name, string? email = null) =>
        await _acme.Client.PostAsync("/v1/signals", new { type = "t", source = "s", account = new { domain, name }, contact = new { email } })
            .JsonAsync(HttpStatusCode.Created);

    private async Task<string> AccountAsync(string? domain, string? name, string? email = null) => (string)(await SendAsync(domain, name, email))["account_id"]!;

    private async Task<(string? Name, string? Domain)> ShownAsync(string account)
    {
        var shown = await _acme.GetAsync($"/accounts/{account}");
        return ((string?)shown["name"], (string?)shown["domain"]);
    }

    [Fact]
    public async Task A_company_without_a_domain_is_made_with_its_name_and_found_by_any_spelling_of_it()
    {
        var made = await AccountAsync(null, "Acme  Widgets");

        Assert.Equal(("Acme  Widgets", null), await ShownAsync(made));
        Assert.Equal(made, await AccountAsync(null, " ACME Widgets "));
        Assert.Equal(made, await AccountAsync(null, "Ａｃｍｅ Widgets"));
        Assert.NotEqual(made, await AccountAsync(null, "Acme Widgets Inc"));
        var lead = (await _acme.GetAsync("/leads?kind=account"))["data"]!.AsArray().Select(l => (string)l!["account"]!["id"]!);
        Assert.Contains(made, lead);
    }

    [Fact]
    public async Task A_company_known_by_domain_is_found_by_its_name()
    {
        var made = await AccountAsync("acme.com", "Acme");

        Assert.Equal(made, await AccountAsync(null, "acme"));
        Assert.Equal(made, await AccountAsync("shop.acme.com", "Some other name"));
        // Named anew, found by either.
        Assert.Equal(made, await AccountAsync(null, "some other NAME"));
        Assert.Equal(made, await AccountAsync(null, "Acme"));
    }

    [Fact]
    public async Task A_name_given_by_hand_finds_the_company_too()
    {
        var put = await _acme.Client.PutAsync("/accounts/initech.com", new { name = "Initech" }).JsonAsync(HttpStatusCode.Created);

        Assert.Equal((string)put["id"]!, await AccountAsync(null, "INITECH"));
    }

    [Fact]
    public async Task A_name_given_by_a_signal_of_the_other_route_finds_the_company_and_a_taken_one_changes_nothing()
    {
        async Task<string> CaptureAsync(string domain, string name) => (string)(await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "s", occurred_at = "2026-03-14T08:00:00Z", identity = new { company_domain = domain, company_name = name },
        }))["account_id"]!;
        var hooli = await CaptureAsync("hooli.com", "Hooli");
        await CaptureAsync("hooli.xyz", "HOOLI");
        await CaptureAsync("hooli.net", "Nucleus");

        Assert.Equal(hooli, await AccountAsync(null, "hooli"));
        Assert.Equal("hooli.net", (await ShownAsync(await AccountAsync(null, "nucleus"))).Domain);
    }

    [Fact]
    public async Task A_company_known_by_name_only_gets_the_domain_that_comes_with_the_name()
    {
        var made = await AccountAsync(null, "Acme");

        Assert.Equal(made, await AccountAsync("acme.com", "Acme"));

        Assert.Equal(("Acme", "acme.com"), await ShownAsync(made));
        Assert.Equal(made, await AccountAsync("acme.com", null));
    }

    [Fact]
    public async Task A_domain_of_a_contact_does_for_the_company_of_that_name()
    {
        var made = await AccountAsync(null, "Acme");

        Assert.Equal(made, await AccountAsync(null, "Acme", "jane@acme.com"));

        Assert.Equal(("Acme", "acme.com"), await ShownAsync(made));
    }

    [Fact]
    public async Task Two_companies_may_have_one_name_and_the_pair_is_kept_as_a_suggestion()
    {
        var first = await AccountAsync("acme.com", "Acme");
        var second = await AccountAsync("acme.de", "Acme");

        Assert.NotEqual(first, second);
        Assert.Equal(("Acme", "acme.de"), await ShownAsync(second));
        Assert.Equal(first, await AccountAsync(null, "Acme"));
        Assert.Equal("same_name", await _app.QueryAsync<string>("select reason from merge_candidates"));
    }

    [Fact]
    public async Task The_domain_sent_beats_that_of_the_contacts_address_and_the_difference_is_told()
    {
        var signal = await SendAsync("acme.com", "Acme", "jane@beta.com");

        Assert.Equal(("Acme", "acme.com"), await ShownAsync((string)signal["account_id"]!));
        Assert.Equal((string)signal["account_id"]!, (string)(await _acme.GetAsync($"/contacts/{signal["contact_id"]}"))["account_id"]!);
        var warning = Assert.Single(signal["warnings"]!.AsArray())!;
        Assert.Equal(("domain_mismatch", "/account/domain"), ((string)warning["code"]!, (string)warning["pointer"]!));
    }

    [Fact]
    public async Task Another_companys_name_beside_a_contacts_address_does_not_rename_the_company_of_the_address()
    {
        var acme = await AccountAsync("acme.com", "Acme");
        var beta = await AccountAsync("beta.com", "Beta");

        Assert.Equal(beta, await AccountAsync(null, "Acme", "jane@beta.com"));

        Assert.Equal(("Beta", "beta.com"), await ShownAsync(beta));
        Assert.Equal(("Acme", "acme.com"), await ShownAsync(acme));
    }

    [Fact]
    public async Task Names_do_not_find_companies_for_the_other_route_or_another_workspace()
    {
        var acme = await AccountAsync("acme.com", "Acme");
        using var other = await _app.NewWorkspaceAsync("Other");

        var theirs = await other.Client.PostAsync("/v1/signals", new { type = "t", source = "s", account = new { name = "Acme" } }).JsonAsync(HttpStatusCode.Created);
        await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "custom_event", source = "s", occurred_at = "2026-03-14T08:00:00Z", identity = new { company_name = "Acme" },
        }).ProblemAsync(422, "identity_required");

        Assert.NotEqual(acme, (string)theirs["account_id"]!);
        await other.Client.GetAsync(new Uri($"/accounts/{acme}", UriKind.Relative)).ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task A_company_is_found_by_no_more_names_than_it_can_have_had()
    {
        for (var i = 0; i < 8; i++)
        {
            await AccountAsync("acme.com", $"Acme {i}");
        }

        Assert.Equal(5L, await _app.QueryAsync<long>("select count(*) from account_identities where kind = 'name'"));
    }

    [Fact]
    public async Task Fifty_first_signals_of_one_name_over_two_nodes_make_one_company()
    {
        await using var second = await _app.SecondNodeAsync();
        using var other = second.WithKey(_acme.Key);

        var sent = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? _acme.Client : other)
            .PostAsync("/v1/signals", new { type = "t", source = "s", account = new { name = i % 3 == 0 ? "ACME" : "Acme" } }).JsonAsync(HttpStatusCode.Created)));

        Assert.Single(sent.Select(s => (string)s["account_id"]!).Distinct());
    }

    [Theory]
    [InlineData("  Acme\t Corp\u00A0", "acme corp")]
    [InlineData("Ａｃｍｅ", "acme")]
    [InlineData("Ac\u200Bme", "acme")]
    [InlineData("Ístanbul Ｌｔｄ", "ístanbul ltd")]
    [InlineData("ﬁne", "fine")]
    [InlineData("\u00AD", null)]
    [InlineData("  ", null)]
    public void Names_are_compared_in_one_form(string name, string? key) => Assert.Equal(key, CompanyNameKey.Of(name));

    [Fact]
    public void The_form_of_a_form_is_itself_and_none_is_longer_than_an_index_takes()
    {
        foreach (var name in new[] { "İstanbul", "ΑΣ Σ", "Å", "\uFDFA", new string('\uFDFA', 27), "ǅ", "Ⅻ Ⅷ", "ſ\u0323", "\uD800x" })
        {
            var key = CompanyNameKey.Of(name)!;
            Assert.Equal(key, CompanyNameKey.Of(key));
        }
        Assert.Null(CompanyNameKey.Of(new string('\uFDFA', 28)));
    }
}
