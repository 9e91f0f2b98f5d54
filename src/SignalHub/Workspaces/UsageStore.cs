using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>Usage in PostgreSQL, so that a restart forgets nothing that matters: events per 10 s slot and per UTC day.</summary>
public sealed class UsageStore(Database database)
{
    /// <summary>Short enough that a restart's rounding costs a sixth of the window, long enough that a busy workspace writes one row.</summary>
    internal static readonly TimeSpan SlotLength = TimeSpan.FromSeconds(10);

    // Each row once per statement, and all nodes in one order: no two of them wait for each other.
    private const string AddSlots = """
        insert into usage_slots as u (workspace_id, slot, events)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) as n (workspace_id, slot, events) order by workspace_id, slot
        on conflict on constraint usage_slots_pkey do update set events = u.events + excluded.events
        """;

    private const string AddDays = """
        insert into usage_days as u (workspace_id, day, events)
        select * from unnest($1::uuid[], $2::date[], $3::bigint[]) as n (workspace_id, day, events) order by workspace_id, day
        on conflict on constraint usage_days_pkey do update set events = u.events + excluded.events
        """;

    /// <summary>
    /// Adds to a batch what its events cost: one row per workspace and slot, and one per workspace and day (not for test
    /// signals). To be run in the transaction that stores the events; nothing is added for no events.
    /// </summary>
    /// <param name="batch">Gets up to two commands.</param>
    /// <param name="events">Each event with the instant it was admitted.</param>
    public static void AddTo(NpgsqlBatch batch, IEnumerable<(Guid WorkspaceId, DateTimeOffset At, bool IsTest)> events)
    {
        var slots = new Dictionary<(Guid WorkspaceId, DateTime Slot), long>();
        var days = new Dictionary<(Guid WorkspaceId, DateOnly Day), long>();
        foreach (var (workspaceId, at, isTest) in events)
        {
            var slot = new DateTime(at.UtcTicks - (at.UtcTicks % SlotLength.Ticks), DateTimeKind.Utc);
            slots[(workspaceId, slot)] = slots.GetValueOrDefault((workspaceId, slot)) + 1;
            if (!isTest)
            {
                var day = DateOnly.FromDateTime(slot);
                days[(workspaceId, day)] = days.GetValueOrDefault((workspaceId, day)) + 1;
            }
        }
        if (slots.Count > 0)
        {
            batch.BatchCommands.Add(Command(AddSlots, slots, NpgsqlDbType.TimestampTz));
        }
        if (days.Count > 0)
        {
            batch.BatchCommands.Add(Command(AddDays, days, NpgsqlDbType.Date));
        }
    }

    /// <summary>Removes slots that no window can reach any more; answers how many.</summary>
    internal async Task<int> DeleteSlotsBeforeAsync(DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("delete from usage_slots where slot < $1");
        command.Parameters.Add(new NpgsqlParameter { Value = oldest });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlBatchCommand Command<TTime>(string sql, Dictionary<(Guid WorkspaceId, TTime Time), long> rows, NpgsqlDbType time) => new(sql)
    {
        Parameters =
        {
            new() { Value = rows.Keys.Select(k => k.WorkspaceId).ToArray() },
            new() { Value = rows.Keys.Select(k => k.Time).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | time },
            new() { Value = rows.Values.ToArray() },
        },
    };
}
