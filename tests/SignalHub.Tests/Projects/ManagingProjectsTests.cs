using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Projects;

public sealed class ManagingProjectsTests(SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private readonly SignalHubApp _app = shared.App;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync() => _acme = await _app.NewWorkspaceAsync();

    public Task DisposeAsync()
    {
        _acme.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_project_is_created_read_replaced_patched_and_deleted()
    {
        var created = await NewAsync(new
        {
            name = " Growth ",
            description = "For sales",
            signal_types = new[] { "Custom event", "companyChange", "custom_event" },
            sources = new[] { "segment" },
            when = "icp.score >= 10",
            priorities = new[] { new { when = "icp.score >= 70", priority = "high" } },
            recommended_action = "Call {{contact.first_name}}",
        });
        var path = $"/projects/{(string)created["id"]!}";

        Assert.StartsWith("prj_", (string?)created["id"], StringComparison.Ordinal);
        Assert.Equal("Growth", (string?)created["name"]);
        Assert.Equal("""["custom_event","company_change"]""", created["signal_types"]!.ToJsonString());
        Assert.Equal(created.ToJsonString(), (await _acme.GetAsync(path)).ToJsonString());
        Assert.Equal(created.ToJsonString(), (await _acme.GetAsync("/projects"))["data"]!.AsArray().Single()!.ToJsonString());

        var patched = await _acme.Client.PatchAsync(path, new { when = (string?)null, priorities = Array.Empty<object>() }).JsonAsync(HttpStatusCode.OK);
        Assert.Null(patched["when"]);
        Assert.Equal("[]", patched["priorities"]!.ToJsonString());
        Assert.Equal("Call {{contact.first_name}}", (string?)patched["recommended_action"]);

        var replaced = await _acme.Client.PutAsync(path, new { name = "Other" }).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(["Other", "[]", "[]"], [(string)replaced["name"]!, replaced["signal_types"]!.ToJsonString(), replaced["sources"]!.ToJsonString()]);
        Assert.Null(replaced["recommended_action"]);
        Assert.Equal((string?)created["created_at"], (string?)replaced["created_at"]);

        await DeleteAsync(path, HttpStatusCode.NoContent);
        await DeleteAsync(path, HttpStatusCode.NotFound);
        await _acme.Client.PutAsync(path, new { name = "Other" }).ProblemAsync(404, "not_found");
    }

    [Theory]
    [InlineData("""{}""", 422, "field_required", "/name")]
    [InlineData("""{"name":"x","prority":[]}""", 400, "unknown_field", "/prority")]
    [InlineData("""{"name":"x","priorities":[{"when":"true","priority":"high","then":1}]}""", 400, "unknown_field", "/priorities/0/then")]
    [InlineData("""{"name":"x","signal_types":["custom_evnt"]}""", 422, "unknown_signal_type", "/signal_types/0")]
    [InlineData("""{"name":"x","signal_types":["..."]}""", 422, "unknown_signal_type", "/signal_types/0")]
    [InlineData("""{"name":"x","signal_types":[null]}""", 422, "invalid_value", "/signal_types/0")]
    [InlineData("""{"name":"x","sources":[""]}""", 422, "invalid_value", "/sources/0")]
    [InlineData("""{"name":"x","sources":"segment"}""", 422, "invalid_type", "/sources")]
    [InlineData("""{"name":"x","when":"signal.context.n > "}""", 422, "invalid_condition", "/when")]
    [InlineData("""{"name":"x","priorities":[null]}""", 422, "invalid_type", "/priorities/0")]
    [InlineData("""{"name":"x","priorities":[{"priority":"high"}]}""", 422, "field_required", "/priorities/0/when")]
    [InlineData("""{"name":"x","priorities":[{"when":"true","priority":"urgent"}]}""", 422, "invalid_value", "/priorities/0/priority")]
    [InlineData("""{"name":"x","priorities":[{"when":"true","priority":"low"},{"when":"sgnal.a > 1","priority":"high"}]}""", 422, "invalid_condition", "/priorities/1/when")]
    [InlineData("""{"name":"x","recommended_action":"Call {{contact.first_name"}""", 422, "invalid_template", "/recommended_action")]
    [InlineData("""{"name":"x","recommended_action":"{{#each contacts}}"}""", 422, "invalid_template", "/recommended_action")]
    [InlineData("""{"name":"x","recommended_action":"{{secrets.key}}"}""", 422, "invalid_template", "/recommended_action")]
    public async Task What_cannot_be_right_is_refused_with_the_place_of_it(string body, int status, string code, string pointer)
    {
        var problem = await _acme.Client.PostTextAsync("/projects", body).ProblemAsync(status, code);

        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
        Assert.Empty((await _acme.GetAsync("/projects"))["data"]!.AsArray());
    }

    [Fact]
    public async Task A_condition_that_does_not_compile_is_told_with_its_position_and_an_unknown_type_with_its_neighbours()
    {
        var problem = await _acme.Client.PostAsync("/projects", new { name = "x", when = "signals.context.team_size = 10" }).ProblemAsync(422, "invalid_condition");
        Assert.Equal(("single_equals", 26, 27), ((string?)problem["condition_code"], (int)problem["start"]!, (int)problem["end"]!));

        var unknown = await _acme.Client.PostAsync("/projects", new { name = "x", signal_types = new[] { "custom_evnt" } }).ProblemAsync(422, "unknown_signal_type");
        Assert.Contains("custom_event", (string?)unknown["detail"], StringComparison.Ordinal);
        var template = await _acme.Client.PostAsync("/projects", new { name = "x", recommended_action = "Call {{nobody.name}}" }).ProblemAsync(422, "invalid_template");
        Assert.Contains("at character 6: nobody is not known", (string?)template["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_probable_slip_in_a_condition_is_a_warning()
    {
        var created = await NewAsync(new { name = "x", priorities = new[] { new { when = "signal.sorce == 'app'", priority = "low" } } });

        var warning = created["warnings"]!.AsArray().Single()!;
        Assert.Equal(("/priorities/0/when", "unknown_field"), ((string?)warning["pointer"], (string?)warning["code"]));
    }

    [Fact]
    public async Task Lists_and_texts_have_limits()
    {
        string Long(int n) => new('x', n);
        await Refused(new { name = Long(101) }, "too_long");
        await Refused(new { name = "x", description = Long(501) }, "too_long");
        await Refused(new { name = "x", recommended_action = Long(2_001) }, "too_long");
        await Refused(new { name = "x", sources = Enumerable.Range(0, 201).Select(i => $"s{i}") }, "too_long");
        await Refused(new { name = "x", priorities = Enumerable.Range(0, 21).Select(_ => new { when = "true", priority = "low" }) }, "too_long");
        async Task Refused(object project, string code) => await _acme.Client.PostAsync("/projects", project).ProblemAsync(422, code);
    }

    [Fact]
    public async Task A_workspace_has_at_most_100_projects()
    {
        for (var i = 0; i < 100; i++)
        {
            await NewAsync(new { name = $"Project {i}" });
        }

        await _acme.Client.PostAsync("/projects", new { name = "One more" }).ProblemAsync(409, "conflict");

        var first = await _acme.GetAsync("/projects?limit=60");
        var second = await _acme.GetAsync($"/projects?limit=60&cursor={(string)first["next_cursor"]!}");
        Assert.Equal(100, first["data"]!.AsArray().Concat(second["data"]!.AsArray()).Select(p => (string)p!["id"]!).Distinct().Count());
    }

    [Fact]
    public async Task A_project_that_an_endpoint_names_cannot_be_deleted_and_one_that_is_gone_cannot_be_named()
    {
        var project = (string)(await NewAsync(new { name = "x" }))["id"]!;
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = "http://127.0.0.1:9/hook", filter = new { projects = new[] { project.ToUpperInvariant() } } }))["id"]!;

        var problem = await _acme.Client.DeleteAsync(new Uri($"/projects/{project}", UriKind.Relative)).ProblemAsync(409, "in_use");
        Assert.Contains(endpoint, (string?)problem["detail"], StringComparison.Ordinal);
        await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { filter = new { projects = Array.Empty<string>() } }).JsonAsync(HttpStatusCode.OK);
        await DeleteAsync($"/projects/{project}", HttpStatusCode.NoContent);

        var refused = await _acme.Client.PatchAsync($"/webhooks/endpoints/{endpoint}", new { filter = new { projects = new[] { project } } }).ProblemAsync(422, "invalid_value");
        Assert.Equal("/filter/projects/0", (string?)refused["errors"]![0]!["pointer"]);
        await _acme.Client.PostAsync("/webhooks/endpoints", new { url = "http://127.0.0.1:9/hook", filter = new { projects = new[] { "growth" } } })
            .ProblemAsync(422, "invalid_value");
    }

    [Fact]
    public async Task Another_workspaces_projects_cannot_be_read_changed_or_named()
    {
        using var globex = await _app.NewWorkspaceAsync("Globex");
        var theirs = (string)(await globex.Client.PostAsync("/projects", new { name = "Theirs" }).JsonAsync(HttpStatusCode.Created))["id"]!;
        var path = $"/projects/{theirs}";

        await _acme.Client.GetAsync(new Uri(path, UriKind.Relative)).ProblemAsync(404, "not_found");
        await _acme.Client.PutAsync(path, new { name = "Mine" }).ProblemAsync(404, "not_found");
        await _acme.Client.PatchAsync(path, new { name = "Mine" }).ProblemAsync(404, "not_found");
        await DeleteAsync(path, HttpStatusCode.NotFound);
        await _acme.Client.PostAsync("/webhooks/endpoints", new { url = "http://127.0.0.1:9/hook", filter = new { projects = new[] { theirs } } })
            .ProblemAsync(422, "invalid_value");
        Assert.Empty((await _acme.GetAsync("/projects"))["data"]!.AsArray());
        Assert.Equal("Theirs", (string?)(await globex.GetAsync(path))["name"]);

        // Nor do they see what happens here.
        await globex.NewEndpointAsync(new { url = "http://127.0.0.1:9/hook", events = new[] { "signal.detected" } });
        await _acme.IngestAsync(Sample.Seed());
        Assert.Empty((await globex.GetAsync("/webhooks/deliveries"))["data"]!.AsArray());
    }

    [Fact]
    public async Task A_test_key_reads_projects_and_changes_none()
    {
        var project = (string)(await NewAsync(new { name = "x" }))["id"]!;
        using var test = await _acme.NewKeyAsync("test", "read", "manage");

        await test.GetAsync(new Uri($"/projects/{project}", UriKind.Relative)).JsonAsync(HttpStatusCode.OK);
        await test.PatchAsync($"/projects/{project}", new { name = "y" }).ProblemAsync(403, "live_key_required");
    }

    private Task<JsonNode> NewAsync(object project) => _acme.Client.PostAsync("/projects", project).JsonAsync(HttpStatusCode.Created);

    private async Task DeleteAsync(string path, HttpStatusCode status)
    {
        using var response = await _acme.Client.DeleteAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(status, response.StatusCode);
    }
}
