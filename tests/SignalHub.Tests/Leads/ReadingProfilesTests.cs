using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Leads;

public sealed class ReadingProfilesTests : IAsyncLifetime
{
    private SliceHost _host = null!;
    private SliceClient _client = null!;
    private StoredRows _rows = null!;

    public async Task InitializeAsync()
    {
        _host = await ReadingSlice.StartAsync();
        _client = await _host.NewWorkspaceAsync();
        _rows = new StoredRows(_host, _client.Workspace);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    private static string Contact(Guid id) => Ids.Text(Ids.Contact, id);

    private static string Account(Guid id) => Ids.Text(Ids.Account, id);

    private async Task<string[]> ListAsync(string path) =>
        [.. (await _client.GetAsync(path)).GetProperty("data").EnumerateArray().Select(l => l.GetProperty("id").GetString()!)];

    private async Task<string?> IdAsync(string path) => (await _client.GetAsync(path)).GetProperty("id").GetString();

    [Fact]
    public async Task A_person_is_found_by_any_spelling_of_an_address()
    {
        var jane = await _rows.ContactAsync(1, "jane@acme.com");
        await _rows.EmailAsync(jane, "janedoe@gmail.com", 2);
        await _rows.ContactAsync(3, "joe@acme.com");

        Assert.Equal([Contact(jane)], await ListAsync("/contacts?email=JANE@Acme.com"));
        Assert.Equal([Contact(jane)], await ListAsync("/contacts?email=j.a.n.e.doe%2Bnews@googlemail.com"));
        Assert.Empty(await ListAsync("/contacts?email=nobody@acme.com"));
        var problem = await _client.GetAsync("/contacts?email=nonsense", 400);
        Assert.Equal("email has no @ sign (no_at_sign).", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task People_of_a_company_are_also_those_of_the_company_that_was_merged_into_it()
    {
        var kept = await _rows.AccountAsync(1, "acme.com");
        var gone = await _rows.AccountAsync(2, "acme.io", mergedInto: kept);
        var one = await _rows.ContactAsync(3, "a@acme.com", kept);
        var two = await _rows.ContactAsync(4, "b@acme.io", gone);
        await _rows.ContactAsync(5, "c@other.com");

        Assert.Equal([Contact(two), Contact(one)], await ListAsync($"/contacts?account_id={Account(kept)}"));
        Assert.Equal([Contact(two), Contact(one)], await ListAsync($"/contacts?account_id={Account(gone)}"));
        Assert.Equal("invalid_query", (await _client.GetAsync("/contacts?account_id=acme", 400)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Those_who_were_merged_lead_to_the_survivor_and_are_in_no_list()
    {
        var account = await _rows.AccountAsync(1, "acme.com");
        var goneAccount = await _rows.AccountAsync(2, mergedInto: account);
        var contact = await _rows.ContactAsync(3, "jane@acme.com", goneAccount);
        var goneContact = await _rows.ContactAsync(4, mergedInto: contact);

        Assert.Equal([Account(account)], await ListAsync("/accounts"));
        Assert.Equal([Contact(contact)], await ListAsync("/contacts"));
        Assert.Equal(Account(account), await IdAsync($"/accounts/{Account(goneAccount)}"));
        Assert.Equal(Contact(contact), await IdAsync($"/contacts/{Contact(goneContact)}"));
        Assert.Equal(Account(account), (await _client.GetAsync($"/contacts/{Contact(goneContact)}")).GetProperty("account_id").GetString());
    }

    [Fact]
    public async Task A_company_is_found_by_id_and_by_any_form_of_any_of_its_domains()
    {
        var account = await _rows.AccountAsync(1, "acme.com");
        await _rows.DomainAsync(account, "acme.co.uk", 2);
        await _rows.AccountAsync(3, "other.com");

        foreach (var path in new[] { $"/accounts/{Account(account)}", "/accounts/acme.com", "/accounts/WWW.Acme.co.uk", "/accounts/https:%2F%2Fwww.acme.com%2Fpricing" })
        {
            Assert.Equal((path, Account(account)), (path, await IdAsync(path)));
        }
        Assert.Equal([Account(account)], await ListAsync("/accounts?domain=https://shop.acme.co.uk/x"));
        Assert.Empty(await ListAsync("/accounts?domain=nobody.com"));
        Assert.Equal("invalid_query", (await _client.GetAsync("/accounts?domain=gmail.com", 400)).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("/accounts")]
    [InlineData("/contacts")]
    public async Task Pages_add_up_to_the_list_also_where_times_are_equal(string path)
    {
        for (var i = 0; i < 11; i++)
        {
            await _rows.AccountAsync(i / 4, $"acme{i}.com");
            await _rows.ContactAsync(i / 4, $"jane@acme{i}.com");
        }
        var whole = await ListAsync(path);

        var pages = new List<string>();
        for (var next = $"{path}?limit=3"; next is not null;)
        {
            var page = await _client.GetAsync(next);
            pages.AddRange(page.GetProperty("data").EnumerateArray().Select(l => l.GetProperty("id").GetString()!));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(11, whole.Length);
        Assert.Equal(whole, pages);
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_503()
    {
        var name = await _host.ScalarAsync<string>("select current_database()::text");
        await using (var admin = new Npgsql.NpgsqlConnection(new Npgsql.NpgsqlConnectionStringBuilder(await TestPostgres.CreateDatabaseAsync()) { Pooling = false }.ConnectionString))
        {
            await admin.OpenAsync();
            await using var command = new Npgsql.NpgsqlCommand($"alter database {name} allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'", admin);
            await command.ExecuteNonQueryAsync();
        }

        Assert.Equal("database_unavailable", (await _client.GetAsync("/leads", 503)).GetProperty("code").GetString());
    }
}
