using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Tests.Support;
using SignalHub.Workspaces;

namespace SignalHub.Tests.SignalTypes;

public sealed class SignalTypeRoutesTests : IAsyncLifetime
{
    private SliceHost _host = null!;
    private SliceClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await SliceHost.StartAsync(s => s.AddSignalTypes(), r => r.MapSignalTypes());
        _client = await _host.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private static string? Code(JsonElement problem) => problem.GetProperty("code").GetString();

    private static string[] Keys(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(t => t.GetProperty("key").GetString()!)];

    private ValueTask<SignalTypeSet> SnapshotAsync(SliceClient client) => _host.Services.GetRequiredService<WorkspaceSnapshots<SignalTypeSet>>().GetAsync(client.Workspace);

    [Fact]
    public async Task A_declared_type_gets_a_key_made_of_its_name()
    {
        Assert.Null((await SnapshotAsync(_client)).Find("product_trial_started"));

        var created = await _client.PostAsync("/signal-types", new
        {
            name = " Product trial started ",
            description = "A trial began",
            sub_rules = new[] { new { name = "big_team", when = "signal.context.team_size > 10" } },
        });

        Assert.Equal("product_trial_started", created.GetProperty("key").GetString());
        Assert.Equal("Product trial started", created.GetProperty("name").GetString());
        Assert.Equal("custom", created.GetProperty("origin").GetString());
        Assert.True(created.GetProperty("autoqualify").GetBoolean());
        Assert.True(created.GetProperty("enabled").GetBoolean());
        Assert.Equal(created.ToString(), (await _client.GetAsync("/signal-types/product_trial_started")).ToString());
        // Visible to the next request on this node.
        Assert.Equal("big_team", (await SnapshotAsync(_client)).Find("Product trial started")!.SubRules[0].Name);
    }

    [Fact]
    public async Task A_key_in_use_is_refused_also_that_of_a_built_in_type()
    {
        await _client.PostAsync("/signal-types", new { name = "Demo requested" });

        Assert.Equal("already_exists", Code(await _client.PostAsync("/signal-types", new { name = "demo-requested" }, 409)));
        var builtIn = await _client.PostAsync("/signal-types", new { name = "companyChange" }, 409);
        Assert.Equal("already_exists", Code(builtIn));
        Assert.Contains("PATCH /signal-types/company_change", builtIn.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_has_everything_and_filters()
    {
        await _client.PostAsync("/signal-types", new { name = "Demo requested", enabled = false });

        var all = Keys(await _client.GetAsync("/signal-types"));
        Assert.Equal(Catalogue.All.Count + 1, all.Length);
        Assert.Equal("demo_requested", all[0]);
        Assert.Equal(["demo_requested"], Keys(await _client.GetAsync("/signal-types?origin=custom")));
        Assert.Equal(["demo_requested"], Keys(await _client.GetAsync("/signal-types?enabled=false")));
        Assert.Equal(["company_change", "promotion"], Keys(await _client.GetAsync("/signal-types?category=contact")));
        Assert.Contains("risk_news", Keys(await _client.GetAsync("/signal-types?category=risk")));
    }

    [Fact]
    public async Task A_built_in_type_shows_what_the_catalogue_says()
    {
        var type = await _client.GetAsync("/signal-types/peopleNews");

        Assert.Equal(("people_news", "peopleNews", "builtin", "news", "company", "weekly"), (
            type.GetProperty("key").GetString(), type.GetProperty("alias").GetString(), type.GetProperty("origin").GetString(),
            type.GetProperty("category").GetString(), type.GetProperty("subject").GetString(), type.GetProperty("cadence").GetString()));
        Assert.Equal("executive_hire", type.GetProperty("news_event_types")[0].GetString());
    }

    [Fact]
    public async Task A_built_in_type_is_changed_by_patch_and_reset_by_delete()
    {
        var patched = await _client.PatchAsync("/signal-types/companyChange", new { enabled = false });
        Assert.Equal(("company_change", "builtin", "Job change", false), (
            patched.GetProperty("key").GetString(), patched.GetProperty("origin").GetString(), patched.GetProperty("name").GetString(), patched.GetProperty("enabled").GetBoolean()));
        Assert.False((await SnapshotAsync(_client)).Find("companyChange")!.Enabled);

        await _client.DeleteAsync("/signal-types/company_change");
        Assert.True((await SnapshotAsync(_client)).Find("companyChange")!.Enabled);

        var refused = await _client.DeleteAsync("/signal-types/company_change", 409);
        Assert.Contains("disable it", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_creates_then_replaces_and_is_idempotent()
    {
        var body = new { name = "Demo", sub_rules = new[] { new { name = "pro", when = "signal.context.plan == 'pro'" } } };
        var created = await _client.PutAsync("/signal-types/demo_requested", body, 201);
        var again = await _client.PutAsync("/signal-types/demo_requested", body);
        Assert.Equal(created.ToString(), again.ToString());

        var replaced = await _client.PutAsync("/signal-types/Demo%20Requested", new { name = "Demo", autoqualify = false });
        Assert.Equal("demo_requested", replaced.GetProperty("key").GetString());
        Assert.False(replaced.GetProperty("autoqualify").GetBoolean());
        Assert.Empty(replaced.GetProperty("sub_rules").EnumerateArray());
        Assert.Equal("Website visitors", (await _client.PutAsync("/signal-types/websiteVisitors", new { autoqualify = false })).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Patch_changes_what_it_names_and_null_is_the_default()
    {
        await _client.PostAsync("/signal-types", new { name = "Demo", description = "x", autoqualify = false });

        var patched = await _client.PatchAsync("/signal-types/demo", """{"autoqualify":null,"description":null}""");

        Assert.True(patched.GetProperty("autoqualify").GetBoolean());
        Assert.Equal(JsonValueKind.Null, patched.GetProperty("description").ValueKind);
        Assert.Equal("unknown_field", Code(await _client.PatchAsync("/signal-types/demo", new { enabeld = true }, 400)));
        Assert.Equal("not_found", Code(await _client.PatchAsync("/signal-types/none", new { enabled = true }, 404)));
    }

    [Fact]
    public async Task A_type_with_signals_cannot_be_deleted()
    {
        await _client.PostAsync("/signal-types", new { name = "Used" });
        await _client.PostAsync("/signal-types", new { name = "Unused" });
        await _host.ExecuteAsync(
            """
            insert into signals (workspace_id, occurred_at, id, received_at, type_key, source, mode, backfill, autoqualify, identity, context, payload_hash)
            values ($1, now(), $2, now(), 'used', 'test', 'live', false, true, '{}', '{}', 0)
            """, _client.Workspace, Ids.New(TimeProvider.System.GetUtcNow()));

        Assert.Equal("in_use", Code(await _client.DeleteAsync("/signal-types/used", 409)));
        await _client.DeleteAsync("/signal-types/unused");
        Assert.Equal("not_found", Code(await _client.DeleteAsync("/signal-types/unused", 404)));
    }

    [Theory]
    [InlineData("""{}""", "field_required", "/name")]
    [InlineData("""{"name":"  "}""", "field_required", "/name")]
    [InlineData("""{"name":"..."}""", "invalid_value", "/name")]
    [InlineData("""{"name":5}""", "invalid_type", "/name")]
    [InlineData("""{"name":"A","enabled":"yes"}""", "invalid_type", "/enabled")]
    [InlineData("""{"name":"A","sub_rules":[null]}""", "invalid_type", "/sub_rules/0")]
    [InlineData("""{"name":"A","sub_rules":[{"when":"true"}]}""", "field_required", "/sub_rules/0/name")]
    [InlineData("""{"name":"A","sub_rules":[{"name":"x"}]}""", "field_required", "/sub_rules/0/when")]
    [InlineData("""{"name":"A","sub_rules":[{"name":"x","when":"true"},{"name":"x ","when":"true"}]}""", "invalid_value", "/sub_rules/1/name")]
    public async Task A_bad_field_is_named(string body, string code, string pointer)
    {
        var problem = await _client.PostAsync("/signal-types", body, 422);

        Assert.Equal((code, pointer), (Code(problem), problem.GetProperty("errors")[0].GetProperty("pointer").GetString()));
    }

    [Fact]
    public async Task A_bad_sub_rule_says_where_it_is_wrong()
    {
        var problem = await _client.PostAsync("/signal-types", new
        {
            name = "A",
            sub_rules = new[] { new { name = "x", when = "signal.context.team_size >" }, new { name = "y", when = "person.title == 'x'" } },
        }, 422);

        Assert.Equal("invalid_condition", Code(problem));
        Assert.Equal((26, "expected_operand"), (problem.GetProperty("start").GetInt32(), problem.GetProperty("condition_code").GetString()));
        Assert.Equal(["/sub_rules/0/when", "/sub_rules/1/when"], problem.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("pointer").GetString()));
        Assert.Equal("unknown_root", problem.GetProperty("errors")[1].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_doubtful_sub_rule_is_taken_with_a_warning()
    {
        var created = await _client.PostAsync("/signal-types", new { name = "A", sub_rules = new[] { new { name = "x", when = "signal.event_nam == 'y'" } } });

        var warning = Assert.Single(created.GetProperty("warnings").EnumerateArray());
        Assert.Equal(("unknown_field", "/sub_rules/0/when"), (warning.GetProperty("code").GetString(), warning.GetProperty("pointer").GetString()));
    }

    [Fact]
    public async Task Another_workspace_sees_and_changes_nothing()
    {
        await _client.PostAsync("/signal-types", new { name = "Mine" });
        await _client.PatchAsync("/signal-types/intent", new { enabled = false });
        var other = await _host.NewWorkspaceAsync();

        await other.GetAsync("/signal-types/mine", 404);
        await other.DeleteAsync("/signal-types/mine", 404);
        Assert.True((await other.GetAsync("/signal-types/intent")).GetProperty("enabled").GetBoolean());
        Assert.DoesNotContain("mine", Keys(await other.GetAsync("/signal-types")));
        Assert.Null((await SnapshotAsync(other)).Find("mine"));
        await other.PostAsync("/signal-types", new { name = "Mine" });
        await other.DeleteAsync("/signal-types/mine");
        await _client.GetAsync("/signal-types/mine");
    }

    [Fact]
    public void Reading_needs_read_and_changing_needs_manage_and_a_live_key() => Assert.All(_host.Endpoints, endpoint =>
    {
        var isRead = endpoint.Metadata.GetRequiredMetadata<Microsoft.AspNetCore.Routing.IHttpMethodMetadata>().HttpMethods.Contains("GET");
        Assert.Equal(isRead ? new RequiredAccess(Scopes.Read, false, false) : new RequiredAccess(Scopes.Manage, false, true), endpoint.Metadata.GetRequiredMetadata<RequiredAccess>());
    });
}
