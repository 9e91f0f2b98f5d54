using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Leads;
using SignalHub.Qualification;
using SignalHub.Storage;

namespace SignalHub.Operations;

/// <summary>
/// Scores the leads of a company again when its facts changed: each by the signal that it shows, as of when that was received. The
/// signal's own qualification never changes, and no webhook is fired again.
/// </summary>
public sealed class LeadRescoring(RescoreStore store, WorkspaceSnapshots<DefinitionSet> definitions, TimeProvider time)
{
    /// <summary>Leads of one transaction: a few milliseconds, so that the intake does not wait for their locks.</summary>
    public const int Batch = 100;

    /// <summary>The first hundred leads now; the rest is left to the upkeep, on record.</summary>
    public async Task RescoreAccountAsync(Guid workspaceId, Guid accountId, CancellationToken ct)
    {
        var set = await definitions.GetAsync(workspaceId);
        await store.ScoreAsync(workspaceId, accountId, after: Guid.Empty, Timestamps.Truncate(time.GetUtcNow()), lead => Score(set, lead), ct);
    }

    /// <summary>The next batch that is on record; false: there is none.</summary>
    public async Task<bool> RunOnceAsync(CancellationToken ct)
    {
        if (await store.NextAsync(ct) is not { } next)
        {
            return false;
        }
        var set = await definitions.GetAsync(next.WorkspaceId);
        await store.ScoreAsync(next.WorkspaceId, next.AccountId, next.AfterLeadId, Timestamps.Truncate(time.GetUtcNow()), lead => Score(set, lead), ct);
        return true;
    }

    private static RescoredLead Score(DefinitionSet set, LeadToScore lead)
    {
        var input = new ConditionInput
        {
            Signal = lead.Signal,
            Person = lead.Contact is { } contact ? new PersonFields(contact) : null,
            Company = new CompanyFields(lead.Account),
            Now = lead.Signal.ReceivedAt,
        };
        var verdict = Scorer.Score(set, input, lead.Contact is not null);
        return new RescoredLead(lead.LeadId, verdict.IcpCode, verdict.IcpScore, verdict.PersonaCode, verdict.PersonaScore, verdict.Qualified,
            verdict.ToCompactJson());
    }
}
