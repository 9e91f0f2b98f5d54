using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Reads people by their companies, set-based.</summary>
public sealed class CompanyContactStore(Database database)
{
    // Of a company with thousands of contacts the newest hundred are looked at, from the index, and of those who decide most.
    private const string Sql = """
        select c.id, c.account_id, c.first_name, c.last_name, c.title, c.seniority, c.email, c.phone, c.created_at
          from unnest($1::uuid[], $2::uuid[]) as a (workspace_id, id)
         cross join lateral (
            select n.* from (
                select * from contacts n
                 where n.workspace_id = a.workspace_id and n.account_id = a.id and n.merged_into is null
                 order by n.created_at desc, n.id desc limit 100) n
             order by array_position($3::text[], n.seniority), n.created_at desc, n.id desc limit 10) c
        """;

    /// <summary>At most ten people of each company.</summary>
    public async Task<IReadOnlyList<CompanyContact>> LoadAsync(
        Guid workspaceId, IReadOnlyCollection<Guid> accounts, CancellationToken cancellationToken)
    {
        if (accounts.Count == 0)
        {
            return [];
        }
        await using var connection = await database.OpenAsync(cancellationToken);
        return await LoadAsync(connection, prepare: false, [.. accounts.Select(id => (workspaceId, id))], cancellationToken);
    }

    /// <summary>The same on a connection, as its transaction sees them; companies of several workspaces at once.</summary>
    public static async Task<IReadOnlyList<CompanyContact>> LoadAsync(
        NpgsqlConnection connection, bool prepare, IReadOnlyList<(Guid WorkspaceId, Guid AccountId)> accounts, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Sql).Column(accounts.Of(a => a.WorkspaceId)).Column(accounts.Of(a => a.AccountId)).Column((string?[])CompanyContacts.BySeniority);
        if (prepare)
        {
            await batch.PrepareAsync(cancellationToken);
        }
        var contacts = new List<CompanyContact>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            contacts.Add(new CompanyContact(
                reader.GetGuid(0), reader.GetGuid(1), reader.Text(2), reader.Text(3), reader.Text(4), reader.Text(5), reader.Text(6), reader.Text(7),
                reader.GetFieldValue<DateTimeOffset>(8)));
        }
        return contacts;
    }
}
