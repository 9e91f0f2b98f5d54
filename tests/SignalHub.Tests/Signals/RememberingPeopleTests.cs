using System.Net;
using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Signals.Intake;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>A writer remembers whom it met; what it remembers may be out of date, and must never win over what is stored.</summary>
public sealed class RememberingPeopleTests : IAsyncLifetime
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
    public async Task What_another_node_wrote_about_a_remembered_person_stays()
    {
        await using var other = await _app.SecondNodeAsync();
        using var there = other.WithKey(_acme.Key);
        var first = await _acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        await there.PostAsync("/signals", new
        {
            signal_type = "custom_event", source = "there", occurred_at = "2026-03-14T08:02:00Z", identity = new { email = "jane@acme.com", first_name = "Jane" },
        }).JsonAsync(HttpStatusCode.Created);

        var third = await _acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 3));

        Assert.Equal((string?)first["matched_record_id"], (string?)third["matched_record_id"]);
        var lead = await _acme.GetAsync($"/leads/{third["matched_record_id"]}");
        Assert.Equal("Jane", (string?)lead["contact"]!["first_name"]);
        Assert.Equal(3, (int)lead["signal_count"]!);
        Assert.Equal(1, (int)lead["attribution"]!["by_source"]!["there"]!);
    }

    [Fact]
    public async Task Facts_that_another_node_stored_score_the_next_signal()
    {
        await _acme.Client.PutAsync("/icps/Mid-market%20SaaS", new
        {
            code = "Mid-market SaaS", kind = "icp",
            criteria = new object[] { new { id = "size", label = "Employees", mode = "score", weight = 10, when = "company.employees >= 50" } },
        }).JsonAsync(HttpStatusCode.OK);
        await using var other = await _app.SecondNodeAsync();
        using var there = other.WithKey(_acme.Key);
        Assert.Equal(0, (int)(await _acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1)))["qualification"]!["icp_score"]!);
        await there.PutAsync("/accounts/acme.com", new { attributes = new { employees = 320 } }).JsonAsync(HttpStatusCode.OK);

        var known = await _acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 2));
        var colleague = await _acme.IngestAsync(Sample.Signal("john@acme.com", minute: 3));

        Assert.Equal((100, 100), ((int)known["qualification"]!["icp_score"]!, (int)colleague["qualification"]!["icp_score"]!));
    }

    [Fact]
    public async Task People_who_turn_out_to_be_one_are_joined_although_both_are_remembered()
    {
        var byMail = await _acme.IngestAsync(Sample.Signal("jane@acme.com", minute: 1));
        var byProfile = await _acme.IngestAsync(Of(new { linkedin_url = "https://www.linkedin.com/in/jane" }, minute: 2));

        var both = await _acme.IngestAsync(Of(new { email = "jane@acme.com", linkedin_url = "https://www.linkedin.com/in/jane" }, minute: 3));
        var after = await _acme.IngestAsync(Of(new { linkedin_url = "https://www.linkedin.com/in/jane" }, minute: 4));

        Assert.NotEqual((string?)byMail["contact_id"], (string?)byProfile["contact_id"]);
        Assert.Contains((string?)both["contact_id"], new[] { (string?)byMail["contact_id"], (string?)byProfile["contact_id"] });
        Assert.Equal((string?)both["contact_id"], (string?)after["contact_id"]);
        Assert.Equal(4, (int)(await _acme.GetAsync($"/leads/{after["matched_record_id"]}"))["signal_count"]!);
    }

    [Fact]
    public async Task A_duplicate_is_one_also_when_none_was_expected_any_more()
    {
        var first = await _acme.IngestAsync(Sample.Signal("jane@acme.com"));
        for (var i = 0; i < 110; i++)
        {
            await _acme.IngestAsync(Sample.Signal($"p{i}@acme.com", minute: i % 60));
        }

        var again = await _acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com")).JsonAsync(HttpStatusCode.OK);

        Assert.Equal((string?)first["signal_capture_id"], (string?)again["signal_capture_id"]);
        Assert.Equal(111L, await _app.QueryAsync<long>("select count(*) from signals"));
        Assert.Equal(111L, await _app.QueryAsync<long>("select sum(signal_count)::bigint from leads"));
        Assert.Equal(111L, await _app.CountedTodayAsync());
    }

    [Fact]
    public void Duplicates_are_looked_for_after_a_start_and_for_a_while_after_each()
    {
        var memory = new LineMemory(100);
        Assert.True(memory.ExpectsDuplicates);
        for (var i = 0; i < 100; i++)
        {
            memory.Met(0);
        }
        Assert.False(memory.ExpectsDuplicates);
        memory.Met(1);
        Assert.True(memory.ExpectsDuplicates);
    }

    [Fact]
    public void Only_the_last_met_are_remembered_and_each_for_its_workspace()
    {
        var (workspace, known) = (Ids.New(DateTimeOffset.UnixEpoch), new KnownIdentities(100));
        for (var i = 0; i < 1_000; i++)
        {
            var world = WorldOf(workspace, $"p{i}@acme.com");
            known.Claim(workspace, Sample.Identity($"p{i}@acme.com"), world);
            known.Remember(world, 7);
        }

        Assert.True(Knows(known, workspace, "p999@acme.com"));
        Assert.False(Knows(known, workspace, "p999@acme.com"));      // taken: a batch that fails leaves nothing behind
        Assert.False(Knows(known, workspace, "p0@acme.com"));
        Assert.False(Knows(known, Ids.New(DateTimeOffset.UnixEpoch), "p998@acme.com"));
        Assert.InRange(Enumerable.Range(0, 1_000).Count(i => Knows(known, workspace, $"p{i}@acme.com")), 49, 100);
    }

    private static object Of(object identity, int minute) => new
    {
        signal_type = "custom_event", source = "app", occurred_at = $"2026-03-14T08:{minute:00}:00Z", identity,
    };

    private static IdentityWorld WorldOf(Guid workspace, string email)
    {
        var world = new IdentityWorld();
        var contact = new ContactState { WorkspaceId = workspace, Id = Ids.New(DateTimeOffset.UnixEpoch), CreatedAt = DateTimeOffset.UnixEpoch };
        contact.Keys.Add(new HeldKey(IdentityKinds.Email, email, email));
        world.Contacts.Add(contact.Id, contact);
        world.ContactKeys.Add(new KeyRef(workspace, IdentityKinds.Email, email), contact.Id);
        return world;
    }

    private static bool Knows(KnownIdentities known, Guid workspace, string email) => known.TryTake(workspace, Sample.Identity(email), new IdentityWorld());
}
