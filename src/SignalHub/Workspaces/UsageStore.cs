using System.Runtime.InteropServices;
using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>Usage in PostgreSQL, so that a restart forgets nothing that matters: events per 10 s slot and per UTC day.</summary>
public sealed class UsageStore(Database database)
{
    /// <summary>Short enough that a restart's rounding costs a sixth of the window, long enough that a busy workspace writes one row.</summary>
    internal static readonly TimeSpan SlotLength = TimeSpan.FromSeconds(10);

    private const string AddBatch = """
        insert into usage_batches (workspace_id, slot, events, counted_today)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[])
        """;

    // Two nodes that do this together share the rows: each row is deleted once, and added by whoever deleted it. Both write
    // the sums in one order, so that neither waits for the other in turn.
    private const string AddUp = """
        with done as (delete from usage_batches returning workspace_id, slot, events, counted_today),
        slots as (
            insert into usage_slots as u (workspace_id, slot, events)
            select workspace_id, slot, sum(events) from done group by workspace_id, slot order by workspace_id, slot
            on conflict on constraint usage_slots_pkey do update set events = u.events + excluded.events)
        insert into usage_days as u (workspace_id, day, events)
        select workspace_id, (slot at time zone 'UTC')::date as day, sum(counted_today) from done
         group by workspace_id, day having sum(counted_today) > 0 order by workspace_id, day
        on conflict on constraint usage_days_pkey do update set events = u.events + excluded.events
        """;

    /// <summary>
    /// Adds to a batch what its events cost: one row per workspace and slot. To be run in the transaction that stores the events;
    /// nothing is added for no events.
    /// </summary>
    /// <param name="batch">Gets up to one command.</param>
    /// <param name="events">Each event with the instant it was admitted; test signals do not cost the day.</param>
    public static void AddTo(NpgsqlBatch batch, IEnumerable<(Guid WorkspaceId, DateTimeOffset At, bool IsTest)> events)
    {
        var used = new Dictionary<(Guid WorkspaceId, DateTime Slot), (long Events, long CountedToday)>();
        foreach (var (workspaceId, at, isTest) in events)
        {
            ref var sums = ref CollectionsMarshal.GetValueRefOrAddDefault(
                used, (workspaceId, new DateTime(at.UtcTicks - (at.UtcTicks % SlotLength.Ticks), DateTimeKind.Utc)), out _);
            sums.Events++;
            sums.CountedToday += isTest ? 0 : 1;
        }
        if (used.Count > 0)
        {
            KeyValuePair<(Guid WorkspaceId, DateTime Slot), (long Events, long CountedToday)>[] rows = [.. used];
            batch.Add(AddBatch)
                .Column(rows.Of(r => r.Key.WorkspaceId)).Column(rows.Of(r => new DateTimeOffset(r.Key.Slot)))
                .Column(rows.Of(r => r.Value.Events)).Column(rows.Of(r => r.Value.CountedToday));
        }
    }

    /// <summary>Adds what batches used to the slots and days.</summary>
    internal async Task AddUpAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(AddUp);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Removes slots that no window can reach any more; answers how many.</summary>
    internal async Task<int> DeleteSlotsBeforeAsync(DateTimeOffset oldest, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("delete from usage_slots where slot < $1");
        command.Parameters.Add(new NpgsqlParameter { Value = oldest });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
