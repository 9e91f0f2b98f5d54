using Npgsql;
using NpgsqlTypes;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>One of them: an account by its id, or that of a domain, known or not.</summary>
public readonly record struct AccountReference(Guid? Id, string? Domain);

/// <summary>Writes what is known of an account, under the lock that the intake takes too.</summary>
public sealed class AccountFactStore(Database database)
{
    private const string KeyConstraint = "account_identities_pkey";

    // Each further attempt means that somebody created or merged this very account in between.
    private const int MaxAttempts = 5;

    private const string Columns = "a.id, a.created_at, a.name, a.name_at, a.domain, a.facts, a.merged_into";

    private const string FindByDomain = $"""
        select {Columns}
          from account_identities i
          join accounts a on a.workspace_id = i.workspace_id and a.id = i.account_id
         where i.workspace_id = @workspace_id and i.kind = 'domain' and i.key = @domain
           for update of a
        """;

    private const string FindById = $"""
        select {Columns}
          from accounts a
         where a.workspace_id = @workspace_id
           and a.id = (select coalesce(x.merged_into, x.id) from accounts x where x.workspace_id = @workspace_id and x.id = @id)
           for update of a
        """;

    // The key last: it is what another writer of the same domain is waiting for, or is first with.
    private const string Insert = """
        insert into accounts (workspace_id, id, name, name_at, domain, facts, created_at, updated_at)
        values (@workspace_id, @id, @name, @name_at, @domain, @facts, @now, @now);
        insert into account_identities (workspace_id, kind, key, account_id, created_at)
        values (@workspace_id, 'domain', @domain, @id, @now)
        """;

    private const string Update = """
        update accounts set name = @name, name_at = @name_at, facts = @facts, updated_at = @now
         where workspace_id = @workspace_id and id = @id
        """;

    // A name that another company is found by stays with that one.
    private const string InsertName = """
        insert into account_identities (workspace_id, kind, key, account_id, created_at)
        select @workspace_id, 'name', @key, @id, @now
         where (select count(*) from account_identities where workspace_id = @workspace_id and account_id = @id and kind = 'name') < @most
        on conflict do nothing
        """;

    private const string AddHistory = """
        insert into profile_history (workspace_id, subject_id, id, field, value, replaced_at)
        values (@workspace_id, @subject_id, @id, @field, @value, @now)
        """;

    /// <summary>
    /// Loads the account, or makes that of a domain, and stores what <paramref name="change"/> makes of it. A problem stores
    /// nothing. <paramref name="change"/> may run more than once, each time on another state.
    /// </summary>
    public async Task<(AccountState? Account, Problem? Problem)> ChangeAsync(
        Guid workspaceId, AccountReference reference, DateTimeOffset now, Func<AccountState, List<ReplacedValue>, Problem?> change, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var account = await FindAsync(connection, workspaceId, reference, cancellationToken)
                ?? (reference.Domain is { } domain ? New(workspaceId, domain, now) : null);
            if (account is null)
            {
                return (null, Problem.NotFound("The account"));
            }
            if (account.MergedInto is not null && attempt < MaxAttempts)
            {
                continue;   // merged while this waited for its lock; by now the key leads to the survivor
            }
            var history = new List<ReplacedValue>();
            if (change(account, history) is { } problem)
            {
                return (account, problem);
            }
            try
            {
                await SaveAsync(connection, account, history, now, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return (account, null);
            }
            catch (PostgresException e) when (e.ConstraintName == KeyConstraint && attempt < MaxAttempts)
            {
                // Another writer made the account first: it is there now.
            }
        }
    }

    private static AccountState New(Guid workspaceId, string domain, DateTimeOffset now) => new()
    {
        WorkspaceId = workspaceId,
        Id = Ids.New(now),
        CreatedAt = now,
        Domain = domain,
        FactsJson = "{}",
        IsNew = true,
    };

    private static async Task<AccountState?> FindAsync(
        NpgsqlConnection connection, Guid workspaceId, AccountReference reference, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(reference.Id is null ? FindByDomain : FindById, connection);
        command.Parameters.AddWithValue("workspace_id", workspaceId);
        command.Parameters.AddWithValue(reference.Id is null ? "domain" : "id", (object?)reference.Id ?? reference.Domain!);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return !await reader.ReadAsync(cancellationToken) ? null : new AccountState
        {
            WorkspaceId = workspaceId,
            Id = reader.GetGuid(0),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(1),
            Name = reader.Text(2),
            NameAt = reader.Instant(3),
            Domain = reader.Text(4),
            FactsJson = reader.GetString(5),
            MergedInto = reader.Id(6),
        };
    }

    private static async Task SaveAsync(
        NpgsqlConnection connection, AccountState account, List<ReplacedValue> history, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(account.IsNew ? Insert : Update, connection);
        command.Parameters.AddWithValue("workspace_id", account.WorkspaceId);
        command.Parameters.AddWithValue("id", account.Id);
        command.Parameters.AddWithValue("name", NpgsqlDbType.Text, (object?)account.Name ?? DBNull.Value);
        command.Parameters.AddWithValue("name_at", NpgsqlDbType.TimestampTz, (object?)account.NameAt ?? DBNull.Value);
        command.Parameters.AddWithValue("facts", NpgsqlDbType.Jsonb, account.FactsJson);
        command.Parameters.AddWithValue("now", now);
        if (account.IsNew)
        {
            command.Parameters.AddWithValue("domain", account.Domain!);
        }
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (account.Name is { } name && CompanyNameKey.Of(name) is { } key)
        {
            await using var named = new NpgsqlCommand(InsertName, connection);
            named.Parameters.AddWithValue("workspace_id", account.WorkspaceId);
            named.Parameters.AddWithValue("id", account.Id);
            named.Parameters.AddWithValue("key", key);
            named.Parameters.AddWithValue("most", AccountState.MaxNames);
            named.Parameters.AddWithValue("now", now);
            await named.ExecuteNonQueryAsync(cancellationToken);
        }
        foreach (var replaced in history)
        {
            await using var note = new NpgsqlCommand(AddHistory, connection);
            note.Parameters.AddWithValue("workspace_id", account.WorkspaceId);
            note.Parameters.AddWithValue("subject_id", replaced.SubjectId);
            note.Parameters.AddWithValue("id", Ids.New(now));
            note.Parameters.AddWithValue("field", replaced.Field);
            note.Parameters.AddWithValue("value", NpgsqlDbType.Text, (object?)replaced.Value ?? DBNull.Value);
            note.Parameters.AddWithValue("now", now);
            await note.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
