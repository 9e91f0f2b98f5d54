using System.Text.Json;
using FsCheck.Fluent;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;
using static SignalHub.Tests.Support.StoredRows;

namespace SignalHub.Tests.Signals;

public sealed class ReadingSignalsTests : IAsyncLifetime
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

    private static string Signal(Guid id) => Ids.Text(Ids.Signal, id);

    private static string[] IdsOf(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(l => l.GetProperty("id").GetString()!)];

    private static string? Code(JsonElement problem) => problem.GetProperty("code").GetString();

    private async Task ExpectAsync(string path, params Guid[] signals) =>
        Assert.Equal((path, string.Join(' ', signals.Select(Signal))), (path, string.Join(' ', IdsOf(await _client.GetAsync(path)))));

    [Fact]
    public async Task A_signal_is_shown_as_it_was_captured()
    {
        var occurred = new DateTimeOffset(2026, 3, 14, 8, 30, 0, TimeSpan.Zero).AddMicroseconds(123_456);
        var id = await _rows.SignalAsync(occurred, Minute(45), type: "product_usage", eventName: "upgraded", bucket: "big", qualified: true,
            context: """{"team_size":12}""", warnings: """[{"code":"unknown_field","pointer":"/x","detail":"Dropped."}]""");

        var signal = await _client.GetAsync($"/signals/{Signal(id)}");

        Assert.Equal(
            $$$"""{"id":"{{{Signal(id)}}}","signal_type":"product_usage","source":"app","event_name":"upgraded","bucket":"big","mode":"live","backfill":false,"occurred_at":"2026-03-14T08:30:00.123456Z","received_at":"2026-03-14T08:45:00Z","identity":{"email":"jane@acme.com"},"context":{"team_size":12},"lead_id":null,"account_id":null,"contact_id":null,"qualified":true,"qualification":{"icp_code":null,"icp_score":73,"persona_code":null,"persona_score":null},"warnings":[{"code":"unknown_field","pointer":"/x","detail":"Dropped."}]}""",
            signal.GetRawText());
        Assert.Equal(signal.GetRawText(), (await _client.GetAsync("/signals")).GetProperty("data")[0].GetRawText());
    }

    [Fact]
    public async Task Filters_narrow_the_list()
    {
        var one = await _rows.SignalAsync(Minute(0), Minute(10), type: "company_change", source: "segment", bucket: "big", qualified: true);
        var two = await _rows.SignalAsync(Minute(5), Minute(9), eventName: "signup", qualified: false);

        await ExpectAsync("/signals", one, two);
        await ExpectAsync("/signals?type=company_change", one);
        await ExpectAsync("/signals?type=companyChange", one);
        await ExpectAsync("/signals?signal_type=Custom%20event", two);
        await ExpectAsync("/signals?type=never_declared");
        await ExpectAsync("/signals?source=segment", one);
        await ExpectAsync("/signals?bucket=big", one);
        await ExpectAsync("/signals?event_name=signup", two);
        await ExpectAsync("/signals?qualified=true", one);
        await ExpectAsync("/signals?qualified=false", two);
        await ExpectAsync("/signals?since=2026-03-14T08:10:00Z", one);
        await ExpectAsync("/signals?until=2026-03-14T08:10:00Z", two);
        await ExpectAsync("/signals?occurred_since=2026-03-14T08:05:00Z", two);
        await ExpectAsync("/signals?occurred_until=2026-03-14T08:05:00Z", one);
        await ExpectAsync("/signals?occurred_since=2026-03-14&occurred_until=2026-03-15", one, two);
        await ExpectAsync("/signals?source=' or '1'='1");
    }

    [Theory]
    [InlineData("typ=x", "typ is not a parameter of this route: did you mean type?")]
    [InlineData("received_since=2026-01-01", "received_since is not a parameter of this route: did you mean since?")]
    [InlineData("type=...", "type must be a signal type, e.g. custom_event.")]
    [InlineData("lead_id=con_01j4k8m2n3p5q6r7s8t9v0w1x2", "lead_id must be an id that begins with lead_.")]
    [InlineData("account_id=acme.com", "account_id must be an id that begins with acc_.")]
    [InlineData("contact_id=1", "contact_id must be an id that begins with con_.")]
    [InlineData("mode=both", "mode must be live or test.")]
    [InlineData("occurred_since=0", "occurred_since must be a date (2026-05-26) or a timestamp with an offset (2026-05-26T14:30:00Z).")]
    public async Task A_filter_that_cannot_be_meant_is_named(string query, string detail)
    {
        var problem = await _client.GetAsync($"/signals?{query}", 400);

        Assert.Equal(("invalid_query", detail), (Code(problem), problem.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Signals_of_those_who_were_merged_are_the_survivors()
    {
        var account = await _rows.AccountAsync(1, "acme.com");
        var goneAccount = await _rows.AccountAsync(2, mergedInto: account);
        var contact = await _rows.ContactAsync(3, "jane@acme.com", account);
        var goneContact = await _rows.ContactAsync(4, mergedInto: contact);
        var lead = await _rows.LeadAsync(5, contact, account);
        var goneLead = await _rows.LeadAsync(6, goneContact, goneAccount, mergedInto: lead);
        var first = await _rows.SignalAsync(Minute(10), Minute(30), goneLead, goneContact, goneAccount);
        var second = await _rows.SignalAsync(Minute(20), Minute(25), lead, contact, account);
        await _rows.SignalAsync(Minute(15), Minute(15));

        foreach (var (name, ids) in new[]
        {
            ("lead_id", new[] { Ids.Text(Ids.Lead, lead), Ids.Text(Ids.Lead, goneLead) }),
            ("contact_id", [Ids.Text(Ids.Contact, contact), Ids.Text(Ids.Contact, goneContact)]),
            ("account_id", [Ids.Text(Ids.Account, account), Ids.Text(Ids.Account, goneAccount)]),
        })
        {
            foreach (var id in ids)
            {
                await ExpectAsync($"/signals?{name}={id}", first, second);
            }
        }
        await ExpectAsync($"/leads/{Ids.Text(Ids.Lead, goneLead)}/timeline", second, first);
        var shown = await _client.GetAsync($"/signals/{Signal(first)}");
        Assert.Equal((Ids.Text(Ids.Lead, lead), Ids.Text(Ids.Contact, contact), Ids.Text(Ids.Account, account)), (
            shown.GetProperty("lead_id").GetString(), shown.GetProperty("contact_id").GetString(), shown.GetProperty("account_id").GetString()));
    }

    [Fact]
    public async Task A_contact_without_a_lead_has_its_signals_all_the_same()
    {
        var contact = await _rows.ContactAsync(1, "jane@acme.com");
        var signal = await _rows.SignalAsync(contact: contact);

        await ExpectAsync($"/signals?contact_id={Ids.Text(Ids.Contact, contact)}", signal);
    }

    [Fact]
    public async Task A_test_key_sees_test_signals_only()
    {
        var live = await _rows.SignalAsync(Minute(1), qualification: """{"q":true,"i":[],"p":[]}""");
        var test = await _rows.SignalAsync(Minute(2), mode: "test", qualification: """{"q":true,"i":[],"p":[]}""");
        var tester = _host.WithTestKey(_client);

        await ExpectAsync("/signals", live);
        await ExpectAsync("/signals?mode=live", live);
        await ExpectAsync("/signals?mode=test", test);
        Assert.Equal([Signal(test)], IdsOf(await tester.GetAsync("/signals")));
        Assert.Equal([Signal(test)], IdsOf(await tester.GetAsync("/signals?mode=test")));
        Assert.Equal("live_key_required", Code(await tester.GetAsync("/signals?mode=live", 403)));
        Assert.Equal("live_key_required", Code(await tester.GetAsync($"/signals/{Signal(live)}", 403)));
        Assert.Equal("live_key_required", Code(await tester.GetAsync($"/signals/{Signal(live)}/qualification", 403)));
        Assert.Equal("test", (await tester.GetAsync($"/signals/{Signal(test)}")).GetProperty("mode").GetString());
        await tester.GetAsync($"/signals/{Signal(test)}/qualification");
        await _client.GetAsync($"/signals/{Signal(test)}");
    }

    [Fact]
    public async Task A_timeline_has_the_leads_live_signals_by_occurrence()
    {
        var lead = await _rows.LeadAsync(1);
        var late = await _rows.SignalAsync(Minute(20), Minute(21), lead);
        var backfilled = await _rows.SignalAsync(Minute(10), Minute(59), lead);
        await _rows.SignalAsync(Minute(30), lead: lead, mode: "test");
        await _rows.SignalAsync(Minute(40), lead: await _rows.LeadAsync(2));

        await ExpectAsync($"/leads/{Ids.Text(Ids.Lead, lead)}/timeline", late, backfilled);
        Assert.Equal("not_found", Code(await _client.GetAsync("/leads/lead_01j4k8m2n3p5q6r7s8t9v0w1x2/timeline", 404)));
        Assert.Equal("invalid_query", Code(await _client.GetAsync($"/leads/{Ids.Text(Ids.Lead, lead)}/timeline?mode=test", 400)));
    }

    [Fact]
    public async Task Pages_add_up_to_the_list_and_to_the_timeline()
    {
        var gen = from minutes in Gen.Choose(0, 4).ListOf() from limit in Gen.Choose(1, 5) select (Minutes: minutes.Take(12).ToList(), Limit: limit);
        foreach (var (minutes, limit) in gen.Sample(15, 8))
        {
            var client = await _host.NewWorkspaceAsync();
            var rows = new StoredRows(_host, client.Workspace);
            var lead = await rows.LeadAsync(0);
            Guid[] leads = [lead, await rows.LeadAsync(1, mergedInto: lead), await rows.LeadAsync(2, mergedInto: lead)];
            for (var i = 0; i < minutes.Count; i++)
            {
                // Two keys in opposite order: the list goes by one, the timeline by the other.
                await rows.SignalAsync(Minute(-minutes[i]), Minute(minutes[i]), leads[i % leads.Length]);
            }
            foreach (var path in new[] { "/signals", $"/leads/{Ids.Text(Ids.Lead, lead)}/timeline" })
            {
                var whole = IdsOf(await client.GetAsync(path));
                var pages = new List<string>();
                for (var next = $"{path}?limit={limit}"; next is not null;)
                {
                    var page = await client.GetAsync(next);
                    pages.AddRange(IdsOf(page));
                    next = page.GetProperty("next").GetString();
                }
                Assert.Equal(minutes.Count, whole.Length);
                Assert.Equal(whole, pages);
            }
        }
    }

    [Fact]
    public async Task A_page_costs_the_same_number_of_statements_however_long_it_is()
    {
        var lead = await _rows.LeadAsync(1);
        await _rows.SignalAsync(Minute(1), lead: lead);
        var one = (await CountAsync("/signals"), await CountAsync($"/leads/{Ids.Text(Ids.Lead, lead)}/timeline"));
        for (var i = 0; i < 30; i++)
        {
            await _rows.SignalAsync(Minute(i), lead: await _rows.LeadAsync(i, mergedInto: lead));
        }

        Assert.Equal(one, (await CountAsync("/signals"), await CountAsync($"/leads/{Ids.Text(Ids.Lead, lead)}/timeline")));
        Assert.Equal((1, 3), one);

        async Task<int> CountAsync(string path)
        {
            _recorder.Clear();
            await _client.GetAsync(path);
            return _recorder.Count;
        }
    }

    [Fact]
    public async Task A_signal_explains_its_scores()
    {
        var scored = await _rows.SignalAsync(qualification: """{"q":true,"i":[["ver_1","SaaS","match",73,60,100]],"p":[],"bi":{"n":0,"b":73,"m":0,"c":[]}}""");
        var unscored = await _rows.SignalAsync(Minute(1));

        var explained = await _client.GetAsync($"/signals/{Signal(scored)}/qualification");

        Assert.Equal(("SaaS", 73, true), (explained.GetProperty("icp_code").GetString(), explained.GetProperty("icp_score").GetInt32(), explained.GetProperty("qualified").GetBoolean()));
        Assert.Equal("not_found", Code(await _client.GetAsync($"/signals/{Signal(unscored)}/qualification", 404)));
    }

    [Fact]
    public async Task Another_workspace_sees_nothing()
    {
        var lead = await _rows.LeadAsync(1);
        var contact = await _rows.ContactAsync(1, "jane@acme.com");
        var account = await _rows.AccountAsync(1, "acme.com");
        var signal = await _rows.SignalAsync(lead: lead, contact: contact, account: account, qualification: """{"q":true,"i":[],"p":[]}""");
        var other = await _host.NewWorkspaceAsync();

        Assert.Equal("not_found", Code(await other.GetAsync($"/signals/{Signal(signal)}", 404)));
        Assert.Equal("not_found", Code(await other.GetAsync($"/signals/{Signal(signal)}/qualification", 404)));
        foreach (var path in new[]
        {
            "/signals", $"/signals?lead_id={Ids.Text(Ids.Lead, lead)}", $"/signals?contact_id={Ids.Text(Ids.Contact, contact)}", $"/signals?account_id={Ids.Text(Ids.Account, account)}",
        })
        {
            Assert.Equal((path, 0), (path, IdsOf(await other.GetAsync(path)).Length));
        }
    }

    [Theory]
    [InlineData("/signals/nonsense")]
    [InlineData("/signals/lead_01j4k8m2n3p5q6r7s8t9v0w1x2")]
    [InlineData("/signals/sig_01j4k8m2n3p5q6r7s8t9v0w1x2")]
    [InlineData("/signals/sig_7zzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("/signals/sig_00000000000000000000000000")]
    [InlineData("/signals/sig_7zzzzzzzzzzzzzzzzzzzzzzzzz/qualification")]
    public async Task What_is_not_there_is_a_404(string path) => Assert.Equal("not_found", Code(await _client.GetAsync(path, 404)));

    [Fact]
    public async Task A_sample_has_every_member_of_a_signal_and_whom_it_is_about()
    {
        await _rows.SignalAsync();
        var signal = (await _client.GetAsync("/signals")).GetProperty("data")[0];

        var sample = await _client.GetAsync("/signals/sample?type=companyChange");

        Assert.Equal("company_change", sample.GetProperty("signal_type").GetString());
        Assert.Equal(
            signal.EnumerateObject().Select(p => p.Name).Concat(["lead", "account", "contact"]).Order(StringComparer.Ordinal),
            sample.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal("custom_event", (await _client.GetAsync("/signals/sample")).GetProperty("signal_type").GetString());
        var unknown = await _client.GetAsync("/signals/sample?type=companychanges", 404);
        Assert.Contains("company_change", unknown.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_signals_needs_read_and_takes_test_keys() => Assert.All(
        _host.Endpoints.Where(e => e.RoutePattern.RawText!.StartsWith("/signals", StringComparison.Ordinal)),
        endpoint => Assert.Equal(new RequiredAccess(Scopes.Read, Operator: false, LiveOnly: false), endpoint.Metadata.GetRequiredMetadata<RequiredAccess>()));
}
