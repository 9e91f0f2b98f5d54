using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals.V1;

public sealed class DeclaringTypesByUseTests : IAsyncLifetime
{
    private const int Cap = 12;

    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"), ("SignalTypes:MaxAuto", $"{Cap}"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private static object Signal(string type, object? properties = null) => new
    {
        type, source = "s", contact = new { email = "vp@company.com", title = "VP Engineering" }, account = new { domain = "company.com" },
        properties = properties ?? new { team_size = 12 },
    };

    private static Task<HttpResponseMessage> SendAsync(TestWorkspace workspace, string type) => workspace.Client.PostAsync("/v1/signals", Signal(type));

    private Task<JsonNode> SendAsync(string type) => SendAsync(_acme, type).JsonAsync(HttpStatusCode.Created);

    private static async Task<string[]> AutoTypesAsync(TestWorkspace workspace) =>
        [.. (await workspace.GetAsync("/signal-types?origin=auto"))["data"]!.AsArray().Select(t => (string)t!["key"]!)];

    [Fact]
    public async Task The_first_signal_declares_its_type_and_every_route_knows_it_at_once()
    {
        var sent = await SendAsync("Onboarding: finished!");

        var type = await _acme.GetAsync("/signal-types/onboarding_finished_");
        Assert.Equal(("auto", "Onboarding: finished!", true, true),
            ((string)type["origin"]!, (string)type["name"]!, (bool)type["autoqualify"]!, (bool)type["enabled"]!));
        await _acme.IngestAsync(new
        {
            signal_type = "onboarding-finished_", source = "s", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "jane@acme.com" },
        });
        Assert.Equal(2, (await _acme.GetAsync("/signals?type=onboarding_finished_"))["data"]!.AsArray().Count);
        Assert.Equal("Onboarding: finished!", (string)sent["type"]!);
    }

    [Fact]
    public async Task Known_types_are_used_in_any_spelling_and_declare_nothing()
    {
        await _acme.Client.PostAsync("/signal-types", new { name = "Demo requested", sub_rules = new[] { new { name = "big", when = "signal.properties.team_size > 10" } } })
            .JsonAsync(HttpStatusCode.Created);

        var custom = await SendAsync("DEMO requested");
        var builtIn = await SendAsync("companyChange");

        Assert.Equal("big", (string)custom["bucket"]!);
        Assert.Equal("companyChange", (string)builtIn["type"]!);
        Assert.Equal("company_change", (string)(await _acme.GetAsync($"/signals/{builtIn["id"]}"))["signal_type"]!);
        Assert.Empty(await AutoTypesAsync(_acme));
    }

    [Fact]
    public async Task Whether_such_types_are_autoqualified_is_a_setting_of_the_workspace()
    {
        Assert.True((bool)(await SendAsync("on"))["qualified"]!);

        await _acme.Client.PatchAsync("/workspace", new { settings = new { auto_types_autoqualify = false } }).JsonAsync(HttpStatusCode.OK);
        var off = await SendAsync("off");

        Assert.Null(off["qualified"]);
        Assert.Null(off["qualification"]!["icp_code"]);
        Assert.NotNull((await _acme.GetAsync($"/v1/signals/{off["id"]}"))["qualification"]!["icp_code"]);
        Assert.False((bool)(await _acme.GetAsync("/signal-types/off"))["autoqualify"]!);
        using var test = await _acme.NewKeyAsync("test", "ingest");
        Assert.Null((await test.PostAsync("/v1/signals", Signal("never seen")).JsonAsync(HttpStatusCode.Created))["qualified"]);
    }

    [Fact]
    public async Task A_disabled_type_stays_refused()
    {
        await SendAsync("noise");
        await _acme.Client.PatchAsync("/signal-types/noise", new { enabled = false }).JsonAsync(HttpStatusCode.OK);

        var problem = await SendAsync(_acme, "Noise").ProblemAsync(422, "signal_type_disabled");

        Assert.Equal("/type", (string)problem["errors"]![0]!["pointer"]!);
        await _acme.Client.PostAsync("/v1/signals?dry_run=true", Signal("noise")).ProblemAsync(422, "signal_type_disabled");
        await _acme.Client.PatchAsync("/signal-types/noise", new { enabled = true }).JsonAsync(HttpStatusCode.OK);
        await SendAsync("noise");
    }

    [Fact]
    public async Task Many_first_signals_at_once_over_two_nodes_make_one_type_and_all_are_stored()
    {
        await using var second = await _app.SecondNodeAsync();
        using var other = second.WithKey(_acme.Key);

        var sent = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            (i % 2 == 0 ? _acme.Client : other).PostAsync("/v1/signals", Signal($"rush {i % 3}")).JsonAsync(HttpStatusCode.Created)));

        Assert.Equal(40, sent.Select(s => (string)s["id"]!).Distinct().Count());
        Assert.Equal(["rush_0", "rush_1", "rush_2"], await AutoTypesAsync(_acme));
        Assert.Equal(40L, await _app.QueryAsync<long>("select count(*) from signals where type_key like 'rush\\_%'"));
    }

    [Fact]
    public async Task What_another_node_declared_or_disabled_holds_here_at_once()
    {
        await SendAsync("before");
        await using var second = await _app.SecondNodeAsync();
        using var other = second.WithKey(_acme.Key);
        await other.PostAsync("/v1/signals", Signal("there")).JsonAsync(HttpStatusCode.Created);
        await other.PatchAsync("/signal-types/there", new { enabled = false }).JsonAsync(HttpStatusCode.OK);

        await SendAsync(_acme, "there").ProblemAsync(422, "signal_type_disabled");
    }

    [Fact]
    public async Task Over_the_cap_new_types_are_refused_and_nothing_else_is()
    {
        using var neighbour = await _app.NewWorkspaceAsync("Neighbour");
        var answers = await Task.WhenAll(Enumerable.Range(0, 5 * Cap).Select(i => SendAsync(_acme, $"order {i}")));

        Assert.Equal(Cap, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.Equal(4 * Cap, answers.Count(a => a.StatusCode == HttpStatusCode.UnprocessableEntity));
        Assert.Equal(Cap, (await AutoTypesAsync(_acme)).Length);
        var problem = await SendAsync(_acme, "one more").ProblemAsync(422, "too_many_signal_types");
        Assert.Equal("/type", (string)problem["errors"]![0]!["pointer"]!);
        Assert.Contains($"({Cap})", (string)problem["detail"]!, StringComparison.Ordinal);
        // What is known, built in or declared goes on, and so does everybody else.
        await SendAsync((await AutoTypesAsync(_acme))[0]);
        await SendAsync("promotion");
        await _acme.Client.PostAsync("/signal-types", new { name = "one more" }).JsonAsync(HttpStatusCode.Created);
        await SendAsync("one more");
        await SendAsync(neighbour, "order 1").JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_signal_refused_for_another_field_declares_nothing()
    {
        await _acme.Client.PostAsync("/v1/signals", new { type = "fresh", source = "" }).ProblemAsync(422, "field_required");

        Assert.Empty(await AutoTypesAsync(_acme));
    }

    [Fact]
    public async Task Long_names_are_cut_to_the_key_and_a_key_that_is_too_long_is_refused()
    {
        var spaced = "long" + new string('.', 120) + "winded";
        Assert.Equal(spaced, (string)(await SendAsync(spaced))["type"]!);
        Assert.Equal("long_winded", (string)(await _acme.GetAsync("/signal-types/long_winded"))["name"]!);

        await SendAsync(_acme, new string('x', 101)).ProblemAsync(422, "invalid_value");
    }
}
