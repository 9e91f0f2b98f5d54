using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

public sealed class ReadingTimelinesTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    private async Task<string[]> TimesAsync(string path) =>
        [.. (await _acme.GetAsync(path))["data"]!.AsArray().Select(s => ((string)s!["occurred_at"]!)[14..16])];

    private Task<JsonNode> SendAsync(int minute, string? email, string? domain = null) => _acme.IngestAsync(new
    {
        signal_type = "custom_event", source = "s", occurred_at = $"2026-03-14T08:{minute:00}:00Z", identity = new { email, company_domain = domain },
    });

    [Fact]
    public async Task A_company_shows_what_was_about_it_then_and_a_person_what_was_about_them()
    {
        await SendAsync(1, "jane@acme.com");
        await SendAsync(3, null, "acme.com");
        await SendAsync(2, "joe@acme.com");
        await SendAsync(4, "jane@acme.com", "beta.com");
        using (var test = await _acme.NewKeyAsync("test", "ingest"))
        {
            await test.PostAsync("/signals", Sample.Signal("jane@acme.com", 9)).JsonAsync(HttpStatusCode.Created);
        }

        // Jane has left; the signal of her first minute stays with the company that it was about.
        Assert.Equal(["03", "02", "01"], await TimesAsync("/accounts/acme.com/timeline"));
        Assert.Equal(["04"], await TimesAsync("/accounts/https:%2F%2Fwww.beta.com/timeline"));
        Assert.Equal(["04", "01"], await TimesAsync("/contacts/JANE@acme.com/timeline"));
        var account = await _acme.GetAsync("/accounts/acme.com");
        Assert.Equal(["03", "02", "01"], await TimesAsync($"/accounts/{account["id"]}/timeline"));
    }

    [Fact]
    public async Task Pages_add_up_and_those_who_were_never_heard_of_are_not_found()
    {
        for (var minute = 0; minute < 7; minute++)
        {
            await SendAsync(minute, "jane@acme.com");
        }
        foreach (var path in new[] { "/accounts/acme.com/timeline", "/contacts/jane@acme.com/timeline" })
        {
            var whole = await TimesAsync(path);
            var pages = new List<string>();
            for (var next = $"{path}?limit=3"; next is not null;)
            {
                pages.AddRange(await TimesAsync(next));
                next = (string?)(await _acme.GetAsync(next))["next"] is { } url ? new Uri(url).PathAndQuery : null;
            }
            Assert.Equal(["06", "05", "04", "03", "02", "01", "00"], whole);
            Assert.Equal(whole, pages);
        }

        foreach (var path in new[] { "/accounts/nobody.com/timeline", "/contacts/nobody@acme.com/timeline", "/accounts/x/timeline", "/contacts/x/timeline" })
        {
            await _acme.Client.GetAsync(new Uri(path, UriKind.Relative)).ProblemAsync(404, "not_found");
        }
        await _acme.Client.PutAsync("/contacts/ann@acme.com", new { first_name = "Ann" }).JsonAsync(HttpStatusCode.Created);
        Assert.Empty(await TimesAsync("/contacts/ann@acme.com/timeline"));
    }

    [Fact]
    public async Task People_and_companies_are_listed_by_when_they_were_made()
    {
        await SendAsync(1, "jane@acme.com");
        _app.Clock.Advance(TimeSpan.FromMinutes(10));
        var between = _app.Clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        await SendAsync(2, "joe@beta.com");

        foreach (var (list, member, early, late) in new[] { ("/accounts", "domain", "acme.com", "beta.com"), ("/contacts", "email", "jane@acme.com", "joe@beta.com") })
        {
            Assert.Equal([late], (await _acme.GetAsync($"{list}?since={between}"))["data"]!.AsArray().Select(r => (string)r![member]!));
            Assert.Equal([early], (await _acme.GetAsync($"{list}?until={between}"))["data"]!.AsArray().Select(r => (string)r![member]!));
        }
    }
}
