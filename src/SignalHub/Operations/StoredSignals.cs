using SignalHub.Conditions;
using SignalHub.Leads;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.Signals;
using SignalHub.Storage;

namespace SignalHub.Operations;

/// <summary>A stored signal as webhooks carry it and as conditions see it.</summary>
/// <param name="Relevance">One sentence on how it was scored.</param>
public sealed record StoredSignal(SignalHead Head, SignalData Data, ConditionInput Facts, string Relevance);

/// <summary>
/// Reads signals back in the shape they were routed in. The signal and its scores are as they were when it was received; lead,
/// person and company are as they are now.
/// </summary>
public sealed class StoredSignals(StoredSignalStore store, SignalStore signals, LeadStore leads)
{
    /// <summary>By id, in a number of queries that does not depend on how many they are.</summary>
    public async Task<IReadOnlyDictionary<Guid, StoredSignal>> LoadAsync(
        Guid workspaceId, IReadOnlyCollection<SignalHead> heads, CancellationToken cancellationToken)
    {
        if (heads.Count == 0)
        {
            return new Dictionary<Guid, StoredSignal>();
        }
        var views = (await signals.FindManyAsync(workspaceId, [.. heads.Select(h => (h.OccurredAt, h.Id))], cancellationToken)).ToDictionary(v => v.Id);
        var known = (await leads.FindManyAsync(workspaceId, [.. heads.Select(h => h.LeadId).OfType<Guid>().Distinct()], cancellationToken))
            .ToDictionary(l => l.Id);
        var facts = await store.FactsAsync(workspaceId, heads, cancellationToken);
        var loaded = new Dictionary<Guid, StoredSignal>(heads.Count);
        foreach (var head in heads)
        {
            if (views.TryGetValue(Ids.Text(Ids.Signal, head.Id), out var view) && facts.TryGetValue(head.Id, out var fact))
            {
                loaded.Add(head.Id, Make(head, view, head.LeadId is { } id ? known.GetValueOrDefault(Ids.Text(Ids.Lead, id)) : null, fact));
            }
        }
        return loaded;
    }

    private static StoredSignal Make(SignalHead head, SignalView v, LeadView? lead, SignalFacts facts)
    {
        var data = new SignalData(
            v.Id, v.SignalType, v.Source, v.EventName, v.Bucket, v.Mode, v.Backfill, v.OccurredAt, v.ReceivedAt, v.Identity, v.Context,
            v.LeadId, v.AccountId, v.ContactId, v.Qualified, v.Qualification, v.Warnings, lead, lead?.Account, lead?.Contact);
        var scores = facts.Qualification is { } compact ? QualificationView.Read(compact) : null;
        return new StoredSignal(head, data, StoredFields.Of(head.Id, data, scores, facts.EmailClass), scores?.RelevanceExplanation ?? "");
    }
}
