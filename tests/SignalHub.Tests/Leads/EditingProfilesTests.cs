using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Leads;

public sealed class EditingProfilesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private Task<JsonNode> PutAsync(string path, object body, HttpStatusCode status = HttpStatusCode.OK) => _acme.Client.PutAsync(path, body).JsonAsync(status);

    private static string Text(JsonNode node, string member) => (string)node[member]!;

    [Fact]
    public async Task A_person_is_made_and_changed_by_any_spelling_of_an_address()
    {
        var made = await PutAsync("/contacts/Jane.Doe@Acme.com", new { first_name = "Jane", last_name = "Doe", title = "VP Engineering" }, HttpStatusCode.Created);
        var changed = await PutAsync("/contacts/jane.doe@ACME.com", new { last_name = "Smith", title = " " });

        Assert.Equal(Text(made, "id"), Text(changed, "id"));
        Assert.Equal(("Jane", "Smith", "VP Engineering", "vp"),
            (Text(changed, "first_name"), Text(changed, "last_name"), Text(changed, "title"), Text(changed, "seniority")));
        Assert.Equal("acme.com", Text(await _acme.GetAsync($"/accounts/{changed["account_id"]}"), "domain"));
        Assert.Equal(Text(made, "id"), Text(await _acme.GetAsync("/contacts/JANE.DOE@acme.com"), "id"));
        Assert.Equal("Doe", await _app.QueryAsync<string>("select value from profile_history where field = 'last_name'"));
        // A signal finds the same person.
        Assert.Equal(Text(made, "id"), Text(await _acme.IngestAsync(Sample.Signal("jane.doe@acme.com")), "contact_id"));
    }

    [Fact]
    public async Task A_person_who_is_known_is_changed_by_id_too()
    {
        var made = await PutAsync("/contacts/jane@acme.com", new { first_name = "Jane" }, HttpStatusCode.Created);
        var linked = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "s", occurred_at = "2026-03-14T08:00:00Z", identity = new { linkedin_url = "linkedin.com/in/joe" },
        });

        Assert.Equal("Doe", Text(await PutAsync($"/contacts/{made["id"]}", new { last_name = "Doe" }), "last_name"));

        await _acme.Client.PutAsync($"/contacts/{linked["contact_id"]}", new { last_name = "Doe" }).ProblemAsync(422, "invalid_value");
        await _acme.Client.PutAsync("/contacts/con_01j4k8m2n3p5q6r7s8t9v0w1x2", new { last_name = "Doe" }).ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task A_new_title_scores_the_persons_lead_again()
    {
        var captured = await _acme.IngestAsync(Sample.Signal("jane@company.com", context: new { team_size = 12 }));
        var lead = $"/leads/{captured["matched_record_id"]}";
        Assert.NotEqual(true, (bool?)(await _acme.GetAsync(lead))["qualified"]);

        await PutAsync("/contacts/jane@company.com", new { title = "VP Engineering" });

        Assert.True((bool)(await _acme.GetAsync(lead))["qualified"]!);
    }

    [Fact]
    public async Task What_is_said_by_hand_counts_also_after_a_signal_whose_clock_is_ahead()
    {
        await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "s", occurred_at = _app.Clock.GetUtcNow().AddMinutes(50).ToString("O"),
            identity = new { email = "jane@acme.com", first_name = "Jan", company_domain = "acme.com" },
        });

        var changed = await PutAsync("/contacts/jane@acme.com", new { first_name = "Jane", company_domain = "beta.com", company_name = "Beta" });

        Assert.Equal("Jane", Text(changed, "first_name"));
        Assert.Equal("Beta", Text(await _acme.GetAsync($"/accounts/{changed["account_id"]}"), "name"));
    }

    [Fact]
    public async Task A_linkedin_profile_joins_two_people_only_where_a_signal_would()
    {
        async Task<JsonNode> SignalAsync(object identity) => await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "s", occurred_at = "2026-03-14T08:00:00Z", identity,
        });
        var known = await SignalAsync(new { linkedin_url = "https://www.linkedin.com/in/jane" });
        var joined = await PutAsync("/contacts/jane@acme.com", new { linkedin_url = "linkedin.com/in/jane" });
        Assert.Equal(Text(known, "contact_id"), Text(joined, "id"));

        await SignalAsync(new { email = "joe@acme.com", first_name = "Joe" });
        await SignalAsync(new { linkedin_url = "https://www.linkedin.com/in/ann", first_name = "Ann" });
        await _acme.Client.PutAsync("/contacts/joe@acme.com", new { first_name = "Joseph", linkedin_url = "https://www.linkedin.com/in/ann" }).ProblemAsync(409, "conflict");
        Assert.Equal("Joe", Text(await _acme.GetAsync("/contacts/joe@acme.com"), "first_name"));

        await PutAsync("/contacts/joe@acme.com", new { linkedin_url = "https://www.linkedin.com/in/joe1" });
        await PutAsync("/contacts/joe@acme.com", new { linkedin_url = "https://www.linkedin.com/in/joe2" });
        await _acme.Client.PutAsync("/contacts/joe@acme.com", new { linkedin_url = "https://www.linkedin.com/in/joe3" }).ProblemAsync(422, "out_of_range");
    }

    [Theory]
    [InlineData("nonsense", "{}", 422, "invalid_value", null)]
    [InlineData("jane@acme.com", """{"first_nam":"J"}""", 400, "unknown_field", "/first_nam")]
    [InlineData("jane@acme.com", """{"company_domain":"gmail.com"}""", 422, "invalid_value", "/company_domain")]
    [InlineData("jane@acme.com", """{"linkedin_url":"https://example.com/jane"}""", 422, "invalid_value", "/linkedin_url")]
    [InlineData("jane@acme.com", """{"last_name":"n/a"}""", 422, "invalid_value", "/last_name")]
    public async Task What_cannot_be_meant_is_refused_and_makes_nobody(string email, string body, int status, string code, string? pointer)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var problem = await _acme.Client.PutAsync(new Uri($"/contacts/{email}", UriKind.Relative), content).ProblemAsync(status, code);

        Assert.Equal(pointer, (string?)problem["errors"]!.AsArray().FirstOrDefault()?["pointer"]);
        Assert.Empty((await _acme.GetAsync("/contacts"))["data"]!.AsArray());
    }

    [Fact]
    public async Task A_company_is_changed_by_id_too_also_by_the_id_of_one_that_was_merged_into_it()
    {
        var made = await PutAsync("/accounts/acme.com", new { name = "Acme" }, HttpStatusCode.Created);
        await PutAsync($"/accounts/{made["id"]}", new { attributes = new { employees = 7 } });
        Assert.Equal(7, (int)(await _acme.GetAsync("/accounts/acme.com"))["attributes"]!["employees"]!);

        var gone = await PutAsync("/accounts/acme.io", new { }, HttpStatusCode.Created);
        await _app.QueryAsync<object>("update accounts set merged_into = (select id from accounts where domain = 'acme.com') where domain = 'acme.io'");
        var survivor = await PutAsync($"/accounts/{gone["id"]}", new { name = "Acme Inc" });

        Assert.Equal((Text(made, "id"), "Acme Inc"), (Text(survivor, "id"), Text(survivor, "name")));
        await _acme.Client.PutAsync("/accounts/acc_01j4k8m2n3p5q6r7s8t9v0w1x2", new { name = "X" }).ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task Another_workspace_changes_and_sees_its_own_people_and_companies_only()
    {
        var jane = await PutAsync("/contacts/jane@acme.com", new { first_name = "Jane" }, HttpStatusCode.Created);
        using var other = await _app.NewWorkspaceAsync("Other");

        var theirs = await other.Client.PutAsync("/contacts/jane@acme.com", new { first_name = "Eve" }).JsonAsync(HttpStatusCode.Created);
        await other.Client.PutAsync($"/accounts/{jane["account_id"]}", new { name = "Eve Inc" }).ProblemAsync(404, "not_found");
        foreach (var path in new[] { $"/contacts/{jane["id"]}", $"/contacts/{jane["id"]}/timeline", $"/accounts/{jane["account_id"]}/timeline" })
        {
            await other.Client.GetAsync(new Uri(path, UriKind.Relative)).ProblemAsync(404, "not_found");
        }

        Assert.NotEqual(Text(jane, "id"), Text(theirs, "id"));
        Assert.Equal("Jane", Text(await _acme.GetAsync($"/contacts/{jane["id"]}"), "first_name"));
        using var reader = await _acme.NewKeyAsync("live", "read");
        await reader.PutAsync("/contacts/jane@acme.com", new { first_name = "Eve" }).ProblemAsync(403, "missing_scope");
    }

    [Fact]
    public async Task Many_who_make_one_person_at_once_over_two_nodes_make_one()
    {
        await using var second = await _app.SecondNodeAsync();
        using var other = second.WithKey(_acme.Key);

        var made = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? _acme.Client : other).PutAsync("/contacts/jane@acme.com", new { first_name = $"Jane {i}" });
            return (response.StatusCode, Id: Text(JsonNode.Parse(await response.Content.ReadAsStringAsync())!, "id"));
        }));

        Assert.Single(made.Select(m => m.Id).Distinct());
        Assert.Single(made, m => m.StatusCode == HttpStatusCode.Created);
    }
}
