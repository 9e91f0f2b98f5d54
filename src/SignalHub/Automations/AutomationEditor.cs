using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Automations;

/// <summary>What the automation routes do: check, write, tell the caches. A null view with a null problem means that there is no such automation.</summary>
public sealed class AutomationEditor(
    AutomationStore store, AutomationValidator validator, EndpointEditor endpoints, SignalTypeKey typeKey, WorkspaceChanges changes,
    DeliverySignal dispatcher, TimeProvider clock)
{
    /// <summary>A new automation, with the secret of its own URL if it has one.</summary>
    public async Task<(AutomationView? View, Problem? Problem)> CreateAsync(Guid workspaceId, AutomationBody body, CancellationToken cancellationToken)
    {
        var completed = body.Complete(typeKey);
        if (validator.Check(completed) is { } invalid)
        {
            return (null, invalid);
        }
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var (change, secret) = Decide(completed, Ids.New(now), null, null, now);
        return await store.CreateAsync(workspaceId, change, cancellationToken) switch
        {
            AutomationWrite.TooMany => (null, new Problem(ProblemCodes.TooManyAutomations,
                $"The workspace has {AutomationLimits.PerWorkspace} automations, which is the limit: delete one first.")),
            AutomationWrite.NoEndpoint => (null, NoEndpoint(completed)),
            _ => await AnnouncedAsync(workspaceId, change.Automation.Id, secret, cancellationToken),
        };
    }

    /// <summary>Every field says what the body says; what the body leaves out goes back to its default, but for the secret.</summary>
    public Task<(AutomationView? View, Problem? Problem)> PutAsync(Guid workspaceId, Guid id, AutomationBody body, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, (_, _) => (body, null), cancellationToken);

    public Task<(AutomationView? View, Problem? Problem)> PatchAsync(Guid workspaceId, Guid id, Patch patch, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, (current, endpoint) => patch.ApplyTo(BodyOf(current, endpoint)), cancellationToken);

    public async Task<bool> DeleteAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        if (!await store.DeleteAsync(workspaceId, id, cancellationToken))
        {
            return false;
        }
        changes.Announce(workspaceId);
        dispatcher.Wake();
        return true;
    }

    internal static AutomationLimitBody? LimitOf(StoredAutomation stored) =>
        stored.LimitHours is { } hours ? new AutomationLimitBody { Per = AutomationLimits.PerLead, PeriodHours = hours } : null;

    private async Task<(AutomationView? View, Problem? Problem)> EditAsync(
        Guid workspaceId, Guid id, Func<StoredAutomation, StoredEndpoint?, (AutomationBody?, Problem?)> edit, CancellationToken cancellationToken)
    {
        var now = Timestamps.Truncate(clock.GetUtcNow());
        Problem? refused = null;
        AutomationBody? completed = null;
        string? secret = null;
        var written = await store.ChangeAsync(workspaceId, id, (current, endpoint) =>
        {
            (var body, refused) = edit(current, endpoint);
            completed = body?.Complete(typeKey);
            refused ??= validator.Check(completed!);
            if (refused is not null)
            {
                return null;
            }
            (var change, secret) = Decide(completed!, id, current, endpoint, now);
            return change;
        }, cancellationToken);
        return written switch
        {
            AutomationWrite.NotFound => (null, null),
            AutomationWrite.Refused => (null, refused),
            AutomationWrite.NoEndpoint => (null, NoEndpoint(completed!)),
            _ => await AnnouncedAsync(workspaceId, id, secret, cancellationToken),
        };
    }

    /// <summary>The row, and what becomes of an endpoint of its own; with the secret of one that is made.</summary>
    private (AutomationChange Change, string? NewSecret) Decide(
        AutomationBody body, Guid id, StoredAutomation? current, StoredEndpoint? endpoint, DateTimeOffset now)
    {
        var action = body.Action!;
        var owned = current is { OwnsEndpoint: true } ? endpoint : null;
        StoredAutomation Row(Guid endpointId, bool owns) => new()
        {
            Id = id,
            Name = body.Name!,
            Description = body.Description,
            SignalTypes = body.Trigger!.SignalTypes!,
            When = body.When,
            EndpointId = endpointId,
            OwnsEndpoint = owns,
            Headers = action.Headers!,
            BodyTemplate = action.BodyTemplate,
            LimitHours = body.Limit?.PeriodHours,
            Enabled = body.Enabled!.Value,
            CreatedAt = current?.CreatedAt ?? now,
            UpdatedAt = now,
        };
        if (action.EndpointId is { } given)
        {
            _ = Ids.TryParse(Ids.Endpoint, given, out var endpointId);
            return (new AutomationChange(Row(endpointId, owns: false), DropsEndpoint: owned?.Id), null);
        }
        var wanted = AutomationValidator.OwnEndpoint(action);
        if (owned is not null)
        {
            return (new AutomationChange(Row(owned.Id, owns: true), EditedEndpoint: endpoints.EditOwned(owned, wanted, now)), null);
        }
        var (made, secret) = endpoints.MakeOwned(wanted, EndpointOrigins.Automation, now);
        return (new AutomationChange(Row(made.Id, owns: true), NewEndpoint: made), secret);
    }

    /// <summary>The automation in the form its PUT takes; the secret is not told again.</summary>
    private static AutomationBody BodyOf(StoredAutomation stored, StoredEndpoint? endpoint) => new()
    {
        Name = stored.Name,
        Description = stored.Description,
        Trigger = new AutomationTriggerBody { SignalTypes = stored.SignalTypes },
        When = stored.When,
        Action = new AutomationActionBody
        {
            Type = AutomationActions.Webhook,
            EndpointId = stored.OwnsEndpoint ? null : Ids.Text(Ids.Endpoint, stored.EndpointId),
            Url = stored.OwnsEndpoint ? endpoint?.Url : null,
            SignatureHeader = stored.OwnsEndpoint ? endpoint?.SignatureHeader : null,
            Headers = stored.Headers,
            BodyTemplate = stored.BodyTemplate,
        },
        Limit = LimitOf(stored),
        Enabled = stored.Enabled,
    };

    private async Task<(AutomationView? View, Problem? Problem)> AnnouncedAsync(Guid workspaceId, Guid id, string? secret, CancellationToken cancellationToken)
    {
        changes.Announce(workspaceId);
        dispatcher.Wake();
        if (await store.FindAsync(workspaceId, id, cancellationToken) is not var (automation, target))
        {
            return (null, null);
        }
        var view = AutomationView.Of(automation, target);
        return (view with { Action = view.Action with { Secret = secret } }, null);
    }

    private static Problem NoEndpoint(AutomationBody body) => Problem.Field(ProblemCodes.InvalidValue, "/action/endpoint_id",
        $"/action/endpoint_id: the workspace has no webhook endpoint {body.Action!.EndpointId}: create it first, or give a url instead.");
}
