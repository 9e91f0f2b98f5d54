using System.Text.Json;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Reads what events of automations have beside their body. Apart from the claim: only few claims hold such an event.</summary>
public sealed class EventExtrasStore(Database database)
{
    private const string Sql = """
        select x.workspace_id, x.id, x.headers, x.template_error
          from unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) as e (workspace_id, created_at, id)
          join webhook_event_extras x on x.workspace_id = e.workspace_id and x.created_at = e.created_at and x.id = e.id
        """;

    /// <summary>The same deliveries, each with what its event has.</summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> AddToAsync(IReadOnlyList<ClaimedDelivery> claimed, CancellationToken cancellationToken)
    {
        List<ClaimedDelivery> candidates = [.. claimed.Where(d => d.EventType == WebhookEventTypes.AutomationActionTriggered)];
        if (candidates.Count == 0)
        {
            return claimed;
        }
        await using var batch = database.Source.CreateBatch();
        batch.Add(PlanSettings.NoJit);
        batch.Add(Sql).Column(candidates.Of(d => d.Target.Key.WorkspaceId)).Column(candidates.Of(d => d.CreatedAt)).Column(candidates.Of(d => d.EventId));
        var known = new Dictionary<(Guid, Guid), EventExtras>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var headers = JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(2), Json.Options)!;
            known.Add((reader.GetGuid(0), reader.GetGuid(1)), new EventExtras(headers, reader.Text(3)));
        }
        return [.. claimed.Select(d => known.TryGetValue((d.Target.Key.WorkspaceId, d.EventId), out var extras) ? d with { Extras = extras } : d)];
    }
}
