using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Qualification;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Qualification;

public sealed class DefinitionRoutesTests : IAsyncLifetime
{
    private SliceHost _host = null!;
    private SliceClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await SliceHost.StartAsync(s => s.AddQualification(), r => r.MapQualification());
        _client = await _host.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private static string? Code(JsonElement problem) => problem.GetProperty("code").GetString();

    private static string[] Codes(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(t => t.GetProperty("code").GetString()!)];

    private ValueTask<DefinitionSet> SnapshotAsync(SliceClient client) => _host.Services.GetRequiredService<WorkspaceSnapshots<DefinitionSet>>().GetAsync(client.Workspace);

    private Task<long> VersionOfWorkspaceAsync() => _host.ScalarAsync<long>("select version from workspaces where id = $1", _client.Workspace);

    // The definition of spec/qualification.md.
    private const string Published =
        """
        {"code":"Mid-market SaaS","kind":"icp","priority":100,"qualify_at":60,"criteria":[
         {"id":"size","label":"Employees","mode":"filter","when":"company.employees >= 50 && company.employees <= 1000"},
         {"id":"ind","label":"Industry","mode":"score","weight":20,"field":"company.industry","bands":[{"in":["software","fintech"],"points":100},{"in":["it services"],"points":50}]},
         {"id":"team","label":"Team size","mode":"score","weight":15,"field":"signal.context.team_size","bands":[{"from":10,"points":100},{"from":3,"to":9,"points":40}]},
         {"id":"rival","label":"Competitor","mode":"exclude","when":"company.domain in ['rival.com']"},
         {"id":"free","label":"Free mail","mode":"penalty","weight":10,"when":"person.email_class == 'free_mail'"}]}
        """;

    [Fact]
    public async Task A_definition_is_live_with_the_next_signal()
    {
        Assert.Empty((await SnapshotAsync(_client)).Icps);

        var created = await _client.PostAsync("/icps", Published);

        Assert.Equal(("Mid-market SaaS", "icp", 1), (created.GetProperty("code").GetString(), created.GetProperty("kind").GetString(), created.GetProperty("version").GetInt32()));
        Assert.StartsWith("ver_", created.GetProperty("version_id").GetString(), StringComparison.Ordinal);
        Assert.Equal(created.ToString(), (await _client.GetAsync("/icps/Mid-market%20SaaS")).ToString());
        var input = Defined.Input("""{"context":{"team_size":12}}""", """{"email_class":"free_mail"}""", """{"employees":320,"industry":"it services","domain":"acme.com"}""");
        // The worked example of docs/qualification.md: (20·50 + 15·100) / 35 = 71.4, less 10.
        var icp = Scorer.Score(await SnapshotAsync(_client), input, personKnown: true).View().Icp!;
        Assert.Equal((61, 71, 10, 100), (icp.Score, icp.Base, icp.Penalty, icp.Coverage));
        Assert.Equal([null, 29, 42, null, -10], icp.Criteria.Select(c => c.Contribution));
    }

    [Fact]
    public async Task Defaults_are_written_out()
    {
        var created = await _client.PostAsync("/icps", new { code = " A ", criteria = new[] { new { mode = "filter", when = "has(company.domain)" } } });

        Assert.Equal(("A", 100, 60), (created.GetProperty("code").GetString(), created.GetProperty("priority").GetInt32(), created.GetProperty("qualify_at").GetInt32()));
        Assert.Equal("""{"id":"c1","label":"c1","mode":"filter","when":"has(company.domain)"}""", created.GetProperty("criteria")[0].GetRawText());
    }

    [Fact]
    public async Task A_change_is_a_new_version_and_the_same_content_is_none()
    {
        var first = await _client.PutAsync("/icps/A", new { qualify_at = 50 }, 201);
        var bumped = await VersionOfWorkspaceAsync();
        var same = await _client.PutAsync("/icps/A", new { code = "A", kind = "icp", priority = 100, qualify_at = 50, criteria = Array.Empty<object>() });
        Assert.Equal(first.ToString(), same.ToString());
        Assert.Equal(bumped, await VersionOfWorkspaceAsync());

        var second = await _client.PutAsync("/icps/A", new { qualify_at = 51 });
        Assert.Equal((2, first.GetProperty("id").GetString()), (second.GetProperty("version").GetInt32(), second.GetProperty("id").GetString()));
        Assert.Equal(bumped + 1, await VersionOfWorkspaceAsync());

        var third = await _client.PatchAsync("/icps/A", """{"priority":7,"qualify_at":null}""");
        Assert.Equal((3, 7, 60), (third.GetProperty("version").GetInt32(), third.GetProperty("priority").GetInt32(), third.GetProperty("qualify_at").GetInt32()));

        var versions = await _client.GetAsync("/icps/A/versions");
        Assert.Equal([(3, 60), (2, 51), (1, 50)], versions.GetProperty("data").EnumerateArray()
            .Select(v => (v.GetProperty("version").GetInt32(), v.GetProperty("definition").GetProperty("qualify_at").GetInt32())));
        var page = await _client.GetAsync("/icps/A/versions?limit=2");
        var next = await _client.GetAsync($"/icps/A/versions?limit=2&cursor={page.GetProperty("next_cursor").GetString()}");
        Assert.Equal(1, Assert.Single(next.GetProperty("data").EnumerateArray()).GetProperty("version").GetInt32());
        Assert.Equal(60, (await SnapshotAsync(_client)).Icps[0].QualifyAt);
    }

    [Fact]
    public async Task A_band_comes_back_as_it_was_written()
    {
        var body = """{"code":"A","criteria":[{"mode":"score","weight":1,"field":"company.industry","bands":[{"in":["É \" <b>",1.50,true],"points":1},{"from":-0.5,"points":2}]}]}""";
        await _client.PostAsync("/icps", body);

        var again = await _client.PutAsync("/icps/A", body);

        Assert.Equal(1, again.GetProperty("version").GetInt32());
        Assert.Equal("""[{"in":["É \" <b>",1.50,true],"points":1},{"from":-0.5,"points":2}]""", again.GetProperty("criteria")[0].GetProperty("bands").GetRawText());
    }

    [Fact]
    public async Task A_code_in_use_is_refused_on_post()
    {
        await _client.PostAsync("/icps", new { code = "A" });

        Assert.Equal("already_exists", Code(await _client.PostAsync("/icps", new { code = "A" }, 409)));
    }

    [Theory]
    [InlineData("A/B")]
    [InlineData("100% Größe? #1 & +")]
    [InlineData("日本")]
    public async Task Every_code_can_be_addressed(string code)
    {
        await _client.PostAsync("/icps", new { code });
        var path = $"/icps/{Uri.EscapeDataString(code)}";

        Assert.Equal(code, (await _client.GetAsync(path)).GetProperty("code").GetString());
        Assert.Equal(2, (await _client.PatchAsync(path, new { priority = 1 })).GetProperty("version").GetInt32());
        await _client.GetAsync($"{path}/versions");
        await _client.DeleteAsync(path);
    }

    [Fact]
    public async Task A_code_stays_as_it_is()
    {
        await _client.PostAsync("/icps", new { code = "A" });

        Assert.Equal("/code", (await _client.PutAsync("/icps/A", new { code = "B" }, 422)).GetProperty("errors")[0].GetProperty("pointer").GetString());
        Assert.Equal("/code", (await _client.PatchAsync("/icps/A", new { code = "B" }, 422)).GetProperty("errors")[0].GetProperty("pointer").GetString());
        await _client.PatchAsync("/icps/none", new { priority = 1 }, 404);
    }

    [Fact]
    public async Task A_persona_belongs_to_an_icp_that_is_there_and_keeps_it_from_being_deleted()
    {
        var unknown = await _client.PostAsync("/personas", new { code = "P", icp = "A" }, 422);
        Assert.Equal("/icp", unknown.GetProperty("errors")[0].GetProperty("pointer").GetString());
        await _client.PostAsync("/icps", new { code = "A" });

        var persona = await _client.PostAsync("/personas", new { code = "P", icp = "A" });
        Assert.Equal(("persona", "A"), (persona.GetProperty("kind").GetString(), persona.GetProperty("icp").GetString()));
        Assert.Equal("in_use", Code(await _client.DeleteAsync("/icps/A", 409)));
        Assert.Equal("P", (await SnapshotAsync(_client)).Icps[0].Personas[0].Code);

        await _client.DeleteAsync("/personas/P");
        await _client.DeleteAsync("/icps/A");
        await _client.DeleteAsync("/icps/A", 404);
        Assert.Empty((await SnapshotAsync(_client)).Icps);
    }

    [Fact]
    public async Task Versions_outlive_their_definition_because_scores_name_them()
    {
        await _client.PostAsync("/icps", new { code = "A" });
        await _client.DeleteAsync("/icps/A");

        Assert.Equal(1, await _host.ScalarAsync<long>("select count(*) from definition_versions where workspace_id = $1", _client.Workspace));
    }

    [Fact]
    public async Task The_list_is_paged_newest_first()
    {
        foreach (var code in (string[])["A", "B", "C"])
        {
            await _client.PostAsync("/icps", new { code });
        }

        var first = await _client.GetAsync("/icps?limit=2");
        Assert.Equal(["C", "B"], Codes(first));
        Assert.Equal(["A"], Codes(await _client.GetAsync(new Uri(first.GetProperty("next").GetString()!).PathAndQuery)));
        Assert.Empty(Codes(await _client.GetAsync("/personas")));
    }

    [Theory]
    [InlineData("""{}""", "field_required", "/code")]
    [InlineData("""{"code":".."}""", "invalid_value", "/code")]
    [InlineData("""{"code":"A","kind":"persona"}""", "invalid_value", "/kind")]
    [InlineData("""{"code":"A","icp":"B"}""", "invalid_value", "/icp")]
    [InlineData("""{"code":"A","qualify_at":101}""", "out_of_range", "/qualify_at")]
    [InlineData("""{"code":"A","priority":-1}""", "out_of_range", "/priority")]
    [InlineData("""{"code":"A","priority":"1"}""", "invalid_type", "/priority")]
    [InlineData("""{"code":"A","criteria":[null]}""", "invalid_type", "/criteria/0")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","when":"true"},{"id":"c1","mode":"filter","when":"true"}]}""", "invalid_value", "/criteria/1/id")]
    [InlineData("""{"code":"A","criteria":[{"when":"true"}]}""", "field_required", "/criteria/0/mode")]
    [InlineData("""{"code":"A","criteria":[{"mode":"boost","when":"true"}]}""", "invalid_value", "/criteria/0/mode")]
    [InlineData("""{"code":"A","criteria":[{"mode":"score","when":"true"}]}""", "field_required", "/criteria/0/weight")]
    [InlineData("""{"code":"A","criteria":[{"mode":"score","weight":0,"when":"true"}]}""", "out_of_range", "/criteria/0/weight")]
    [InlineData("""{"code":"A","criteria":[{"mode":"score","weight":1.5,"when":"true"}]}""", "invalid_type", "/criteria/0/weight")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","weight":1,"when":"true"}]}""", "invalid_value", "/criteria/0/weight")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter"}]}""", "field_required", "/criteria/0/when")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","when":"true","field":"company.domain"}]}""", "invalid_value", "/criteria/0/when")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.domain"}]}""", "field_required", "/criteria/0/bands")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.domain","bands":[{"points":1}]}]}""", "invalid_value", "/criteria/0/bands/0")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.domain","bands":[{"in":["a"]}]}]}""", "field_required", "/criteria/0/bands/0/points")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.domain","bands":[{"in":["a",null],"points":1}]}]}""", "invalid_type", "/criteria/0/bands/0/in/1")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.employees","bands":[{"from":9,"to":3,"points":1}]}]}""", "out_of_range", "/criteria/0/bands/0/from")]
    [InlineData("""{"code":"A","criteria":[{"mode":"filter","field":"company.employees","bands":[{"from":1,"points":101}]}]}""", "out_of_range", "/criteria/0/bands/0/points")]
    public async Task A_bad_field_is_named(string body, string code, string pointer)
    {
        var problem = await _client.PostAsync("/icps", body, 422);

        var error = problem.GetProperty("errors")[0];
        Assert.Equal((code, pointer), (Code(problem), error.GetProperty("pointer").GetString()));
        Assert.Contains(pointer, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_typo_in_a_field_name_is_not_ignored()
    {
        var problem = await _client.PostAsync("/icps", """{"code":"A","criteria":[{"mode":"filter","wehn":"true"}]}""", 400);

        Assert.Equal(("unknown_field", "/criteria/0/wehn"), (Code(problem), problem.GetProperty("errors")[0].GetProperty("pointer").GetString()));
    }

    [Fact]
    public async Task All_bad_conditions_are_listed_and_the_first_is_located()
    {
        var problem = await _client.PostAsync("/icps",
            """{"code":"A","criteria":[{"mode":"filter","when":"true"},{"mode":"filter","when":"company.size = 1"},{"mode":"filter","field":"lead.x","bands":[{"from":1,"points":1}]},{"mode":"filter","when":"icp.score > 1"}]}""", 422);

        Assert.Equal(("invalid_condition", "single_equals", 13, 14, 1, 14), (Code(problem), problem.GetProperty("condition_code").GetString(),
            problem.GetProperty("start").GetInt32(), problem.GetProperty("end").GetInt32(), problem.GetProperty("line").GetInt32(), problem.GetProperty("column").GetInt32()));
        Assert.True(problem.TryGetProperty("snippet", out _) && problem.TryGetProperty("hint", out _) && problem.TryGetProperty("expected", out _));
        Assert.Equal([("/criteria/1/when", "single_equals"), ("/criteria/2/field", "unknown_root"), ("/criteria/3/when", "unknown_root")],
            problem.GetProperty("errors").EnumerateArray().Select(e => (e.GetProperty("pointer").GetString()!, e.GetProperty("code").GetString()!)));
    }

    [Fact]
    public async Task A_doubtful_condition_is_taken_with_a_warning()
    {
        var created = await _client.PostAsync("/icps", new { code = "A", criteria = new[] { new { mode = "filter", when = "signal.event_nam == 'x'" } } });

        var warning = Assert.Single(created.GetProperty("warnings").EnumerateArray());
        Assert.Equal(("unknown_field", "/criteria/0/when"), (warning.GetProperty("code").GetString(), warning.GetProperty("pointer").GetString()));
    }

    [Fact]
    public async Task A_hundred_criteria_are_the_limit()
    {
        static object Of(int count) => new { code = "A", criteria = Enumerable.Range(0, count).Select(_ => new { mode = "filter", when = "true" }).ToArray() };

        Assert.Equal("too_long", Code(await _client.PostAsync("/icps", Of(101), 422)));
        await _client.PostAsync("/icps", Of(100));
        Assert.Equal("A", Scorer.Score(await SnapshotAsync(_client), Defined.Input("{}"), personKnown: false).IcpCode);
    }

    [Fact]
    public async Task Parallel_puts_make_one_definition_with_consecutive_versions()
    {
        await _client.PutAsync("/icps/A", new { priority = 1_000 }, 201);

        await Task.WhenAll(Enumerable.Range(0, 19).Select(i => _client.PutAsync("/icps/A", new { priority = i })));

        var versions = (await _client.GetAsync("/icps/A/versions")).GetProperty("data").EnumerateArray().Select(v => v.GetProperty("version").GetInt32());
        Assert.Equal(Enumerable.Range(1, 20).Reverse(), versions);
    }

    [Fact]
    public async Task Another_workspace_sees_and_changes_nothing()
    {
        await _client.PostAsync("/icps", new { code = "A" });
        var other = await _host.NewWorkspaceAsync();

        await other.GetAsync("/icps/A", 404);
        await other.GetAsync("/icps/A/versions", 404);
        await other.PatchAsync("/icps/A", new { priority = 1 }, 404);
        await other.DeleteAsync("/icps/A", 404);
        await other.PostAsync("/personas", new { code = "P", icp = "A" }, 422);
        Assert.Empty(Codes(await other.GetAsync("/icps")));
        Assert.Empty((await SnapshotAsync(other)).Icps);
        await other.PutAsync("/icps/A", new { priority = 1 }, 201);
        Assert.Equal(100, (await _client.GetAsync("/icps/A")).GetProperty("priority").GetInt32());
    }

    [Fact]
    public async Task A_fresh_workspace_has_the_samples_and_can_delete_them()
    {
        var now = TimeProvider.System.GetUtcNow();
        var fresh = await _host.NewWorkspaceAsync((connection, transaction, id) => DefinitionStore.AddSamplesAsync(connection, transaction, id, now, CancellationToken.None));

        Assert.Equal(["Mid-market SaaS"], Codes(await fresh.GetAsync("/icps")));
        Assert.Equal(["VP Engineering"], Codes(await fresh.GetAsync("/personas")));
        var set = await SnapshotAsync(fresh);
        Assert.Equal(("Mid-market SaaS", "VP Engineering"), (set.Icps[0].Code, set.Icps[0].Personas[0].Code));
        await fresh.DeleteAsync("/personas/VP%20Engineering");
        await fresh.DeleteAsync("/icps/Mid-market%20SaaS");
    }

    [Fact]
    public void Reading_needs_read_and_changing_needs_manage_and_a_live_key() => Assert.All(_host.Endpoints, endpoint =>
    {
        var isRead = endpoint.Metadata.GetRequiredMetadata<Microsoft.AspNetCore.Routing.IHttpMethodMetadata>().HttpMethods.Contains("GET");
        Assert.Equal(isRead ? new RequiredAccess(Scopes.Read, false, false) : new RequiredAccess(Scopes.Manage, false, true), endpoint.Metadata.GetRequiredMetadata<RequiredAccess>());
    });
}
