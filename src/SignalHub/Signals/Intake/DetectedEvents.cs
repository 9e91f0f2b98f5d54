using SignalHub.Conditions;
using SignalHub.Leads;
using SignalHub.Projects;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.Webhooks;

namespace SignalHub.Signals.Intake;

/// <summary>
/// The <c>signal.detected</c> events of a batch. Planned with everything else; their bodies name people of the company whom the
/// batch has not read, so these are read, once for the batch, if somebody listens to such an event, and then the bytes are frozen.
/// </summary>
public sealed class DetectedEvents
{
    private const string AboutNobody = "The signal names no person and no company, so it was not scored.";

    private readonly List<Pending> _pending = [];

    /// <summary>The companies whose people are wanted; empty: nothing is to be read.</summary>
    public IReadOnlyList<(Guid WorkspaceId, Guid AccountId)> Companies =>
        [.. _pending.Where(p => p.AccountId is not null).Select(p => (p.Draft.WorkspaceId, p.AccountId!.Value)).Distinct()];

    /// <summary>Whether <see cref="Complete"/> is to be called.</summary>
    public bool Any => _pending.Count > 0;

    /// <summary>The projects that a signal matches.</summary>
    internal static IReadOnlyList<MatchedProject> Match(IntakeItem item, ConditionInput facts, Verdict? verdict, bool hasLead) =>
        item.Projects.All.Count == 0
            ? []
            : item.Projects.Match(item.Type.Key, item.Source, facts, new PriorityFacts(verdict is { Qualified: true }, verdict?.IcpCode is not null, hasLead));

    /// <summary>What a filter looks at: one event for each project.</summary>
    internal static RoutingInput Input(PlannedSignal signal, ConditionInput? facts, MatchedProject project) =>
        new(WebhookEventTypes.SignalDetected, signal.Item.Type.Key, signal.Item.Source, facts, [project]);

    /// <summary>Adds an event for each project that the signal matches and somebody listens to.</summary>
    internal void Add(IntakePlan plan, PlannedSignal signal, ConditionInput facts)
    {
        var item = signal.Item;
        SignalData? data = null;
        var relevance = "";
        foreach (var matched in signal.Projects)
        {
            if (plan.FindRoutes(signal, Input(signal, facts, matched)) is not { Count: > 0 } routes)
            {
                continue;
            }
            if (data is null)
            {
                data = IntakePlan.DataOf(signal);
                relevance = signal.QualificationJson is { } json ? QualificationView.Read(json).RelevanceExplanation : AboutNobody;
            }
            var project = item.Projects.Find(matched.ProjectId)!;
            var body = Detection.Of(project, matched.Priority, data, relevance);
            var draft = WebhookEvents.SignalDetected(item.WorkspaceId, item.ReceivedAt, item.SignalId, signal.Lead?.Id, project.Id, body);
            _pending.Add(new Pending(plan.Events.Count, draft, project.Id, body, signal.AccountId,
                signal.Contact is { } contact ? contact.MergedInto ?? contact.Id : null));
            plan.Events.Add(draft);
            plan.Deliveries.AddRange(routes.Select(route => NewDelivery.Of(draft, route)));
        }
    }

    /// <summary>Freezes the bodies, with the people of the companies as they are after the batch.</summary>
    public void Complete(IntakePlan plan, IReadOnlyList<CompanyContact> stored)
    {
        var people = CompanyContacts.Current(stored, plan.World);
        foreach (var p in _pending)
        {
            var about = p.ContactId is { } id && plan.World.Contacts.TryGetValue(id, out var contact) ? CompanyContacts.Of(contact) : null;
            var contacts = CompanyContacts.Choose(about, p.AccountId is { } account ? people[account] : []);
            var draft = p.Draft;
            plan.Events[p.Index] = WebhookEvents.SignalDetected(
                draft.WorkspaceId, draft.CreatedAt, draft.SignalId!.Value, draft.LeadId, p.ProjectId, p.Body with { Contacts = contacts });
        }
    }

    private sealed record Pending(int Index, WebhookEvent Draft, Guid ProjectId, DetectedSignal Body, Guid? AccountId, Guid? ContactId);
}
