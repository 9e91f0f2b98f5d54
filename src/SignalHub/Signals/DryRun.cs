using SignalHub.Automations;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.Storage;
using SignalHub.Webhooks;

namespace SignalHub.Signals;

/// <summary>Puts a rehearsal into words.</summary>
internal static class DryRun
{
    public static DryRunResponse Describe(Rehearsal rehearsal)
    {
        var (item, outcome) = (rehearsal.Item, rehearsal.Outcome);
        var plan = rehearsal.Plan;
        var shows = outcome.ShowsQualification;
        var automations = AutomationsOf(rehearsal);
        return new DryRunResponse(
            "dry_run", outcome.IsDuplicate ? SignalResponse.Duplicate : SignalResponse.Captured,
            outcome.IsDuplicate ? Ids.Text(Ids.Signal, outcome.SignalId) : null,
            // What would be made has no id that a client could use.
            Ids.Text(Ids.Lead, plan?.Lead is { IsNew: true } ? null : outcome.LeadId),
            Ids.Text(Ids.Account, plan?.Account is { IsNew: true } ? null : outcome.AccountId),
            Ids.Text(Ids.Contact, plan?.Contact is { IsNew: true } ? null : outcome.ContactId),
            outcome.Bucket, shows ? outcome.Qualified : null, shows ? outcome.Figures : QualificationFigures.None, outcome.Warnings,
            new IdentityKeysView([.. item.Identity.Keys.Select(k => new IdentityKeyView(k.KindName, k.Key))]),
            EndpointsOf(rehearsal, automations), automations);
    }

    private static List<WouldFire> EndpointsOf(Rehearsal rehearsal, List<WouldFire> automations)
    {
        var item = rehearsal.Item;
        var why = WhyNone(rehearsal);
        var endpoints = new List<WouldFire>();
        foreach (var explained in EventRouter.Explain(item.Endpoints, EventsOf(rehearsal, automations)))
        {
            endpoints.Add(new WouldFire(explained.Id, why is null && explained.WouldFire, why is null ? explained.Reasons : [why, .. explained.Reasons]));
        }
        return endpoints;
    }

    private static List<WouldFire> AutomationsOf(Rehearsal rehearsal)
    {
        var item = rehearsal.Item;
        var why = WhyNone(rehearsal);
        var automations = new List<WouldFire>();
        foreach (var automation in item.Automations.All)
        {
            DateTimeOffset? last = rehearsal.LastFires.Where(f => f.Key.AutomationId == automation.Id).Select(f => (DateTimeOffset?)f.Value).Max();
            var parts = AutomationExplanation.Of(automation, item.Type.Key, rehearsal.Facts, why, last, item.ReceivedAt);
            var (wouldFire, reasons) = AutomationExplanation.Verdict(parts);
            automations.Add(new WouldFire(automation.IdText, wouldFire, reasons));
        }
        return automations;
    }

    /// <summary>Why nothing would fire, whatever listens; null: something may.</summary>
    private static string? WhyNone(Rehearsal rehearsal)
    {
        var item = rehearsal.Item;
        return rehearsal.Outcome.IsDuplicate ? "the signal is a duplicate, which fires nothing"
            : item.IsTest ? "the key is a test key, which fires nothing"
            : item.Backfill ? "backfill is true, which fires nothing"
            : !item.Fires ? "the signal is older than the workspace's fire_max_age"
            : null;
    }

    private static List<RoutingInput> EventsOf(Rehearsal rehearsal, List<WouldFire> automations)
    {
        var events = new List<RoutingInput>();
        var projects = rehearsal.Plan?.Projects;
        if (rehearsal.Plan?.LeadEvent is { } leadEvent)
        {
            events.Add(new RoutingInput(leadEvent, rehearsal.Item.Type.Key, rehearsal.Item.Source, rehearsal.Facts, projects));
        }
        if (rehearsal.Plan is { RaisesQualified: true })
        {
            events.Add(new RoutingInput(WebhookEventTypes.SignalQualified, rehearsal.Item.Type.Key, rehearsal.Item.Source, rehearsal.Facts, projects));
        }
        events.AddRange((projects ?? []).Select(project => DetectedEvents.Input(rehearsal.Plan!, rehearsal.Facts, project)));
        if (automations.Exists(a => a.Fires))
        {
            events.Add(new RoutingInput(WebhookEventTypes.AutomationActionTriggered, rehearsal.Item.Type.Key, rehearsal.Item.Source, rehearsal.Facts));
        }
        return events;
    }
}
