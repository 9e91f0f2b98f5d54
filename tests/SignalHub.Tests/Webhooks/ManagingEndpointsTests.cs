using System.Net;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Webhooks;

public sealed class ManagingEndpointsTests : IAsyncLifetime
{
    private const string Url = "https://hooks.example.com/signals";

    private EndpointBench _bench = null!;

    public async Task InitializeAsync() => _bench = await EndpointBench.StartAsync();

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task A_url_is_enough_and_everything_else_has_its_default()
    {
        var answer = await _bench.PostAsync("/webhooks/endpoints", new { url = Url });
        var created = answer.Expect(HttpStatusCode.Created);

        Assert.Matches("^ep_[0-9a-z]{26}$", created.Id());
        Assert.Equal($"/webhooks/endpoints/{created.Id()}", answer.Location);
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", created.Text("secret"));
        Assert.Equal("""["signal.qualified"]""", created.GetProperty("events").GetRawText());
        Assert.Equal("X-SignalHub-Signature", created.Text("signature_header"));
        Assert.Equal("""{"signal_types":[],"sources":[],"projects":[],"priorities":[],"when":null}""", created.GetProperty("filter").GetRawText());
        Assert.Equal((10, "standard"), (created.GetProperty("timeout_seconds").GetInt32(), created.Text("retry_policy")));
        Assert.True(created.GetProperty("enabled").GetBoolean());
        Assert.False(created.GetProperty("ordered").GetBoolean());
        Assert.Equal(0, created.GetProperty("consecutive_failures").GetInt32());
        string[] empty = ["description", "schedule", "max_per_second", "disabled_reason", "last_success_at", "last_failure_at", "previous_secret_expires_at"];
        Assert.All(empty, name => Assert.Null(created.GetProperty(name).GetRawText() is "null" ? null : name));
    }

    [Fact]
    public async Task Everything_that_was_set_is_shown_as_it_was_set()
    {
        var created = await _bench.CreateAsync(new
        {
            url = Url,
            description = "  CRM  ",
            events = new[] { "lead.created", "signal.qualified" },
            secret = "correct horse battery",
            signature_header = "X-Acme-Signature",
            filter = new { signal_types = new[] { "Product usage" }, sources = new[] { " segment " }, priorities = new[] { "high", "low" }, when = "icp.score >= 70" },
            timeout_seconds = 30,
            retry_policy = "custom",
            schedule = new[] { 5, 60, 600 },
            max_per_second = 50,
            ordered = true,
            enabled = false,
        });

        Assert.Equal("correct horse battery", created.Text("secret"));
        var read = (await _bench.GetAsync($"/webhooks/endpoints/{created.Id()}")).Expect(HttpStatusCode.OK);
        Assert.Equal("CRM", read.Text("description"));
        Assert.Equal("""["lead.created","signal.qualified"]""", read.GetProperty("events").GetRawText());
        Assert.Equal("""{"signal_types":["product_usage"],"sources":["segment"],"projects":[],"priorities":["high","low"],"when":"icp.score >= 70"}""",
            read.GetProperty("filter").GetRawText());
        Assert.Equal("[5,60,600]", read.GetProperty("schedule").GetRawText());
        Assert.Equal(("X-Acme-Signature", "custom", "by_user"), (read.Text("signature_header"), read.Text("retry_policy"), read.Text("disabled_reason")));
        Assert.Equal((30, 50, true), (read.GetProperty("timeout_seconds").GetInt32(), read.GetProperty("max_per_second").GetInt32(), read.GetProperty("ordered").GetBoolean()));
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_stored_encrypted()
    {
        var created = await _bench.CreateAsync(new { url = Url });
        var (id, secret) = (created.Id(), created.Text("secret")!);
        var path = $"/webhooks/endpoints/{id}";

        Answer[] answers =
        [
            await _bench.GetAsync(path), await _bench.GetAsync("/webhooks/endpoints"), await _bench.PatchAsync(id, new { description = "x" }),
            await _bench.SendAsync(HttpMethod.Put, path, new { url = Url }), await _bench.PostAsync($"{path}/rotate/finish"),
        ];

        Assert.All(answers, answer =>
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.DoesNotContain("whsec_", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"secret\"", answer.Text, StringComparison.Ordinal);
        });
        Assert.Equal(0, await _bench.ScalarAsync<int>("select position(convert_to($1, 'UTF8') in secret) from webhook_endpoints", secret));
        Assert.Equal(0, await _bench.ScalarAsync<int>("select position(decode($1, 'base64') in secret) from webhook_endpoints", secret["whsec_".Length..]));
    }

    [Fact]
    public async Task Patch_changes_what_it_names_and_put_resets_what_it_leaves_out()
    {
        var id = (await _bench.CreateAsync(new { url = Url, description = "CRM", filter = new { sources = new[] { "segment" }, when = "icp.score > 1" } })).Id();

        var patched = (await _bench.PatchAsync(id, """{"timeout_seconds":5,"filter":{"when":null}}""")).Expect(HttpStatusCode.OK);
        Assert.Equal((5, "CRM"), (patched.GetProperty("timeout_seconds").GetInt32(), patched.Text("description")));
        Assert.Equal("""{"signal_types":[],"sources":["segment"],"projects":[],"priorities":[],"when":null}""", patched.GetProperty("filter").GetRawText());

        var replaced = (await _bench.SendAsync(HttpMethod.Put, $"/webhooks/endpoints/{id}", new { url = Url + "/2" })).Expect(HttpStatusCode.OK);
        Assert.Equal((Url + "/2", 10), (replaced.Text("url"), replaced.GetProperty("timeout_seconds").GetInt32()));
        Assert.Equal("[]", replaced.GetProperty("filter").GetProperty("sources").GetRawText());
        Assert.Equal("null", replaced.GetProperty("description").GetRawText());
    }

    [Fact]
    public async Task Put_and_patch_keep_the_secret_unless_another_is_given()
    {
        var id = (await _bench.CreateAsync(new { url = Url, secret = "first secret" })).Id();
        var stored = await StoredSecretAsync();

        (await _bench.SendAsync(HttpMethod.Put, $"/webhooks/endpoints/{id}", new { url = Url, secret = "first secret" })).Expect(HttpStatusCode.OK);
        (await _bench.PatchAsync(id, new { description = "x" })).Expect(HttpStatusCode.OK);
        Assert.Equal(stored, await StoredSecretAsync());

        (await _bench.PatchAsync(id, new { secret = "second secret" })).Expect(HttpStatusCode.OK);
        Assert.NotEqual(stored, await StoredSecretAsync());

        Task<byte[]> StoredSecretAsync() => _bench.ScalarAsync<byte[]>("select secret from webhook_endpoints");
    }

    [Fact]
    public async Task Another_retry_policy_drops_the_custom_list_by_itself()
    {
        var id = (await _bench.CreateAsync(new { url = Url, schedule = new[] { 7 } })).Id();

        var patched = (await _bench.PatchAsync(id, new { retry_policy = "short" })).Expect(HttpStatusCode.OK);

        Assert.Equal(("short", "null"), (patched.Text("retry_policy"), patched.GetProperty("schedule").GetRawText()));
        (await _bench.PatchAsync(id, new { retry_policy = "short", schedule = new[] { 9 } })).ExpectProblem(422, "invalid_value", "/schedule");
    }

    [Fact]
    public async Task An_ordered_endpoint_gets_the_short_schedule_by_itself()
    {
        var created = await _bench.CreateAsync(new { url = Url, ordered = true });

        Assert.Equal("short", created.Text("retry_policy"));
    }

    [Fact]
    public async Task What_was_missed_while_disabled_is_offered_when_enabled_again()
    {
        var id = (await _bench.CreateAsync(new { url = Url })).Id();
        var stopped = (await _bench.PatchAsync(id, new { enabled = false })).Expect(HttpStatusCode.OK);
        Assert.Equal("by_user", stopped.Text("disabled_reason"));
        Assert.Equal("2026-03-14T09:26:53Z", stopped.Text("disabled_at"));
        Assert.DoesNotContain("skipped", stopped.Names());

        await _bench.RaiseAsync();
        await _bench.RaiseAsync();
        var skipped = (await _bench.GetAsync($"/webhooks/deliveries?endpoint_id={id}")).Expect(HttpStatusCode.OK).GetProperty("data");
        Assert.Equal(["skipped/endpoint_disabled/0", "skipped/endpoint_disabled/0"],
            skipped.EnumerateArray().Select(d => $"{d.Text("state")}/{d.Text("reason")}/{d.GetProperty("attempts").GetInt32()}"));

        await _bench.ExecuteAsync("update webhook_endpoints set consecutive_failures = 12, failing_since = now()");
        var started = (await _bench.PatchAsync(id, new { enabled = true })).Expect(HttpStatusCode.OK);
        Assert.Equal((2, 0), (started.GetProperty("skipped").GetInt32(), started.GetProperty("consecutive_failures").GetInt32()));
        Assert.Equal("null", started.GetProperty("disabled_reason").GetRawText());
        Assert.DoesNotContain("skipped", (await _bench.PatchAsync(id, new { enabled = true })).Expect(HttpStatusCode.OK).Names());
    }

    [Fact]
    public async Task A_deleted_endpoint_is_gone_and_what_waited_for_it_ends_skipped()
    {
        var id = (await _bench.CreateAsync(new { url = Url })).Id();
        await _bench.RaiseAsync();

        var deleted = await _bench.SendAsync(HttpMethod.Delete, $"/webhooks/endpoints/{id}");
        await _bench.DeliverDueAsync();

        Assert.Equal((HttpStatusCode.NoContent, ""), (deleted.Status, deleted.Text));
        (await _bench.GetAsync($"/webhooks/endpoints/{id}")).ExpectProblem(404, "not_found");
        (await _bench.SendAsync(HttpMethod.Delete, $"/webhooks/endpoints/{id}")).ExpectProblem(404, "not_found");
        var log = (await _bench.GetAsync($"/webhooks/deliveries?endpoint_id={id}")).Expect(HttpStatusCode.OK).GetProperty("data");
        Assert.Equal("skipped/endpoint_disabled", $"{Assert.Single(log.EnumerateArray()).Text("state")}/{log[0].Text("reason")}");
    }

    [Fact]
    public async Task Endpoints_are_listed_newest_first_and_the_pages_are_the_whole_list()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Insert(0, (await _bench.CreateAsync(new { url = Url })).Id());
            _bench.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var listed = new List<string>();
        for (var next = "/webhooks/endpoints?limit=2"; next is not null;)
        {
            var page = (await _bench.GetAsync(next)).Expect(HttpStatusCode.OK);
            listed.AddRange(page.GetProperty("data").EnumerateArray().Select(e => e.Id()));
            next = page.Text("next");
        }

        Assert.Equal(ids, listed);
    }

    [Fact]
    public async Task The_hundred_and_first_endpoint_is_refused()
    {
        await _bench.CreateAsync(new { url = Url });
        await _bench.ExecuteAsync("""
            insert into webhook_endpoints (workspace_id, id, url, events, secret, signature_header, timeout_seconds, retry_policy, enabled, created_at, updated_at)
            select workspace_id, gen_random_uuid(), url, events, secret, signature_header, timeout_seconds, retry_policy, enabled, created_at, updated_at
              from webhook_endpoints, generate_series(1, 99)
            """);

        (await _bench.PostAsync("/webhooks/endpoints", new { url = Url })).ExpectProblem(409, "conflict");
    }

    [Fact]
    public async Task Routing_sees_a_change_with_the_next_signal()
    {
        var snapshots = _bench.Services.GetRequiredService<WorkspaceSnapshots<EndpointSet>>();
        Assert.Empty((await snapshots.GetAsync(_bench.Workspace)).All);
        var before = await _bench.ScalarAsync<long>("select version from workspaces where id = $1", _bench.Workspace);

        var id = (await _bench.CreateAsync(new { url = Url, filter = new { when = "icp.score > 1" } })).Id();
        Assert.NotNull(Assert.Single((await snapshots.GetAsync(_bench.Workspace)).All).When);
        await _bench.PatchAsync(id, new { enabled = false });
        Assert.False(Assert.Single((await snapshots.GetAsync(_bench.Workspace)).All).Enabled);
        await _bench.SendAsync(HttpMethod.Delete, $"/webhooks/endpoints/{id}");
        Assert.Empty((await snapshots.GetAsync(_bench.Workspace)).All);

        Assert.Equal(before + 3, await _bench.ScalarAsync<long>("select version from workspaces where id = $1", _bench.Workspace));
    }

    [Fact]
    public async Task Parallel_patches_of_different_fields_all_stay()
    {
        var id = (await _bench.CreateAsync(new { url = Url })).Id();

        object[] patches = [new { description = "d" }, new { timeout_seconds = 3 }, new { max_per_second = 4 }, new { signature_header = "X-A" }, new { enabled = false }];
        await Task.WhenAll(patches.Select(patch => _bench.PatchAsync(id, patch)));

        var read = (await _bench.GetAsync($"/webhooks/endpoints/{id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(("d", 3, 4, "X-A", false), (read.Text("description"), read.GetProperty("timeout_seconds").GetInt32(),
            read.GetProperty("max_per_second").GetInt32(), read.Text("signature_header"), read.GetProperty("enabled").GetBoolean()));
    }

    [Fact]
    public async Task Another_workspaces_endpoint_is_not_found()
    {
        var id = (await _bench.CreateAsync(new { url = Url })).Id();
        var other = await _bench.AddWorkspaceAsync();
        var path = $"/webhooks/endpoints/{id}";

        (HttpMethod Method, string Path, object? Body)[] requests =
        [
            (HttpMethod.Get, path, null), (HttpMethod.Put, path, new { url = Url }), (HttpMethod.Patch, path, new { enabled = false }),
            (HttpMethod.Delete, path, null), (HttpMethod.Post, $"{path}/rotate", null), (HttpMethod.Post, $"{path}/rotate/finish", null),
            (HttpMethod.Post, $"{path}/test", null),
        ];
        foreach (var (method, target, body) in requests)
        {
            (await _bench.SendAsync(method, target, body, other)).ExpectProblem(404, "not_found");
            (await _bench.SendAsync(method, target.Replace(id, "ep_nonsense", StringComparison.Ordinal), body)).ExpectProblem(404, "not_found");
        }
        Assert.Empty((await _bench.GetAsync("/webhooks/endpoints", other)).Expect(HttpStatusCode.OK).GetProperty("data").EnumerateArray());
        Assert.True((await _bench.GetAsync(path)).Expect(HttpStatusCode.OK).GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public void Reading_needs_the_scope_read_the_rest_manage_and_both_a_live_key()
    {
        var routes = _bench.Routes();

        Assert.Equal(17, routes.Count);
        Assert.All(routes, route =>
        {
            var access = Assert.Single(route.Metadata.OfType<RequiredAccess>());
            var isGet = route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains("GET");
            Assert.Equal(new RequiredAccess(isGet ? Scopes.Read : Scopes.Manage, Operator: false, LiveOnly: true), access);
            Assert.Contains(route.Metadata.OfType<IProducesResponseTypeMetadata>(), p => p.StatusCode is >= 200 and <= 299);
        });
    }
}
