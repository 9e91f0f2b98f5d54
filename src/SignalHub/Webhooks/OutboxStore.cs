using System.Text.Json;
using Npgsql;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>
/// Writes events and their deliveries as part of somebody else's transaction: what caused them and they themselves commit
/// together or not at all. The month of <c>webhook_events</c> has to exist before the transaction.
/// </summary>
public static class OutboxStore
{
    private const string InsertEvents = """
        insert into webhook_events (workspace_id, created_at, id, type, signal_id, lead_id, body, slack_body, traceparent)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bytea[], $8::bytea[], $9::text[])
        """;

    private const string InsertExtras = """
        insert into webhook_event_extras (workspace_id, created_at, id, headers, template_error)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::jsonb[], $5::text[])
        """;

    // Due at once, also by a database clock that is behind the one that made created_at; or claimed for this process, attempt counted, as
    // a claim would leave it. Places in an order are given in that
    // of the rows; between transactions the lock on the lead keeps it.
    private const string InsertPending = """
        insert into delivery_queue (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at, next_at,
            ordinal, attempt, claims)
        select workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, created_at,
            coalesce(now() + lease, least(created_at, now())), case when ordered then nextval('delivery_ordinals') end,
            (lease is not null)::integer, (lease is not null)::integer
          from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::uuid[], $9::bool[],
                $10::interval[]) as d (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, ordered, lease)
        """;

    private const string InsertSkipped = """
        insert into delivery_history (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id, queued_at,
            ended_at, state, reason, attempt, step)
        select d.*, d.created_at, d.created_at, 'skipped', 'endpoint_disabled', 0, 0
          from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::uuid[])
            as d (workspace_id, created_at, id, endpoint_id, event_id, event_type, signal_id, lead_id)
        """;

    /// <summary>
    /// Appends the statements that insert the events, the queue rows of enabled endpoints and the history rows of disabled
    /// ones. Plain inserts: a conflict means that another node wrote the same signal, and has to fail the transaction.
    /// </summary>
    public static void AddTo(NpgsqlBatch batch, IReadOnlyList<WebhookEvent> events, IReadOnlyList<NewDelivery> deliveries)
    {
        if (events.Count > 0)
        {
            batch.Add(InsertEvents)
                .Column(events.Of(e => e.WorkspaceId)).Column(events.Of(e => e.CreatedAt)).Column(events.Of(e => e.Id))
                .Column(events.Of(e => (string?)e.Type)).Column(events.Of(e => e.SignalId)).Column(events.Of(e => e.LeadId))
                .Column(events.Of(e => e.Body)).Column(SlackBodies(events, deliveries)).Column(events.Of(e => e.Traceparent));
        }
        AddExtras(batch, [.. events.Where(e => e.Extras is not null)]);
        List<NewDelivery> pending = [.. deliveries.Where(d => d.Enabled)];
        AddDeliveries(batch, InsertPending, pending)?.Column(pending.Of(d => d.Ordered)).Column(pending.Of(d => d.Lease));
        AddDeliveries(batch, InsertSkipped, [.. deliveries.Where(d => !d.Enabled)]);
    }

    private static void AddExtras(NpgsqlBatch batch, List<WebhookEvent> events)
    {
        if (events.Count > 0)
        {
            batch.Add(InsertExtras)
                .Column(events.Of(e => e.WorkspaceId)).Column(events.Of(e => e.CreatedAt)).Column(events.Of(e => e.Id))
                .JsonColumn(events.Of(e => (string?)JsonSerializer.Serialize(e.Extras!.Headers, Json.Options))).Column(events.Of(e => e.Extras!.TemplateError));
        }
    }

    /// <summary>The messages of those events that somebody wants as such: frozen once for each event, like its body.</summary>
    private static byte[]?[] SlackBodies(IReadOnlyList<WebhookEvent> events, IReadOnlyList<NewDelivery> deliveries)
    {
        HashSet<Guid> wanted = [.. deliveries.Where(d => d.Format == EndpointFormats.Slack).Select(d => d.Event.Id)];
        return wanted.Count == 0 ? new byte[]?[events.Count] : events.Of(e => !wanted.Contains(e.Id) ? null
            // Whoever writes the body himself has written it for Slack.
            : e.Extras is { HasOwnBody: true } ? e.Body : SlackMessage.Of(e.Type, e.Body));
    }

    private static SqlStatement? AddDeliveries(NpgsqlBatch batch, string sql, List<NewDelivery> rows)
    {
        if (rows.Count == 0)
        {
            return null;
        }
        return batch.Add(sql)
            .Column(rows.Of(d => d.Event.WorkspaceId)).Column(rows.Of(d => d.Event.CreatedAt)).Column(rows.Of(d => d.Id))
            .Column(rows.Of(d => d.EndpointId)).Column(rows.Of(d => d.Event.Id)).Column(rows.Of(d => (string?)d.Event.Type))
            .Column(rows.Of(d => d.Event.SignalId)).Column(rows.Of(d => d.Event.LeadId));
    }
}
