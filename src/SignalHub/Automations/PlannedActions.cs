using SignalHub.Webhooks;

namespace SignalHub.Automations;

/// <summary>Words of a run's <c>outcome</c>.</summary>
public static class RunOutcomes
{
    public const string Fired = "fired";

    /// <summary>It fired, but a template failed: its delivery ends as failed.</summary>
    public const string TemplateError = "template_error";

    /// <summary>Everything matched, but it had fired for the lead within its period.</summary>
    public const string LimitReached = "limit_reached";

    /// <summary>Everything matched, but its endpoint was deleted.</summary>
    public const string NoEndpoint = "no_endpoint";

    public static readonly IReadOnlyList<string> All = [Fired, TemplateError, LimitReached, NoEndpoint];
}

/// <summary>What an automation did on a signal that met its trigger and condition.</summary>
/// <param name="At">When the signal was received.</param>
public sealed record AutomationRun(
    Guid WorkspaceId, Guid AutomationId, DateTimeOffset At, Guid SignalId, Guid? LeadId, string Outcome, string? Detail, Guid? EventId, Guid? DeliveryId);

/// <summary>Which automation for which lead.</summary>
public readonly record struct LeadLimit(Guid WorkspaceId, Guid AutomationId, Guid LeadId);

/// <summary>
/// What the signals of a batch set off, worked out in memory in the order of arrival. Firings that a limit may forbid are held back
/// until it is known when the automation fired last for the lead; all others are events at once. No I/O.
/// </summary>
public sealed class PlannedActions
{
    private readonly List<Automation> _matched = [];
    private readonly List<RoutedEndpoint> _listeners = [];
    private readonly List<Limited> _limited = [];

    /// <summary>Rows of the run log.</summary>
    public List<AutomationRun> Runs { get; } = [];

    /// <summary>The last firings that limits count from now on.</summary>
    public Dictionary<LeadLimit, (DateTimeOffset At, Guid SignalId)> LastFires { get; } = [];

    /// <summary>What is to be looked up before <see cref="Settle"/>; empty: nothing is limited.</summary>
    public IEnumerable<LeadLimit> Limits => _limited.Select(l => l.Limit).Distinct();

    public bool HasLimits => _limited.Count > 0;

    /// <summary>Adds what a live signal sets off.</summary>
    /// <param name="triggering">Made only if something is set off.</param>
    public void Add(AutomationSet automations, EndpointSet endpoints, in RoutingInput signal, Func<TriggeringSignal> triggering, List<WebhookEvent> events, List<NewDelivery> deliveries)
    {
        _matched.Clear();
        automations.Match(signal.SignalTypeKey!, signal.Conditions!, _matched);
        if (_matched.Count == 0)
        {
            return;
        }
        var by = triggering();
        _listeners.Clear();
        EventRouter.Route(endpoints, signal, _listeners);
        foreach (var automation in _matched)
        {
            Fire(automation, by, events, deliveries);
        }
    }

    /// <summary>Decides on the firings that limits may forbid, in the order of arrival, and takes back those that they do.</summary>
    /// <param name="stored">When each automation fired last for a lead, or for one that became part of it.</param>
    /// <param name="survivor">The lead that a lead has become part of in this batch, or itself.</param>
    public void Settle(
        IReadOnlyDictionary<LeadLimit, DateTimeOffset> stored, Func<Guid, Guid> survivor, List<WebhookEvent> events, List<NewDelivery> deliveries)
    {
        var last = new Dictionary<LeadLimit, DateTimeOffset>();
        foreach (var (limit, at) in stored)
        {
            var key = limit with { LeadId = survivor(limit.LeadId) };
            last[key] = last.TryGetValue(key, out var known) && known > at ? known : at;
        }
        var refused = new HashSet<Guid>();
        foreach (var limited in _limited)
        {
            var key = limited.Limit with { LeadId = survivor(limited.Limit.LeadId) };
            var run = Runs[limited.Run];
            if (last.TryGetValue(key, out var at) && run.At - at < limited.Period)
            {
                refused.UnionWith(limited.Events);
                Runs[limited.Run] = run with
                {
                    Outcome = RunOutcomes.LimitReached,
                    Detail = LimitDetail(limited.Period, at),
                    EventId = null,
                    DeliveryId = null,
                };
                continue;
            }
            last[key] = run.At;
            LastFires[key] = (run.At, run.SignalId);
        }
        if (refused.Count > 0)
        {
            events.RemoveAll(e => refused.Contains(e.Id));
            deliveries.RemoveAll(d => refused.Contains(d.Event.Id));
        }
    }

    internal static string LimitDetail(TimeSpan period, DateTimeOffset last) =>
        $"It fired for this lead at {Http.Json.Instant(last)}, and does so at most once in {period.TotalHours:0} hours.";

    private void Fire(Automation automation, TriggeringSignal by, List<WebhookEvent> events, List<NewDelivery> deliveries)
    {
        var run = new AutomationRun(by.WorkspaceId, automation.Id, by.Data.ReceivedAt, by.SignalId, by.LeadId, RunOutcomes.NoEndpoint,
            "Its endpoint was deleted: give it another one.", null, null);
        if (automation.Target is not { } target)
        {
            Runs.Add(run);
            return;
        }
        var first = events.Count;
        var made = automation.IsCustom ? automation.CustomEvent(by) : automation.StandardEvent(by);
        var own = NewDelivery.Of(made, new RoutedEndpoint(target, target.Enabled));
        events.Add(made);
        deliveries.Add(own);
        Tell(automation, by, target, made, events, deliveries);
        var error = made.Extras?.TemplateError;
        Runs.Add(run with { Outcome = error is null ? RunOutcomes.Fired : RunOutcomes.TemplateError, Detail = error, EventId = made.Id, DeliveryId = own.Id });
        if (automation.Period is { } period && by.LeadId is { } lead)
        {
            _limited.Add(new Limited(Runs.Count - 1, new LeadLimit(by.WorkspaceId, automation.Id, lead), period, [.. events.Skip(first).Select(e => e.Id)]));
        }
    }

    /// <summary>Endpoints that listen to automations hear of it too, in the usual form.</summary>
    private void Tell(Automation automation, TriggeringSignal by, SignalHub.Webhooks.Endpoint target, WebhookEvent made, List<WebhookEvent> events, List<NewDelivery> deliveries)
    {
        WebhookEvent? standard = automation.IsCustom ? null : made;
        foreach (var listener in _listeners)
        {
            if (listener.Endpoint.Id == target.Id)
            {
                continue;
            }
            if (standard is null)
            {
                events.Add(standard = automation.StandardEvent(by));
            }
            deliveries.Add(NewDelivery.Of(standard, listener));
        }
    }

    /// <param name="Run">Its place in <see cref="Runs"/>.</param>
    /// <param name="Events">Taken back if the limit forbids it.</param>
    private sealed record Limited(int Run, LeadLimit Limit, TimeSpan Period, IReadOnlyList<Guid> Events);
}
