using SignalHub.Automations;
using SignalHub.Http;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Operations;

/// <summary>An automation held against a stored signal.</summary>
/// <param name="Run">What it did when the signal came; null: nothing.</param>
public sealed record AutomationTrial(SignalHead Signal, Automation Automation, TriggeringSignal Triggering, IReadOnlyList<FilterPart> Parts, AutomationRun? Run);

/// <summary>Works out what an automation would do with stored signals, in a number of queries that does not depend on how many they are.</summary>
public sealed class AutomationTrials(
    AutomationStore automations, AutomationRunStore runs, StoredSignalStore heads, StoredSignals signals, WorkspaceDirectory workspaces, TimeProvider clock)
{
    /// <summary>Null: there is no such signal, or the automation has gone.</summary>
    public async Task<AutomationTrial?> TryAsync(Guid workspaceId, Guid automationId, Guid signalId, CancellationToken cancellationToken) =>
        await heads.FindAsync(workspaceId, signalId, cancellationToken) is { } head
            && await TryAsync(workspaceId, automationId, [head], withLimit: true, cancellationToken) is [var trial]
            ? trial
            : null;

    /// <summary>The newest signals of the automation's types that were received since it was made: a page and one more.</summary>
    internal async Task<IReadOnlyList<AutomationTrial>> NewestAsync(
        Guid workspaceId, StoredAutomation automation, PageRequest page, CancellationToken cancellationToken)
    {
        var newest = await heads.NewestAsync(workspaceId, automation.CreatedAt, automation.SignalTypes, page, cancellationToken);
        // A limit that is reached is in the log; one that would be reached now says nothing about then.
        return await TryAsync(workspaceId, automation.Id, newest, withLimit: false, cancellationToken);
    }

    private async Task<IReadOnlyList<AutomationTrial>> TryAsync(
        Guid workspaceId, Guid automationId, IReadOnlyList<SignalHead> page, bool withLimit, CancellationToken cancellationToken)
    {
        // From the database, not from memory: whoever has just changed it on another node tries what he wrote.
        if (page.Count == 0 || await automations.LoadAsync(workspaceId, automationId, cancellationToken) is not { } automation)
        {
            return [];
        }
        var stored = await signals.LoadAsync(workspaceId, page, cancellationToken);
        var recorded = await runs.OfSignalsAsync(workspaceId, automationId, [.. page.Select(s => (s.ReceivedAt, s.Id))], cancellationToken);
        var fireMaxAge = (await workspaces.GetAsync(workspaceId)).FireMaxAge;
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var trials = new List<AutomationTrial>(page.Count);
        foreach (var head in page)
        {
            if (!stored.TryGetValue(head.Id, out var signal))
            {
                continue;
            }
            var last = withLimit && automation.Period is not null && head.LeadId is { } lead
                ? (await runs.LookAsync([new LeadLimit(workspaceId, automationId, lead)], cancellationToken)).Values.Select(at => (DateTimeOffset?)at).FirstOrDefault()
                : null;
            var parts = AutomationExplanation.Of(automation, head.TypeKey, signal.Facts, head.WhyItFiresNothing(fireMaxAge), last, now);
            var triggering = new TriggeringSignal(workspaceId, head.Id, head.TypeSent, head.LeadId, signal.Data, signal.Facts);
            trials.Add(new AutomationTrial(head, automation, triggering, parts, recorded.GetValueOrDefault(head.Id)));
        }
        return trials;
    }
}
