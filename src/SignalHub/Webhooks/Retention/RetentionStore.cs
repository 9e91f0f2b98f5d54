using Npgsql;
using NpgsqlTypes;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Retention;

/// <summary>
/// Removes what is over, each call one short transaction. Every statement walks a workspace's key from its beginning and stops
/// after a batch, so no index is kept for it. Transactions of several nodes exclude each other: whoever finds another one at work
/// leaves it to that.
/// </summary>
public sealed class RetentionStore(Database database)
{
    // Must only differ from the keys of other advisory locks in this database.
    internal const long LockKey = 0x5369_676E_616C_0003;

    private const string AttemptsSql = """
        delete from delivery_attempts a
         using (select delivery_id, attempt, at from delivery_attempts
                 where workspace_id = @workspace and delivery_id < @before_id and at < @before
                 order by delivery_id, attempt, at limit @batch) o
         where a.workspace_id = @workspace and a.delivery_id = o.delivery_id and a.attempt = o.attempt and a.at = o.at and a.at < @before
        """;

    // A delivery may end long after it was made. What somebody is just sending again is theirs.
    private const string EndedSql = """
        with over as (
            select created_at, id from delivery_history
             where workspace_id = @workspace and created_at < @before and ended_at < @before and state <> 'skipped'
             order by created_at, id limit @batch
               for update skip locked
        )
        delete from delivery_history h using over o
         where h.workspace_id = @workspace and h.created_at = o.created_at and h.id = o.id
        returning h.created_at, h.event_id
        """;

    private const string OldestKeptSql = """
        select created_at, id from delivery_history
         where workspace_id = @workspace and state = 'skipped'
         order by created_at desc, id desc offset @most - 1 limit 1
        """;

    // A literal word: the index on what was not delivered is used only where the planner sees it.
    private const string SkippedSql = """
        with over as (
            select created_at, id from delivery_history
             where workspace_id = @workspace and state = 'skipped' and created_at <= greatest(@before, @kept_at)
               and (created_at < @before and ended_at < @before or (created_at, id) < (@kept_at, @kept_id))
             order by created_at, id limit @batch
               for update skip locked
        )
        delete from delivery_history h using over o
         where h.workspace_id = @workspace and h.created_at = o.created_at and h.id = o.id
        returning h.created_at, h.event_id
        """;

    // Deliveries carry the millisecond of their event: those of one are found by it in either key.
    private const string EventsSql = """
        with over as (
            select o.created_at, o.id from unnest(@created, @events, @lowest, @highest) as o (created_at, id, lowest, highest)
             where not exists (select from delivery_history h
                                where h.workspace_id = @workspace and h.created_at = o.created_at and h.event_id = o.id)
               and not exists (select from delivery_queue q
                                where q.workspace_id = @workspace and q.id >= o.lowest and q.id < o.highest and q.event_id = o.id)
        ), extras as (
            delete from webhook_event_extras x using over o
             where x.workspace_id = @workspace and x.created_at = o.created_at and x.id = o.id
        )
        delete from webhook_events v using over o
         where v.workspace_id = @workspace and v.created_at = o.created_at and v.id = o.id
        """;

    private const string IsKeptSql = """
        select exists (select from delivery_history
                        where created_at >= @from and created_at < @to and ended_at >= case state when 'skipped' then @skipped else @ended end)
        """;

    private const string WaitsSql = "select exists (select from delivery_queue where created_at >= @from and created_at < @to)";

    // A month that is to be dropped is read to its end.
    private const int NoTimeout = 0;

    /// <summary>Every workspace, in the order of their keys.</summary>
    public async Task<IReadOnlyList<Guid>> WorkspacesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("select id from workspaces order by id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetGuid(0));
        }
        return ids;
    }

    /// <summary>Tries made before then, at most a batch. Null: another node is at work.</summary>
    public async Task<int?> DeleteAttemptsAsync(Guid workspaceId, DateTimeOffset before, int batch, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await TryLockAsync(connection, cancellationToken))
        {
            return null;
        }
        await using var command = Command(connection, AttemptsSql, workspaceId, before, batch);
        // A delivery is older than its tries.
        command.Parameters.AddWithValue("before_id", Ids.Lowest(before.AddMilliseconds(1)));
        var deleted = await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return deleted;
    }

    /// <summary>Deliveries that ended before then otherwise than skipped, at most a batch, and events that have none left.</summary>
    public Task<RemovedDeliveries?> DeleteEndedAsync(Guid workspaceId, DateTimeOffset before, int batch, CancellationToken cancellationToken) =>
        DeleteDeliveriesAsync(EndedSql, workspaceId, before, batch, kept: null, cancellationToken);

    /// <summary>Skipped ones that ended before then or are older than the oldest to keep, at most a batch, and their events.</summary>
    public Task<RemovedDeliveries?> DeleteSkippedAsync(
        Guid workspaceId, DateTimeOffset before, DeliveryPlace oldestKept, int batch, CancellationToken cancellationToken) =>
        DeleteDeliveriesAsync(SkippedSql, workspaceId, before, batch, oldestKept, cancellationToken);

    /// <summary>The place of the last one when the newest skipped ones are counted up to there; the default when there are not so many.</summary>
    public async Task<DeliveryPlace> OldestKeptAsync(Guid workspaceId, int most, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(OldestKeptSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("most", most);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new DeliveryPlace(reader.GetFieldValue<DateTimeOffset>(0), reader.GetGuid(1)) : default;
    }

    /// <summary>Drops a month of tries. False: somebody uses it. Null: another node is at work.</summary>
    public async Task<bool?> DropAttemptsAsync(DateOnly month, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await TryLockAsync(connection, cancellationToken))
        {
            return null;
        }
        if (!await MonthlyPartitions.TryDropAsync(connection, ["delivery_attempts"], month, cancellationToken))
        {
            return false;
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Drops a month of deliveries and with it that of events. False: somebody uses them, a delivery of the month ended later than
    /// then, or one waits. While the month is read it alone is closed for writing, so that none of its deliveries goes back to the
    /// queue unseen; only then everything stops, for a look at the queue.
    /// </summary>
    public async Task<bool?> DropDeliveriesAsync(DateOnly month, DateTimeOffset ended, DateTimeOffset skipped, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await TryLockAsync(connection, cancellationToken))
        {
            return null;
        }
        async Task<bool> AnyAsync(string sql, params NpgsqlParameter[] more)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = NoTimeout };
            command.Parameters.AddWithValue("from", MonthlyPartitions.StartOf(month));
            command.Parameters.AddWithValue("to", MonthlyPartitions.StartOf(month.AddMonths(1)));
            command.Parameters.AddRange(more);
            return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        // In the order in which the intake touches them.
        string[] tables = ["webhook_events", "webhook_event_extras", "delivery_history", "automation_runs"];
        if (!await MonthlyPartitions.TryCloseAsync(connection, tables, month, cancellationToken)
            || await AnyAsync(IsKeptSql, new("ended", ended), new("skipped", skipped))
            || !await MonthlyPartitions.TryDropAsync(connection, tables, month, cancellationToken)
            || await AnyAsync(WaitsSql))
        {
            return false;
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task<RemovedDeliveries?> DeleteDeliveriesAsync(
        string sql, Guid workspaceId, DateTimeOffset before, int batch, DeliveryPlace? kept, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await TryLockAsync(connection, cancellationToken))
        {
            return null;
        }
        var deliveries = 0;
        var events = new HashSet<(DateTimeOffset CreatedAt, Guid Id)>();
        await using (var command = Command(connection, sql, workspaceId, before, batch))
        {
            if (kept is { } place)
            {
                command.Parameters.AddWithValue("kept_at", place.CreatedAt);
                command.Parameters.AddWithValue("kept_id", place.Id);
            }
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            for (; await reader.ReadAsync(cancellationToken); deliveries++)
            {
                events.Add((reader.GetFieldValue<DateTimeOffset>(0), reader.GetGuid(1)));
            }
        }
        var removed = deliveries == 0 ? 0 : await DeleteEventsAsync(connection, workspaceId, [.. events], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new RemovedDeliveries(deliveries, removed);
    }

    private static async Task<int> DeleteEventsAsync(
        NpgsqlConnection connection, Guid workspaceId, (DateTimeOffset CreatedAt, Guid Id)[] events, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(EventsSql, connection);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("created", events.Of(e => e.CreatedAt.UtcDateTime));
        command.Parameters.AddWithValue("events", events.Of(e => e.Id));
        command.Parameters.AddWithValue("lowest", events.Of(e => Ids.Lowest(e.CreatedAt)));
        command.Parameters.AddWithValue("highest", events.Of(e => Ids.Lowest(e.CreatedAt.AddMilliseconds(1))));
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, Guid workspaceId, DateTimeOffset before, int batch)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.Add(new NpgsqlParameter("before", NpgsqlDbType.TimestampTz) { Value = before });
        command.Parameters.AddWithValue("batch", batch);
        return command;
    }

    private static async Task<bool> TryLockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select pg_try_advisory_xact_lock({LockKey})", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>What a batch removed.</summary>
public readonly record struct RemovedDeliveries(int Deliveries, int Events);

/// <summary>Where a delivery is among those of its workspace.</summary>
public readonly record struct DeliveryPlace(DateTimeOffset CreatedAt, Guid Id);
