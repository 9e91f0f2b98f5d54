using System.Text.Json;
using FsCheck.Fluent;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Leads;

public sealed class ReadingLeadsTests : IAsyncLifetime
{
    private readonly StatementRecorder _recorder = new();
    private SliceHost _host = null!;
    private SliceClient _client = null!;
    private StoredRows _rows = null!;

    public async Task InitializeAsync()
    {
        _host = await ReadingSlice.StartAsync(_recorder);
        _client = await _host.NewWorkspaceAsync();
        _rows = new StoredRows(_host, _client.Workspace);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private static string Lead(Guid id) => Ids.Text(Ids.Lead, id);

    private static string[] IdsOf(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(l => l.GetProperty("id").GetString()!)];

    private static string? Code(JsonElement problem) => problem.GetProperty("code").GetString();

    [Fact]
    public async Task A_lead_is_shown_with_its_person_and_company()
    {
        var account = await _rows.AccountAsync(1, "acme.com", "Acme", """{"employees":{"value":320,"source":"explicit","at":"2026-03-14T08:00:00Z"}}""");
        await _rows.DomainAsync(account, "acme.io", 5);
        var contact = await _rows.ContactAsync(2, "Jane@acme.com", account, firstName: "Jane");
        await _rows.EmailAsync(contact, "jane@acme.io", 6);
        var id = await _rows.LeadAsync(3, contact, account, icp: "SaaS", icpScore: 73, qualified: true, bySource: """{"app":2,"a":1}""", lastSource: "app");

        var lead = await _client.GetAsync($"/leads/{Lead(id)}");

        Assert.Equal(
            ("contact", "SaaS", 73, true, "2026-03-14T08:03:00Z"),
            (lead.GetProperty("kind").GetString(), lead.GetProperty("icp_code").GetString(), lead.GetProperty("icp_score").GetInt32(),
                lead.GetProperty("qualified").GetBoolean(), lead.GetProperty("created_at").GetString()));
        Assert.Equal("""{"first_source":null,"last_source":"app","by_source":{"a":1,"app":2}}""", lead.GetProperty("attribution").GetRawText());
        Assert.Equal(
            $$$"""{"id":"{{{Ids.Text(Ids.Account, account)}}}","name":"Acme","domain":"acme.com","domains":["acme.com","acme.io"],"attributes":{"employees":320},"facts":{"employees":{"value":320,"source":"explicit","at":"2026-03-14T08:00:00Z"}},"created_at":"2026-03-14T08:01:00Z"}""",
            lead.GetProperty("account").GetRawText());
        var person = lead.GetProperty("contact");
        Assert.Equal(("Jane", "Jane@acme.com", """["Jane@acme.com","jane@acme.io"]""", Ids.Text(Ids.Account, account)), (
            person.GetProperty("first_name").GetString(), person.GetProperty("email").GetString(), person.GetProperty("emails").GetRawText(), person.GetProperty("account_id").GetString()));
        Assert.Equal(lead.GetRawText(), (await _client.GetAsync("/leads")).GetProperty("data")[0].GetRawText());
        Assert.Equal(person.GetRawText(), (await _client.GetAsync($"/contacts/{person.GetProperty("id").GetString()}")).GetRawText());
    }

    [Fact]
    public async Task Filters_narrow_the_list()
    {
        var contact = await _rows.ContactAsync(1, "jane@acme.com");
        var hot = await _rows.LeadAsync(10, contact, icp: "SaaS", icpScore: 73, persona: "VP", qualified: true, bySource: """{"segment":1}""");
        var cold = await _rows.LeadAsync(20, icp: "Retail", icpScore: 20, qualified: false, bySource: """{"(other)":1}""", lastSource: "clearbit");
        var unscored = await _rows.LeadAsync(30);

        await ExpectAsync("", unscored, cold, hot);
        await ExpectAsync("?qualified=true", hot);
        await ExpectAsync("?qualified=false", cold);
        await ExpectAsync("?icp_code=SaaS", hot);
        await ExpectAsync("?persona_code=VP", hot);
        await ExpectAsync("?source=segment", hot);
        await ExpectAsync("?source=clearbit", cold);
        await ExpectAsync("?source=nobody");
        await ExpectAsync("?kind=contact", hot);
        await ExpectAsync("?kind=account", unscored, cold);
        await ExpectAsync("?min_icp_score=20", cold, hot);
        await ExpectAsync("?min_icp_score=21", hot);
        await ExpectAsync("?since=2026-03-14T08:20:00Z", unscored, cold);
        await ExpectAsync("?until=2026-03-14T08:20:00Z", hot);
        await ExpectAsync("?until=2026-03-14T10:20:00%2B02:00", hot);
        await ExpectAsync("?until=2026-03-14T10:20:00+02:00", hot);
        await ExpectAsync("?since=2026-03-14&until=2026-03-15", unscored, cold, hot);
        await ExpectAsync("?since=2026-03-15");

        async Task ExpectAsync(string query, params Guid[] leads) =>
            Assert.Equal((query, string.Join(' ', leads.Select(Lead))), (query, string.Join(' ', IdsOf(await _client.GetAsync("/leads" + query)))));
    }

    [Theory]
    [InlineData("qualified=yes", "qualified must be true or false.")]
    [InlineData("min_icp_score=high", "min_icp_score must be a whole number.")]
    [InlineData("min_icp_score=101", "min_icp_score must be a whole number from 0 to 100.")]
    [InlineData("kind=person", "kind must be contact or account.")]
    [InlineData("since=yesterday", "since must be a date (2026-05-26) or a timestamp with an offset (2026-05-26T14:30:00Z).")]
    [InlineData("until=2026-05-26T14:30:00", "until must be a date (2026-05-26) or a timestamp with an offset (2026-05-26T14:30:00Z).")]
    [InlineData("until=2026-02-30", "until must be a date (2026-05-26) or a timestamp with an offset (2026-05-26T14:30:00Z).")]
    [InlineData("source=", "source is empty: give it a value or leave it out.")]
    [InlineData("source=a&source=b", "source is given 2 times: give it once.")]
    [InlineData("source=a%00b", "source has the character U+0000.")]
    [InlineData("limit=0", "limit must be a whole number from 1 to 200.")]
    [InlineData("qualifed=true", "qualifed is not a parameter of this route: did you mean qualified?")]
    [InlineData("icp=SaaS", "icp is not a parameter of this route: did you mean icp_code?")]
    [InlineData("created_since=2026-01-01", "created_since is not a parameter of this route: did you mean since?")]
    [InlineData("zzzzzz=1", "zzzzzz is not a parameter of this route: this route takes cursor, icp_code, kind, limit, min_icp_score, persona_code, qualified, since, source, until")]
    public async Task A_filter_that_cannot_be_meant_is_named(string query, string detail)
    {
        var problem = await _client.GetAsync($"/leads?{query}", 400);

        Assert.Equal(("invalid_query", detail), (Code(problem), problem.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_cursor_that_was_changed_is_refused() =>
        Assert.Equal("invalid_cursor", Code(await _client.GetAsync("/leads?cursor=abc", 400)));

    [Fact]
    public async Task A_merged_lead_leads_to_the_survivor_and_is_in_no_list()
    {
        var survivor = await _rows.LeadAsync(1);
        var gone = await _rows.LeadAsync(2, mergedInto: survivor, qualification: null);

        Assert.Equal(Lead(survivor), (await _client.GetAsync($"/leads/{Lead(gone)}")).GetProperty("id").GetString());
        Assert.Equal([Lead(survivor)], IdsOf(await _client.GetAsync("/leads")));
    }

    [Fact]
    public async Task A_merged_company_is_shown_as_its_survivor()
    {
        var kept = await _rows.AccountAsync(1, "acme.com");
        var gone = await _rows.AccountAsync(2, "acme.io", mergedInto: kept);
        var contact = await _rows.ContactAsync(3, "jane@acme.io", gone);
        var lead = await _rows.LeadAsync(4, contact, gone);

        var shown = await _client.GetAsync($"/leads/{Lead(lead)}");

        Assert.Equal((Ids.Text(Ids.Account, kept), Ids.Text(Ids.Account, kept)), (
            shown.GetProperty("account").GetProperty("id").GetString(), shown.GetProperty("contact").GetProperty("account_id").GetString()));
    }

    [Fact]
    public async Task Pages_add_up_to_the_list()
    {
        var gen = from minutes in Gen.Choose(0, 6).ListOf() from limit in Gen.Choose(1, 5) select (Minutes: minutes.Take(14).ToList(), Limit: limit);
        foreach (var (minutes, limit) in gen.Sample(15, 12))
        {
            var client = await _host.NewWorkspaceAsync();
            var rows = new StoredRows(_host, client.Workspace);
            foreach (var minute in minutes)
            {
                await rows.LeadAsync(minute);
            }
            var whole = IdsOf(await client.GetAsync("/leads"));

            var pages = new List<string>();
            var next = $"/leads?limit={limit}";
            while (next is not null)
            {
                var page = await client.GetAsync(next);
                var ids = IdsOf(page);
                Assert.InRange(ids.Length, 0, limit);
                pages.AddRange(ids);
                next = page.GetProperty("next").GetString();
                Assert.Equal(next is null, page.GetProperty("next_cursor").GetString() is null);
            }

            Assert.Equal(minutes.Count, whole.Length);
            Assert.Equal(whole, pages);
            Assert.Equal(whole.OrderDescending(StringComparer.Ordinal), whole);
        }
    }

    [Fact]
    public async Task The_next_page_keeps_the_filters()
    {
        for (var i = 0; i < 3; i++)
        {
            await _rows.LeadAsync(i, qualified: true);
            await _rows.LeadAsync(i, qualified: false);
        }

        var first = await _client.GetAsync("/leads?qualified=true&limit=2");
        var second = await _client.GetAsync(first.GetProperty("next").GetString()!);

        Assert.StartsWith("http://localhost/leads?", first.GetProperty("next").GetString(), StringComparison.Ordinal);
        Assert.Single(IdsOf(second));
        Assert.True(second.GetProperty("data")[0].GetProperty("qualified").GetBoolean());
    }

    [Fact]
    public async Task A_page_costs_the_same_number_of_statements_however_long_it_is()
    {
        var one = await StatementsOfAsync(1);
        var many = await StatementsOfAsync(40);

        Assert.Equal(one, many);
        Assert.InRange(many, 1, 5);

        async Task<int> StatementsOfAsync(int leads)
        {
            var client = await _host.NewWorkspaceAsync();
            var rows = new StoredRows(_host, client.Workspace);
            for (var i = 0; i < leads; i++)
            {
                var account = await rows.AccountAsync(i, $"acme{i}.com");
                await rows.LeadAsync(i, await rows.ContactAsync(i, $"jane@acme{i}.com", account), account);
            }
            _recorder.Clear();
            Assert.Equal(leads, IdsOf(await client.GetAsync("/leads")).Length);
            return _recorder.Count;
        }
    }

    [Fact]
    public async Task A_lead_explains_its_scores()
    {
        const string Compact = """{"q":true,"i":[["ver_1","SaaS","match",73,60,100]],"p":[],"bi":{"n":0,"b":73,"m":0,"c":[["Employees","score",320,20,100,73]]}}""";
        var scored = await _rows.LeadAsync(1, qualification: Compact);
        var merged = await _rows.LeadAsync(2, mergedInto: scored);
        var unscored = await _rows.LeadAsync(3);

        var explained = await _client.GetAsync($"/leads/{Lead(scored)}/qualification");

        Assert.Equal(("SaaS", 73, "Employees"), (explained.GetProperty("icp_code").GetString(), explained.GetProperty("icp_score").GetInt32(),
            explained.GetProperty("icp").GetProperty("criteria")[0].GetProperty("label").GetString()));
        Assert.Equal(explained.GetRawText(), (await _client.GetAsync($"/leads/{Lead(merged)}/qualification")).GetRawText());
        Assert.Equal("not_found", Code(await _client.GetAsync($"/leads/{Lead(unscored)}/qualification", 404)));
    }

    [Fact]
    public async Task Another_workspace_sees_nothing()
    {
        var account = await _rows.AccountAsync(1, "acme.com");
        var contact = await _rows.ContactAsync(1, "jane@acme.com", account);
        var lead = await _rows.LeadAsync(1, contact, account, qualification: """{"q":true,"i":[],"p":[]}""");
        var other = await _host.NewWorkspaceAsync();

        foreach (var path in new[]
        {
            $"/leads/{Lead(lead)}", $"/leads/{Lead(lead)}/qualification", $"/leads/{Lead(lead)}/timeline", $"/contacts/{Ids.Text(Ids.Contact, contact)}",
            $"/accounts/{Ids.Text(Ids.Account, account)}", "/accounts/acme.com",
        })
        {
            Assert.Equal((path, "not_found"), (path, Code(await other.GetAsync(path, 404))));
        }
        foreach (var path in new[] { "/leads", "/contacts", "/accounts", "/contacts?email=jane@acme.com", "/accounts?domain=acme.com", $"/contacts?account_id={Ids.Text(Ids.Account, account)}" })
        {
            Assert.Equal((path, 0), (path, IdsOf(await other.GetAsync(path)).Length));
        }
    }

    [Theory]
    [InlineData("/leads/nonsense")]
    [InlineData("/leads/lead_zzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("/leads/lead_01j4k8m2n3p5q6r7s8t9v0w1x2/timeline")]
    [InlineData("/contacts/lead_01j4k8m2n3p5q6r7s8t9v0w1x2")]
    [InlineData("/accounts/acc_01j4k8m2n3p5q6r7s8t9v0w1x2")]
    [InlineData("/accounts/gmail.com")]
    [InlineData("/accounts/' or 1=1 --")]
    public async Task What_is_not_there_is_a_404(string path) => Assert.Equal("not_found", Code(await _client.GetAsync(path, 404)));

    [Fact]
    public void People_and_companies_need_a_live_key() => Assert.All(
        _host.Endpoints.Where(e => !e.RoutePattern.RawText!.StartsWith("/signals", StringComparison.Ordinal)), endpoint =>
        {
            var access = endpoint.Metadata.GetRequiredMetadata<RequiredAccess>();
            var isRead = endpoint.Metadata.GetRequiredMetadata<Microsoft.AspNetCore.Routing.IHttpMethodMetadata>().HttpMethods.Contains("GET");
            Assert.Equal(new RequiredAccess(isRead ? Scopes.Read : Scopes.Manage, Operator: false, LiveOnly: true), access);
        });
}
