using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Ends pending deliveries because somebody said so.</summary>
public sealed class CancelStore(Database database, TimeProvider clock)
{
    /// <summary>
    /// What somebody has claimed is left to its outcome: a request that may be on its way cannot be called back, and a delivery
    /// that is called cancelled is never sent. A claimer whose lease is over is fenced off, as its row is gone.
    /// </summary>
    private const string CancelSql = """
        with cancelled as (
            delete from delivery_queue q
             where q.workspace_id = @workspace and q.id = @id and (q.claims = 0 or q.next_at <= coalesce(@now, now()))
            returning q.*
        )
        insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            ended_at, state, reason, attempt, step, last_status, last_error)
        select workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            coalesce(@now, now()), @state, @reason, attempt, step, last_status, last_error
          from cancelled
        """;

    /// <summary>Ends a delivery that waits as <c>cancelled/cancelled_by_user</c>. Wake the dispatcher afterwards: of an ordered endpoint the next may go.</summary>
    /// <returns>False: nothing was changed, as it is being sent, has ended or is not the workspace's.</returns>
    public async Task<bool> CancelAsync(Guid workspaceId, Guid deliveryId, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(CancelSql);
        command.Parameters.AddWithValue("workspace", workspaceId);
        command.Parameters.AddWithValue("id", deliveryId);
        command.Parameters.AddWithValue("state", Ending.CancelledByUser.State);
        command.Parameters.AddWithValue("reason", Ending.CancelledByUser.Reason!);
        command.Parameters.Add(SqlArrays.Now(clock));
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
