using SignalHub.Leads;
using SignalHub.Projects;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Operations.Replay;

/// <summary>
/// Finds the events of signals that an endpoint would get as it is set up now and has no delivery of. An event that nobody
/// listened to was never written; <c>signal.qualified</c> and <c>signal.detected</c> are made again from the stored signal, with
/// the same id. What a lead was like at some signal is not kept, so a lead's events are found only where another endpoint got them.
/// </summary>
internal sealed class MissingDeliveries(
    ReplayStore store, StoredSignals signals, WorkspaceSnapshots<ProjectSet> projects, CompanyContactStore people, WorkspaceDirectory workspaces)
{
    private static readonly string[] _ofLeads = [WebhookEventTypes.LeadCreated, WebhookEventTypes.LeadUpdated];

    /// <param name="page">Live signals.</param>
    /// <param name="withBodies">False to count: bodies are left out.</param>
    public async Task<IReadOnlyList<MissingDelivery>> FindAsync(
        Guid workspaceId, Endpoint endpoint, IReadOnlyList<SignalHead> page, bool withBodies, CancellationToken cancellationToken)
    {
        if (endpoint.HasBrokenCondition)
        {
            return [];
        }
        var watching = await projects.GetAsync(workspaceId);
        var read = await LoadAsync(workspaceId, endpoint, page, watching, cancellationToken);
        var candidates = page.SelectMany(signal => CandidatesOf(workspaceId, endpoint, signal, read.GetValueOrDefault(signal.Id), watching)).ToList();
        if (candidates.Count == 0)
        {
            return [];
        }
        var known = await store.KnownAsync(workspaceId, [.. candidates.Select(c => (c.EventId, NewDelivery.IdOf(c.EventId, endpoint.Id)))], cancellationToken);
        var fireMaxAge = (await workspaces.GetAsync(workspaceId)).FireMaxAge;
        candidates.RemoveAll(c => known[c.EventId].HasDelivery || !(known[c.EventId].IsStored || (c.IsRaisedBySignal && Fires(c.Signal, fireMaxAge))));
        var unmade = withBodies ? candidates.Where(c => !known[c.EventId].IsStored).ToList() : [];
        var bodies = await BodiesAsync(workspaceId, unmade, watching, cancellationToken);
        return [.. candidates.Select(c => new MissingDelivery(
            c.EventId, NewDelivery.IdOf(c.EventId, endpoint.Id), c.Type, c.Signal.Id,
            known[c.EventId].IsStored ? known[c.EventId].LeadId : c.Signal.LeadId, bodies.GetValueOrDefault(c.EventId)))];
    }

    /// <summary>
    /// The signals that a condition, or projects, are to be asked of; those that the rest of the filter leaves out need not be read,
    /// and where types and sources are all that is asked, none.
    /// </summary>
    private async Task<IReadOnlyDictionary<Guid, StoredSignal>> LoadAsync(
        Guid workspaceId, Endpoint endpoint, IReadOnlyList<SignalHead> page, ProjectSet watching, CancellationToken cancellationToken)
    {
        var asksProjects = endpoint.Projects is not null || endpoint.Priorities is not null
            || (endpoint.Events.Contains(WebhookEventTypes.SignalDetected) && watching.All.Count > 0);
        return endpoint.When is null && !asksProjects
            ? new Dictionary<Guid, StoredSignal>()
            : await signals.LoadAsync(
                workspaceId, [.. page.Where(s => EventRouter.Matches(endpoint, new RoutingInput("", s.TypeKey, s.Source, null)))], cancellationToken);
    }

    /// <summary>The events of a signal that pass the endpoint's filter.</summary>
    private static IEnumerable<Candidate> CandidatesOf(Guid workspaceId, Endpoint endpoint, SignalHead signal, StoredSignal? read, ProjectSet watching)
    {
        if (read is null && endpoint.When is not null)
        {
            yield break;
        }
        var matched = read is null ? [] : StoredProjects.Match(watching, read);
        RoutingInput Input(string type, IReadOnlyList<MatchedProject> of) => new(type, signal.TypeKey, signal.Source, read?.Facts, of);
        foreach (var type in _ofLeads.Intersect(endpoint.Events))
        {
            if (EventRouter.Matches(endpoint, Input(type, matched)))
            {
                yield return new Candidate(signal, type, WebhookEvents.IdOf(type, workspaceId, signal.Id, signal.ReceivedAt), null, IsRaisedBySignal: false);
            }
        }
        if (endpoint.Events.Contains(WebhookEventTypes.SignalQualified) && EventRouter.Matches(endpoint, Input(WebhookEventTypes.SignalQualified, matched)))
        {
            yield return new Candidate(signal, WebhookEventTypes.SignalQualified,
                WebhookEvents.IdOf(WebhookEventTypes.SignalQualified, workspaceId, signal.Id, signal.ReceivedAt), null,
                IsRaisedBySignal: signal is { Autoqualify: true, Qualified: true });
        }
        foreach (var match in endpoint.Events.Contains(WebhookEventTypes.SignalDetected) ? matched : [])
        {
            if (EventRouter.Matches(endpoint, Input(WebhookEventTypes.SignalDetected, [match])))
            {
                var id = WebhookEvents.DetectedId(workspaceId, signal.Id, watching.Find(match.ProjectId)!.Id, signal.ReceivedAt);
                yield return new Candidate(signal, WebhookEventTypes.SignalDetected, id, match, IsRaisedBySignal: true);
            }
        }
    }

    private async Task<Dictionary<Guid, byte[]>> BodiesAsync(
        Guid workspaceId, List<Candidate> unmade, ProjectSet watching, CancellationToken cancellationToken)
    {
        var read = await signals.LoadAsync(workspaceId, [.. unmade.Select(c => c.Signal).Distinct()], cancellationToken);
        var bodies = new Dictionary<Guid, byte[]>(unmade.Count);
        var accounts = unmade.Where(c => c.Match is not null).Select(c => AccountOf(read.GetValueOrDefault(c.Signal.Id))).OfType<Guid>().Distinct().ToList();
        var contacts = (await people.LoadAsync(workspaceId, accounts, cancellationToken)).ToLookup(c => c.AccountId);
        foreach (var c in unmade)
        {
            if (read.GetValueOrDefault(c.Signal.Id) is { } signal)
            {
                bodies[c.EventId] = c.Match is null
                    ? WebhookEvents.SignalQualified(workspaceId, c.Signal.Id, c.Signal.LeadId, signal.Data).Body
                    : DetectedBody(workspaceId, c, signal, watching.Find(c.Match.ProjectId)!, contacts);
            }
        }
        return bodies;
    }

    private static byte[] DetectedBody(Guid workspaceId, Candidate c, StoredSignal signal, Project project, ILookup<Guid, CompanyContact> contacts)
    {
        var ofCompany = AccountOf(signal) is { } account ? contacts[account] : [];
        var body = Detection.Of(project, c.Match!.Priority, signal.Data, signal.Relevance) with
        {
            Contacts = CompanyContacts.Choose(CompanyContacts.Of(signal.Data.Contact), ofCompany),
        };
        return WebhookEvents.SignalDetected(workspaceId, c.Signal.ReceivedAt, c.Signal.Id, c.Signal.LeadId, project.Id, body).Body;
    }

    private static Guid? AccountOf(StoredSignal? signal) =>
        signal?.Data.Account is { } account && Ids.TryParse(Ids.Account, account.Id, out var id) ? id : null;

    /// <summary>Whether anything the signal raises is heard.</summary>
    private static bool Fires(SignalHead signal, TimeSpan? fireMaxAge) =>
        signal is { IsTest: false, Backfill: false } && (fireMaxAge is not { } age || signal.ReceivedAt - signal.OccurredAt <= age);

    /// <param name="Match">Of <c>signal.detected</c>.</param>
    /// <param name="IsRaisedBySignal">It can be made again from what is stored.</param>
    private sealed record Candidate(SignalHead Signal, string Type, Guid EventId, MatchedProject? Match, bool IsRaisedBySignal);
}
