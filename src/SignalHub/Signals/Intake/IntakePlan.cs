using SignalHub.Automations;
using SignalHub.Conditions;
using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Webhooks;

namespace SignalHub.Signals.Intake;

/// <summary>A signal with everything found out about it: the row to insert.</summary>
public sealed record PlannedSignal(
    IntakeItem Item, string? Bucket, ContactState? Contact, AccountState? Account, LeadState? Lead, string? LeadEvent, Verdict? Verdict,
    byte[]? QualificationJson)
{
    /// <summary>Whether the seed's webhook is for it: the type asks for it and the signal qualifies.</summary>
    public bool RaisesQualified => Verdict is { Qualified: true } && Item.Type.Autoqualify;

    public bool? Qualified => Verdict?.Qualified;

    public QualificationFigures Figures { get; } =
        Verdict is { } v ? new QualificationFigures(v.IcpCode, v.IcpScore, v.PersonaCode, v.PersonaScore) : QualificationFigures.None;

    /// <summary>The projects it matches: each raises <c>signal.detected</c>.</summary>
    public IReadOnlyList<MatchedProject> Projects { get; init; } = [];

    /// <summary>Ids of what is stored; what only this signal knows (test mode) has none.</summary>
    public Guid? ContactId => Contact is { IsTransient: false } contact ? contact.MergedInto ?? contact.Id : null;

    public Guid? AccountId => Account is { IsTransient: false } account ? account.Id : null;

    public Guid? LeadId => Lead is { } lead ? lead.MergedInto ?? lead.Id : null;
}

/// <summary>
/// What a batch does, worked out in memory, each line in the order of arrival: whom each signal is about, its score, its lead, and which
/// endpoints hear of it. No I/O: the same world and items give the same plan.
/// </summary>
public sealed class IntakePlan(IdentityWorld world)
{
    private readonly List<RoutedEndpoint> _routes = [];

    public IdentityWorld World { get; } = world;
    public List<PlannedSignal> Signals { get; } = [];
    public List<WebhookEvent> Events { get; } = [];
    public List<NewDelivery> Deliveries { get; } = [];
    public PlannedActions Actions { get; } = new();
    public DetectedEvents Detected { get; } = new();

    /// <summary>Takes one signal that is not a duplicate; returns what to answer once the batch is committed.</summary>
    public CapturedSignal Add(IntakeItem item) => Add(item, out _);

    /// <summary>The same, and the facts that endpoints were chosen by: a dry run explains with them.</summary>
    public CapturedSignal Add(IntakeItem item, out ConditionInput facts)
    {
        var resolved = IdentityResolver.Resolve(World, item.Identity,
            new ResolvedSignal(item.WorkspaceId, item.SignalId, item.OccurredAt, item.ReceivedAt, item.IsTest));
        Warn(item, resolved);
        var fields = new SignalFields(item);
        facts = new ConditionInput
        {
            Signal = fields,
            Person = resolved.Contact is { } contact ? new PersonFields(contact) : null,
            Company = resolved.Account is { } account ? new CompanyFields(account) : null,
            Now = item.ReceivedAt,
        };
        var bucket = SignalTypeSet.Bucket(item.Type, facts);
        fields.Bucket = bucket;
        // A signal about nobody has nothing to score.
        var verdict = (resolved.Contact, resolved.Account) is (null, null) ? null : Scorer.Score(item.Definitions, facts, resolved.Contact is not null);
        var json = verdict?.ToCompactJson();
        var (lead, leadEvent) = verdict is null ? (null, null) : UpdateLead(item, resolved, verdict, json!);
        facts.Lead = lead is null ? null : new LeadFields(lead);
        var signal = new PlannedSignal(item, bucket, resolved.Contact, resolved.Account, lead, leadEvent, verdict, json)
        {
            Projects = DetectedEvents.Match(item, facts, verdict, lead is not null),
        };
        Signals.Add(signal);
        if (item.Fires)
        {
            AddEvents(signal, facts);
        }
        return Answer(signal);
    }

    private static void Warn(IntakeItem item, ResolvedIdentity resolved)
    {
        if (resolved.Conflict)
        {
            item.Warnings.Add(new Warning("identity_conflict", "/identity",
                "The identifiers belong to different people; the signal went to the owner of the strongest one, and the pair is kept as a merge candidate."));
        }
        foreach (var key in resolved.NotAttached)
        {
            item.Warnings.Add(new Warning("cardinality_limit", key.Field,
                $"{key.Field} was not attached: a person has at most {ContactState.MaxEmails} e-mail addresses and {ContactState.MaxLinkedIn} LinkedIn identifiers."));
        }
    }

    /// <summary>The lead with the signal counted in, and the event type that this makes of it, if any.</summary>
    private (LeadState?, string? LeadEvent) UpdateLead(IntakeItem item, ResolvedIdentity resolved, Verdict verdict, byte[] json)
    {
        var leads = resolved.Contact is not null ? World.LeadsByContact : World.LeadsByAccount;
        var key = resolved.Contact?.Id ?? resolved.Account?.Id;
        if (key is not { } subject)
        {
            return (null, null);
        }
        leads.TryGetValue(subject, out var lead);
        if (item.IsTest)
        {
            return (lead, null);
        }
        var created = lead is null;
        if (lead is null)
        {
            lead = new LeadState
            {
                WorkspaceId = item.WorkspaceId,
                Id = Ids.New(item.ReceivedAt),
                CreatedAt = item.ReceivedAt,
                ContactId = resolved.Contact?.Id,
                BySourceJson = "{}",
                IsNew = true,
            };
            leads.Add(subject, lead);
        }
        lead.AccountId = resolved.Contact is null ? resolved.Account?.Id : resolved.Contact.AccountId;
        lead.UpdatedAt = item.ReceivedAt;
        lead.Count(item.Source, item.OccurredAt);
        var updated = Show(lead, item, verdict, json);
        return (lead, created ? WebhookEventTypes.LeadCreated : updated ? WebhookEventTypes.LeadUpdated : null);
    }

    /// <summary>The lead shows its newest scored signal; true when what it shows changed.</summary>
    private static bool Show(LeadState lead, IntakeItem item, Verdict verdict, byte[] json)
    {
        if (verdict.Qualified && (lead.FirstQualifiedAt is null || item.ReceivedAt < lead.FirstQualifiedAt))
        {
            lead.FirstQualifiedAt = item.ReceivedAt;
        }
        if (!lead.IsNewestScored(item.OccurredAt, item.SignalId))
        {
            return false;
        }
        var before = (lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore, lead.Qualified);
        lead.IcpCode = verdict.IcpCode;
        lead.IcpScore = verdict.IcpScore;
        lead.PersonaCode = verdict.PersonaCode;
        lead.PersonaScore = verdict.PersonaScore;
        lead.Qualified = verdict.Qualified;
        lead.ScoredSignalId = item.SignalId;
        lead.ScoredOccurredAt = item.OccurredAt;
        lead.QualificationJson = json;
        return before != (lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore, lead.Qualified);
    }

    private void AddEvents(PlannedSignal signal, ConditionInput facts)
    {
        if (signal.LeadEvent is { } leadEvent)
        {
            Route(signal, leadEvent, facts, LeadEvent);
        }
        if (signal.RaisesQualified)
        {
            Route(signal, WebhookEventTypes.SignalQualified, facts, QualifiedEvent);
        }
        Detected.Add(this, signal, facts);
        if (signal.Item.Automations.All.Count > 0)
        {
            AddActions(signal, facts);
        }
    }

    private void AddActions(PlannedSignal signal, ConditionInput facts)
    {
        var first = Events.Count;
        Actions.Add(
            signal.Item.Automations, signal.Item.Endpoints,
            new RoutingInput(WebhookEventTypes.AutomationActionTriggered, signal.Item.Type.Key, signal.Item.Source, facts),
            () => TriggeringOf(signal, facts), Events, Deliveries);
        foreach (var made in Events.Skip(first))
        {
            made.Traceparent = IntakeSpan.TraceparentOf(signal.Item);
        }
    }

    internal static TriggeringSignal TriggeringOf(PlannedSignal signal, ConditionInput facts) => new(
        signal.Item.WorkspaceId, signal.Item.SignalId, signal.Item.TypeSent ?? signal.Item.Type.Key, signal.Lead?.Id, DataOf(signal), facts);

    /// <summary>Decides on the actions that limits may forbid, once it is known when they were taken last.</summary>
    public void Settle(IReadOnlyDictionary<LeadLimit, DateTimeOffset> lastFires)
    {
        var survivors = World.MergedLeads.ToDictionary(lead => lead.Id, lead => lead.MergedInto!.Value);
        Actions.Settle(lastFires, lead => Survivor(lead, survivors), Events, Deliveries);
    }

    /// <summary>The leads whose firings are to be looked up: those that became part of another one in this batch count for it.</summary>
    public IEnumerable<LeadLimit> LimitsToLookUp()
    {
        var survivors = World.MergedLeads.ToDictionary(lead => lead.Id, lead => lead.MergedInto!.Value);
        return Actions.Limits.SelectMany(limit =>
        {
            var survivor = Survivor(limit.LeadId, survivors);
            return survivors.Keys.Where(loser => Survivor(loser, survivors) == survivor).Append(survivor).Select(lead => limit with { LeadId = lead });
        }).Distinct();
    }

    private static Guid Survivor(Guid lead, Dictionary<Guid, Guid> survivors)
    {
        while (survivors.TryGetValue(lead, out var next))
        {
            lead = next;
        }
        return lead;
    }

    private void Route(PlannedSignal signal, string type, ConditionInput facts, Func<PlannedSignal, string, WebhookEvent> make)
    {
        if (FindRoutes(signal, new RoutingInput(type, signal.Item.Type.Key, signal.Item.Source, facts, signal.Projects)).Count == 0)
        {
            return;
        }
        var made = make(signal, type);
        made.Traceparent = IntakeSpan.TraceparentOf(signal.Item);
        Events.Add(made);
        foreach (var route in _routes)
        {
            Deliveries.Add(NewDelivery.Of(made, route));
        }
    }

    /// <summary>The endpoints that an event is for; the list is used again for the next one.</summary>
    internal IReadOnlyList<RoutedEndpoint> FindRoutes(PlannedSignal signal, in RoutingInput input)
    {
        _routes.Clear();
        EventRouter.Route(signal.Item.Endpoints, input, _routes);
        return _routes;
    }

    private static WebhookEvent LeadEvent(PlannedSignal signal, string type) =>
        WebhookEvents.Lead(type, signal.Item.WorkspaceId, signal.Item.ReceivedAt, signal.Item.SignalId, signal.Lead!.Id, ViewOf(signal.Lead, signal));

    private static WebhookEvent QualifiedEvent(PlannedSignal signal, string type) =>
        WebhookEvents.SignalQualified(signal.Item.WorkspaceId, signal.Item.SignalId, signal.Lead?.Id, DataOf(signal));

    private static LeadView ViewOf(LeadState lead, PlannedSignal signal) => new(lead.View(), signal.Contact?.View(), signal.Account?.View());

    internal static SignalData DataOf(PlannedSignal signal)
    {
        var item = signal.Item;
        return new SignalData(
            Ids.Text(Ids.Signal, item.SignalId), item.Type.Key, item.Source, item.EventName, signal.Bucket, item.Mode, item.Backfill,
            item.OccurredAt, item.ReceivedAt, item.IdentityAsRead, item.Context,
            Ids.Text(Ids.Lead, signal.LeadId), Ids.Text(Ids.Account, signal.AccountId), Ids.Text(Ids.Contact, signal.ContactId),
            signal.Qualified, signal.Figures, item.Warnings, signal.Lead?.View(), signal.Account?.View(), signal.Contact?.View());
    }

    private static CapturedSignal Answer(PlannedSignal signal) => new(
        signal.Item.SignalId, signal.Item.OccurredAt, signal.Item.ReceivedAt, IsDuplicate: false, PayloadDiffers: false, signal.Bucket,
        signal.LeadId, signal.AccountId, signal.ContactId, signal.Item.Type.Autoqualify, signal.Qualified,
        signal.Figures, signal.Item.Warnings);
}
