using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Leads;

/// <summary>The merge rows of the identity vectors, and what follows from them.</summary>
public sealed class MatchingPeopleTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;
    private int _minute;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_known_email_with_a_new_linkedin_url_attaches_the_url()
    {
        var first = await SendAsync(new { email = "jane@acme.com" });
        var second = await SendAsync(new { email = "jane@acme.com", linkedin_url = "https://linkedin.com/in/Jane" });
        var third = await SendAsync(new { linkedin_url = "in/jane" });

        Assert.Equal(Contact(first), Contact(second));
        Assert.Equal(Contact(first), Contact(third));
    }

    [Fact]
    public async Task Complementary_keys_join_two_people_into_the_older_one()
    {
        var byEmail = await SendAsync(new { email = "jane@acme.com" });
        var byLinkedIn = await SendAsync(new { linkedin_url = "in/jane" }, source: "crm");

        var both = await SendAsync(new { email = "jane@acme.com", linkedin_url = "in/jane" });

        Assert.Equal(Contact(byEmail), Contact(both));
        var lead = await _acme.GetAsync($"/leads/{both["matched_record_id"]}");
        Assert.Equal(3, (int)lead["signal_count"]!);
        Assert.Equal(1, (int)lead["attribution"]!["by_source"]!["crm"]!);
        // The loser's ids keep resolving, and its signal is shown with the survivor.
        Assert.Equal((string)lead["id"]!, (string)(await _acme.GetAsync($"/leads/{byLinkedIn["matched_record_id"]}"))["id"]!);
        Assert.Equal(Contact(byEmail), (string)(await _acme.GetAsync($"/contacts/{Contact(byLinkedIn)}"))["id"]!);
        Assert.Equal(Contact(byEmail), (string)(await _acme.GetAsync($"/signals/{byLinkedIn["signal_capture_id"]}"))["contact_id"]!);
        Assert.Equal(3, (await _acme.GetAsync($"/leads/{lead["id"]}/timeline"))["data"]!.AsArray().Count);
        Assert.Single((await _acme.GetAsync("/leads"))["data"]!.AsArray());
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from merge_log where reason = 'complementary_keys'"));
    }

    [Fact]
    public async Task Two_people_with_keys_of_one_kind_stay_apart_as_candidates()
    {
        var jane = await SendAsync(new { email = "jane@acme.com", linkedin_url = "in/jane" });
        await SendAsync(new { email = "jane@beta.io", linkedin_url = "in/jd" });

        var crossing = await SendAsync(new { email = "jane@acme.com", linkedin_url = "in/jd" });

        Assert.Equal(Contact(jane), Contact(crossing));
        Assert.Contains("identity_conflict", Warnings(crossing));
        Assert.Equal("same_kind_keys", await _app.QueryAsync<string>("select reason from merge_candidates"));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from merge_log"));
    }

    [Fact]
    public async Task A_sixth_address_is_not_attached()
    {
        var addresses = Enumerable.Range(1, 5).Select(i => $"known{i}@acme.com").ToArray();
        var jane = await SendAsync(new { email = addresses[0], emails = addresses[1..] });

        var sixth = await SendAsync(new { email = "known5@acme.com", emails = new[] { "sixth@acme.com" } });

        Assert.Equal(Contact(jane), Contact(sixth));
        Assert.Contains("cardinality_limit", Warnings(sixth));
        Assert.Equal(5, (await _acme.GetAsync($"/contacts/{Contact(jane)}"))["emails"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_pair_that_was_parted_is_not_joined_again()
    {
        var jane = await SendAsync(new { email = "jane@acme.com" });
        var other = await SendAsync(new { linkedin_url = "in/jane" });
        await _app.QueryAsync<object>($"""
            insert into do_not_merge (workspace_id, first_id, second_id, created_at)
            select a.workspace_id, a.contact_id, b.contact_id, now()
              from contact_identities a, contact_identities b where a.key = 'jane@acme.com' and b.key = 'in/jane'
            """);

        var both = await SendAsync(new { email = "jane@acme.com", linkedin_url = "in/jane" });

        Assert.Equal(Contact(jane), Contact(both));
        Assert.NotEqual(Contact(jane), Contact(other));
        Assert.Equal("do_not_merge_pair", await _app.QueryAsync<string>("select reason from merge_candidates"));
    }

    [Theory]
    [InlineData("first_name")]
    [InlineData("company_domain")]
    public async Task People_who_contradict_each_other_are_not_joined(string field)
    {
        await SendAsync(With(new JsonObject { ["email"] = "jane@gmail.com" }, field, "One.com"));
        await SendAsync(With(new JsonObject { ["linkedin_url"] = "in/jane" }, field, "Two.com"));

        var both = await SendAsync(new { email = "jane@gmail.com", linkedin_url = "in/jane" });

        Assert.Contains("identity_conflict", Warnings(both));
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from merge_log"));
    }

    [Fact]
    public async Task An_explicit_company_beats_the_free_mail_domain()
    {
        var sent = await SendAsync(new { email = "jane@gmail.com", company_domain = "acme.com" });

        Assert.Equal("acme.com", (string)(await _acme.GetAsync($"/accounts/{sent["account_id"]}"))["domain"]!);
        Assert.Equal("jane@gmail.com", (string)(await _acme.GetAsync($"/contacts/{Contact(sent)}"))["email"]!);
    }

    [Fact]
    public async Task A_company_alone_makes_no_person()
    {
        var sent = await SendAsync(new { company_domain = "acme.com" });

        Assert.Null(sent["contact_id"]);
        Assert.NotNull(sent["account_id"]);
    }

    [Fact]
    public async Task A_role_mailbox_stands_for_itself_and_is_never_attached_to_somebody()
    {
        var office = await SendAsync(new { email = "info@acme.com" });
        var jane = await SendAsync(new { email = "info@acme.com", linkedin_url = "in/jane" });
        var officeAgain = await SendAsync(new { email = "info@acme.com" });

        Assert.NotEqual(Contact(office), Contact(jane));
        Assert.Equal(Contact(office), Contact(officeAgain));
    }

    [Fact]
    public async Task Newer_names_replace_older_ones_and_older_ones_only_fill_blanks()
    {
        var sent = await SendAsync(new { email = "jane@acme.com", first_name = "Jane", title = "Engineer" }, minute: 30);
        await SendAsync(new { email = "jane@acme.com", first_name = "Old", last_name = "Doe", title = "Intern" }, minute: 10);
        await SendAsync(new { email = "jane@acme.com", title = "VP Engineering" }, minute: 40);

        var contact = await _acme.GetAsync($"/contacts/{Contact(sent)}");

        Assert.Equal(("Jane", "Doe", "VP Engineering", "vp", "engineering"),
            ((string)contact["first_name"]!, (string)contact["last_name"]!, (string)contact["title"]!, (string)contact["seniority"]!, (string)contact["function"]!));
        Assert.Equal("Engineer", await _app.QueryAsync<string>("select value from profile_history where field = 'title'"));
    }

    [Fact]
    public async Task A_contacts_account_is_the_newest_explicit_one_and_signals_keep_theirs()
    {
        var first = await SendAsync(new { email = "jane@gmail.com", company_domain = "one.com" }, minute: 10);
        var second = await SendAsync(new { email = "jane@gmail.com", company_domain = "two.com" }, minute: 20);
        var late = await SendAsync(new { email = "jane@gmail.com", company_domain = "zero.com" }, minute: 5);

        var contact = await _acme.GetAsync($"/contacts/{Contact(first)}");

        Assert.Equal((string)second["account_id"]!, (string)contact["account_id"]!);
        Assert.NotEqual((string)first["account_id"]!, (string)second["account_id"]!);
        Assert.NotEqual((string)late["account_id"]!, (string)second["account_id"]!);
        Assert.Equal((string)first["account_id"]!, (string)(await _acme.GetAsync($"/signals/{first["signal_capture_id"]}"))["account_id"]!);
    }

    private static string Contact(JsonNode captured) => (string)captured["contact_id"]!;

    private static IEnumerable<string> Warnings(JsonNode captured) => captured["warnings"]!.AsArray().Select(w => (string)w!["code"]!);

    private static JsonObject With(JsonObject identity, string field, string value)
    {
        identity[field] = value;
        return identity;
    }

    private async Task<JsonNode> SendAsync(object identity, string source = "app", int? minute = null)
    {
        // Who was known first decides who survives.
        _app.Clock.Advance(TimeSpan.FromSeconds(1));
        return await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "custom_event", source, occurred_at = $"2026-03-14T08:{minute ?? _minute++:00}:00Z", identity,
        }).JsonAsync(HttpStatusCode.Created);
    }
}
