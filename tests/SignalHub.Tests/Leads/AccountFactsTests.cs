using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Leads;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Leads;

public sealed class AccountFactsTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private SliceHost _host = null!;
    private SliceClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await ReadingSlice.StartAsync(time: _clock);
        _client = await _host.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private static FactView Fact(string source, int minute) => new(default, source, StoredRows.Minute(minute));

    private static string Detail(JsonElement problem) => problem.GetProperty("detail").GetString()!;

    [Fact]
    public async Task A_company_that_is_not_known_is_made()
    {
        var created = await _client.PutAsync("/accounts/www.Acme.com", new { name = " Acme ", attributes = new { employees = 320, industry = "software", tags = new object[] { "b2b", 1, true } } }, 201);

        Assert.Equal(("Acme", "acme.com", """["acme.com"]"""), (created.GetProperty("name").GetString(), created.GetProperty("domain").GetString(), created.GetProperty("domains").GetRawText()));
        Assert.Equal("""{"employees":320,"industry":"software","tags":["b2b",1,true]}""", Sorted(created.GetProperty("attributes")));
        Assert.Equal("""{"value":320,"source":"explicit","at":"2026-03-14T09:26:53Z"}""", created.GetProperty("facts").GetProperty("employees").GetRawText());
        Assert.Equal(created.GetRawText(), (await _client.GetAsync($"/accounts/{created.GetProperty("id").GetString()}")).GetRawText());
        Assert.Equal(created.GetRawText(), (await _client.GetAsync("/accounts/acme.com")).GetRawText());
    }

    private static string Sorted(JsonElement members) =>
        JsonSerializer.Serialize(new SortedDictionary<string, JsonElement>(members.Deserialize<Dictionary<string, JsonElement>>()!, StringComparer.Ordinal));

    [Fact]
    public async Task What_is_not_named_stays_and_null_removes()
    {
        var id = (await _client.PutAsync("/accounts/acme.com", new { name = "Acme", attributes = new { employees = 320, country = "DE" } }, 201)).GetProperty("id").GetString();
        _clock.Advance(TimeSpan.FromMinutes(1));

        var changed = await _client.PutAsync("/accounts/acme.com", """{"attributes":{"country":null,"industry":"software","never_known":null}}""");

        Assert.Equal((id, "Acme"), (changed.GetProperty("id").GetString(), changed.GetProperty("name").GetString()));
        Assert.Equal("""{"employees":320,"industry":"software"}""", Sorted(changed.GetProperty("attributes")));
        Assert.Equal("2026-03-14T09:26:53Z", changed.GetProperty("facts").GetProperty("employees").GetProperty("at").GetString());
        Assert.Equal("2026-03-14T09:27:53Z", changed.GetProperty("facts").GetProperty("industry").GetProperty("at").GetString());
        Assert.Equal(changed.GetRawText(), (await _client.PutAsync("/accounts/acme.com", "{}")).GetRawText());
    }

    [Fact]
    public async Task A_name_that_is_replaced_is_kept_in_the_history()
    {
        await _client.PutAsync("/accounts/acme.com", new { name = "Acme Inc" }, 201);
        await _client.PutAsync("/accounts/acme.com", new { name = "Acme" });
        await _client.PutAsync("/accounts/acme.com", new { name = "Acme" });

        Assert.Equal("name=Acme Inc", await _host.ScalarAsync<string>(
            "select string_agg(field || '=' || value, ',') from profile_history where workspace_id = $1", _client.Workspace));
    }

    [Fact]
    public async Task What_is_said_here_beats_what_was_mapped_or_lies_in_the_future()
    {
        var rows = new StoredRows(_host, _client.Workspace);
        await rows.AccountAsync(1, "acme.com", facts: """
            {"employees":{"value":1,"source":"mapped","at":"2099-01-01T00:00:00Z"},"industry":{"value":"x","source":"derived","at":"2026-03-14T08:00:00Z"},
             "country":{"value":"FR","source":"explicit","at":"2099-01-01T00:00:00Z"}}
            """);

        var changed = await _client.PutAsync("/accounts/acme.com", new { attributes = new { employees = 2, country = "DE" } });

        Assert.Equal("""{"country":"DE","employees":2,"industry":"x"}""", Sorted(changed.GetProperty("attributes")));
        Assert.Equal("derived", changed.GetProperty("facts").GetProperty("industry").GetProperty("source").GetString());
    }

    [Fact]
    public void Explicit_beats_mapped_beats_derived_then_the_newer_one()
    {
        Assert.True(AccountFacts.Replaces(Fact("derived", 0), null));
        Assert.True(AccountFacts.Replaces(Fact("explicit", 0), Fact("mapped", 9)));
        Assert.True(AccountFacts.Replaces(Fact("mapped", 0), Fact("derived", 9)));
        Assert.False(AccountFacts.Replaces(Fact("mapped", 9), Fact("explicit", 0)));
        Assert.False(AccountFacts.Replaces(Fact("derived", 9), Fact("mapped", 0)));
        Assert.True(AccountFacts.Replaces(Fact("mapped", 9), Fact("mapped", 0)));
        Assert.False(AccountFacts.Replaces(Fact("mapped", 0), Fact("mapped", 9)));
    }

    [Fact]
    public void The_order_of_arrival_does_not_decide_who_is_believed()
    {
        var facts = from source in Gen.Elements("explicit", "mapped", "derived") from minute in Gen.Choose(0, 3) select Fact(source, minute);
        Prop.ForAll(facts.ListOf(4).ToArbitrary(), given =>
        {
            var forwards = given.Aggregate((FactView?)null, (known, fact) => AccountFacts.Replaces(fact, known) ? fact : known)!;
            var backwards = Enumerable.Reverse(given).Aggregate((FactView?)null, (known, fact) => AccountFacts.Replaces(fact, known) ? fact : known)!;
            return (forwards.Source, forwards.At) == (backwards.Source, backwards.At);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("gmail.com", "free_mail")]
    [InlineData("co.uk", "public_suffix")]
    [InlineData("acme", "single_label")]
    [InlineData("10.0.0.1", "ip_literal")]
    [InlineData("undefined", "placeholder")]
    public async Task A_path_that_is_no_company_is_refused(string domain, string reason)
    {
        var problem = await _client.PutAsync($"/accounts/{domain}", new { name = "Acme" }, 422);

        Assert.Equal("invalid_domain", problem.GetProperty("code").GetString());
        Assert.Contains($"({reason})", Detail(problem), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"nam":"Acme"}""", 400, "unknown_field", "/nam")]
    [InlineData("""{"name":5}""", 422, "invalid_type", "/name")]
    [InlineData("""{"attributes":[]}""", 422, "invalid_type", "/attributes")]
    [InlineData("""{"attributes":{"Employees":5}}""", 422, "invalid_value", "/attributes/Employees")]
    [InlineData("""{"attributes":{"employee count":5}}""", 422, "invalid_value", "/attributes/employee count")]
    [InlineData("""{"attributes":{"a/b":5}}""", 422, "invalid_value", "/attributes/a~1b")]
    [InlineData("""{"attributes":{"":5}}""", 422, "invalid_value", "/attributes/")]
    [InlineData("""{"attributes":{"a\n":5}}""", 422, "invalid_value", "/attributes/a\n")]
    [InlineData("""{"attributes":{"1a":5}}""", 422, "invalid_value", "/attributes/1a")]
    [InlineData("""{"attributes":{"name":"Acme"}}""", 422, "invalid_value", "/attributes/name")]
    [InlineData("""{"attributes":{"domain":"acme.com"}}""", 422, "invalid_value", "/attributes/domain")]
    [InlineData("""{"attributes":{"a":{"b":1}}}""", 422, "invalid_type", "/attributes/a")]
    [InlineData("""{"attributes":{"a":[[1]]}}""", 422, "invalid_type", "/attributes/a")]
    [InlineData("""{"attributes":{"a":[null]}}""", 422, "invalid_type", "/attributes/a")]
    [InlineData("""{"attributes":{"a":"x\u0000"}}""", 422, "unsupported_character", "/attributes/a")]
    [InlineData("""{"attributes":{"a":1e400}}""", 422, "number_out_of_range", "/attributes/a")]
    [InlineData("""{"attributes":{"a":1,"a":2}}""", 400, "duplicate_member", "/attributes/a")]
    public async Task A_bad_field_is_named(string body, int status, string code, string pointer)
    {
        var problem = await _client.PutAsync("/accounts/acme.com", body, status);

        Assert.Equal((code, pointer), (problem.GetProperty("code").GetString(), problem.GetProperty("errors")[0].GetProperty("pointer").GetString()));
        Assert.Equal("not_found", (await _client.GetAsync("/accounts/acme.com", 404)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Sizes_are_bounded()
    {
        var large = await _client.PutAsync("/accounts/acme.com", new { name = new string('x', 501), attributes = new { a = new string('x', 4_095) } }, 422);
        Assert.Equal(["/name", "/attributes/a"], large.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("pointer").GetString()));
        Assert.Equal("too_long", large.GetProperty("code").GetString());

        await _client.PutAsync("/accounts/acme.com", new { name = new string('x', 500), attributes = new { a = new string('x', 4_094) } }, 201);
        await _client.PutAsync("/accounts/acme.com", new { attributes = Attributes(99) });
        var tooMany = await _client.PutAsync("/accounts/acme.com", new { attributes = new { one_more = 1 } }, 422);
        Assert.Equal(("out_of_range", "/attributes"), (tooMany.GetProperty("code").GetString(), tooMany.GetProperty("errors")[0].GetProperty("pointer").GetString()));
        await _client.PutAsync("/accounts/acme.com", """{"attributes":{"one_more":1,"a":null}}""");
        Assert.Equal("out_of_range", (await _client.PutAsync("/accounts/acme.com", new { attributes = Attributes(101) }, 422)).GetProperty("code").GetString());

        static Dictionary<string, int> Attributes(int count) => Enumerable.Range(0, count).ToDictionary(i => $"n{i}", i => i);
    }

    [Fact]
    public async Task Leads_are_scored_again_only_when_conditions_would_see_something_else()
    {
        var scored = new List<(Guid Workspace, Guid Account)>();
        _host.Services.GetRequiredService<AccountEditor>().OnFactsChanged = (workspace, account, _) =>
        {
            scored.Add((workspace, account));
            return Task.CompletedTask;
        };

        var created = await _client.PutAsync("/accounts/acme.com", new { attributes = new { employees = 320 } }, 201);
        await _client.PutAsync("/accounts/acme.com", """{"attributes":{"employees":320.0}}""");
        await _client.PutAsync("/accounts/acme.com", new { attributes = new { employees = 321 } });
        await _client.PutAsync("/accounts/acme.com", new { name = "Acme" });
        await _client.PutAsync("/accounts/acme.com", """{"attributes":{"Bad":1}}""", 422);

        Assert.True(Ids.TryParse(Ids.Account, created.GetProperty("id").GetString(), out var id));
        Assert.Equal(Enumerable.Repeat((_client.Workspace, id), 3), scored);
    }

    [Fact]
    public async Task Twenty_at_once_make_one_company_with_what_all_of_them_said()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            _client.SendAsync(HttpMethod.Put, "/accounts/acme.com", new Dictionary<string, object> { ["attributes"] = new Dictionary<string, int> { [$"n{i}"] = i } })));

        Assert.Single(answers, a => a.Status == 201);
        Assert.Equal(19, answers.Count(a => a.Status == 200));
        Assert.Single(answers.Select(a => a.Body.GetProperty("id").GetString()).Distinct());
        Assert.Equal(20, (await _client.GetAsync("/accounts/acme.com")).GetProperty("attributes").EnumerateObject().Count());
        Assert.Single((await _client.GetAsync("/accounts")).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task Workspaces_have_companies_of_their_own()
    {
        var other = await _host.NewWorkspaceAsync();
        var mine = await _client.PutAsync("/accounts/acme.com", new { name = "Mine" }, 201);
        var theirs = await other.PutAsync("/accounts/acme.com", new { name = "Theirs" }, 201);

        Assert.NotEqual(mine.GetProperty("id").GetString(), theirs.GetProperty("id").GetString());
        Assert.Equal("Mine", (await _client.GetAsync("/accounts/acme.com")).GetProperty("name").GetString());
    }
}
