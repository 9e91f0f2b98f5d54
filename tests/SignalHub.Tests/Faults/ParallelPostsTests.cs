using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

public sealed class ParallelPostsTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_hundred_identical_posts_at_once_make_one_row_one_delivery_and_a_hundred_equal_ids()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await _acme.NewEndpointAsync(new { url = receiver.Url, events = new[] { "signal.qualified" } });

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var response = await _acme.Client.PostAsync("/signals", Sample.Seed());
            Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
            return (response.StatusCode, Id: (string)(await response.JsonAsync(response.StatusCode))["signal_capture_id"]!);
        }));

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Created);
        Assert.Single(answers.Select(a => a.Id).Distinct());
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from delivery_queue"));
        Assert.Equal(1L, await _app.QueryAsync<long>("select signal_count from leads"));
        await _app.DeliverDueAsync();
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task Two_nodes_that_get_the_same_posts_store_each_once()
    {
        await using var other = await _app.SecondNodeAsync();
        using var second = other.WithKey(_acme.Key);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            var client = i % 2 == 0 ? _acme.Client : second;
            using var response = await client.PostAsync("/signals", Sample.Signal($"p{i / 4}@acme.com", 1));
            Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
            return (Person: i / 4, Id: (string)(await response.JsonAsync(response.StatusCode))["signal_capture_id"]!);
        }));

        Assert.All(answers.GroupBy(a => a.Person), group => Assert.Single(group.Select(a => a.Id).Distinct()));
        Assert.Equal(50L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(50L, await _app.QueryAsync<long>("select count(*) from contacts"));
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from accounts"));
        Assert.Equal(50L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
    }

    [Fact]
    public async Task Nodes_that_want_the_same_few_people_again_and_again_give_up_on_nobody()
    {
        await using var other = await _app.SecondNodeAsync();
        using var second = other.WithKey(_acme.Key);

        // Each event goes to both nodes at once, so that each writer's batch holds what the other one is about to store.
        var answers = await Task.WhenAll(Enumerable.Range(0, 480).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? _acme.Client : second).PostAsync("/signals", Sample.Signal($"p{i / 2 % 5}@acme.com", i / 10));
            return response.StatusCode;
        }));

        Assert.Equal((240, 240), (answers.Count(a => a == HttpStatusCode.Created), answers.Count(a => a == HttpStatusCode.OK)));
        Assert.Equal(240L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
    }

    [Fact]
    public async Task Crossing_identities_on_two_nodes_end_with_one_contact_per_key_and_no_deadlock()
    {
        await using var other = await _app.SecondNodeAsync();
        using var second = other.WithKey(_acme.Key);
        var deadlocks = await _app.QueryAsync<long>("select deadlocks from pg_stat_database where datname = current_database()");

        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            // A ring: each signal shares its e-mail with one neighbour and its profile with the other.
            var client = i % 2 == 0 ? _acme.Client : second;
            var identity = new JsonObject { ["email"] = $"p{i % 10}@acme.com", ["linkedin_url"] = $"in/p{(i + (i / 10)) % 10}" };
            await client.PostAsync("/signals", new { signal_type = "custom_event", source = "app", occurred_at = $"2026-03-14T08:00:{i % 60:00}.{i:000}Z", identity })
                .JsonAsync(HttpStatusCode.Created);
        }));

        Assert.Equal(100L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(100L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads where merged_into is null"));
        // Every key belongs to exactly one living contact; a few found no room on theirs (at most two profiles each).
        Assert.InRange(await _app.QueryAsync<long>("select count(*) from contact_identities"), 10, 20);
        Assert.Equal(0L, await _app.QueryAsync<long>("select count(*) from contact_identities i join contacts c on c.id = i.contact_id where c.merged_into is not null"));
        Assert.Equal(deadlocks, await _app.QueryAsync<long>("select deadlocks from pg_stat_database where datname = current_database()"));
    }
}
