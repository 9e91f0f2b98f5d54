using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What the database knows of a workspace's usage.</summary>
/// <param name="Slots">Starts of 10 s slots that reach into the last 60 s.</param>
/// <param name="Day">The UTC day of <paramref name="Today"/>.</param>
internal sealed record StoredUsage(IReadOnlyList<(DateTimeOffset Slot, int Events)> Slots, DateOnly Day, long Today);

/// <summary>Ledgers as they were at one instant.</summary>
/// <param name="Now">The database's clock.</param>
/// <param name="Ledgers">Those that exist.</param>
/// <param name="Stored">What is stored of the workspaces it was asked for.</param>
internal sealed record LedgerPage(
    DateTimeOffset Now, IReadOnlyDictionary<Guid, (long Version, byte[] Ledger)> Ledgers, IReadOnlyDictionary<Guid, StoredUsage> Stored);

/// <summary>The ledgers of usage in PostgreSQL: read, and written unless another node was first. One statement for any number of them.</summary>
public sealed class UsageLedgerStore(Database database, TimeProvider clock)
{
    // Requests wait for it, and it takes a millisecond: rather a 503 than a long wait.
    private const int PatienceSeconds = 2;

    // Each row once per statement, and all nodes in one order: no two of them wait for each other.
    private const string Swap = """
        insert into usage_ledgers as l (workspace_id, version, ledger, written_at)
        select n.workspace_id, n.version, n.ledger, @now from unnest(@workspaces, @versions, @ledgers) as n (workspace_id, version, ledger)
         order by n.workspace_id
        on conflict on constraint usage_ledgers_pkey do update
           set version = excluded.version, ledger = excluded.ledger, written_at = excluded.written_at
         where l.version = excluded.version - 1
        returning l.workspace_id
        """;

    // One statement, one snapshot: what is being added up is seen before or after it, never twice. One slot length more than the
    // window: its end lies in the window.
    private const string Stored = """
        select u.workspace_id, u.slot, sum(u.events)::bigint
          from (select workspace_id, slot, events from usage_slots
                 union all select workspace_id, slot, events from usage_batches) u
         where u.workspace_id = any(@workspaces) and u.slot > coalesce(@now, now()) - interval '70 seconds'
         group by u.workspace_id, u.slot
        union all
        select d.workspace_id, null, sum(d.events)::bigint
          from (select workspace_id, day, events from usage_days
                 union all select workspace_id, (slot at time zone 'UTC')::date, counted_today from usage_batches) d
         where d.workspace_id = any(@workspaces) and d.day = (coalesce(@now, now()) at time zone 'UTC')::date
         group by d.workspace_id
        """;

    /// <param name="workspaces">Whose ledgers to read.</param>
    /// <param name="withStored">Those of them whose stored usage is wanted too.</param>
    internal async Task<LedgerPage> ReadAsync(Guid[] workspaces, Guid[] withStored)
    {
        await using var batch = database.Source.CreateBatch();
        batch.Timeout = PatienceSeconds;
        Add(batch, workspaces, """
            select coalesce(@now, now()), l.workspace_id, l.version, l.ledger
              from (select) as once left join usage_ledgers l on l.workspace_id = any(@workspaces)
            """);
        if (withStored.Length > 0)
        {
            Add(batch, withStored, Stored);
        }
        var now = DateTimeOffset.MinValue;
        var ledgers = new Dictionary<Guid, (long, byte[])>();
        await using var reader = await batch.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            now = reader.GetFieldValue<DateTimeOffset>(0);
            if (!reader.IsDBNull(1))
            {
                ledgers.Add(reader.GetGuid(1), (reader.GetInt64(2), reader.GetFieldValue<byte[]>(3)));
            }
        }
        return new LedgerPage(now, ledgers, withStored.Length == 0 ? new Dictionary<Guid, StoredUsage>()
            : await StoredAsync(reader, withStored, DateOnly.FromDateTime(now.UtcDateTime)));
    }

    /// <summary>Writes what nobody else has written since it was read; answers of which workspaces that was.</summary>
    /// <param name="ledgers">Each with its new version: one more than the one that was read.</param>
    /// <param name="now">The database's clock when they were read.</param>
    internal async Task<HashSet<Guid>> WriteAsync(IReadOnlyList<(Guid WorkspaceId, long Version, byte[] Ledger)> ledgers, DateTimeOffset now)
    {
        await using var command = database.Source.CreateCommand(Swap);
        command.CommandTimeout = PatienceSeconds;
        command.Parameters.AddWithValue("now", now.UtcDateTime);
        command.Parameters.AddWithValue("workspaces", ledgers.Of(l => l.WorkspaceId));
        command.Parameters.AddWithValue("versions", ledgers.Of(l => l.Version));
        command.Parameters.AddWithValue("ledgers", ledgers.Of(l => l.Ledger));
        var written = new HashSet<Guid>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            written.Add(reader.GetGuid(0));
        }
        return written;
    }

    /// <summary>Removes ledgers that nobody has written since then; answers how many. What they knew of the day is stored.</summary>
    internal async Task<int> DeleteUnwrittenSinceAsync(DateTimeOffset then, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("delete from usage_ledgers where written_at < @then");
        command.Parameters.AddWithValue("then", then.UtcDateTime);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Dictionary<Guid, StoredUsage>> StoredAsync(NpgsqlDataReader reader, Guid[] workspaces, DateOnly today)
    {
        var slots = workspaces.ToDictionary(id => id, _ => new List<(DateTimeOffset, int)>());
        var days = new Dictionary<Guid, long>();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            if (await reader.IsDBNullAsync(1))
            {
                days[reader.GetGuid(0)] = reader.GetInt64(2);
            }
            else
            {
                slots[reader.GetGuid(0)].Add((reader.GetFieldValue<DateTimeOffset>(1), (int)reader.GetInt64(2)));
            }
        }
        return slots.ToDictionary(s => s.Key, s => new StoredUsage(s.Value, today, days.GetValueOrDefault(s.Key)));
    }

    private void Add(NpgsqlBatch batch, Guid[] workspaces, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(SqlArrays.Now(clock));
        command.Parameters.Add(new NpgsqlParameter("workspaces", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = workspaces });
        batch.BatchCommands.Add(command);
    }
}
