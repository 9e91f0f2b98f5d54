using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Webhooks;

/// <summary>What the endpoint routes do: check, write, tell the caches. A null view with a null problem means that there is no such endpoint.</summary>
public sealed class EndpointEditor(
    EndpointStore store, EndpointValidator validator, SecretProtection secrets, SignalTypeKey typeKey, WorkspaceChanges changes,
    DeliverySignal dispatcher, TimeProvider clock)
{
    /// <summary><c>disabled_reason</c> of an endpoint that its owner switched off.</summary>
    private const string DisabledByUser = "by_user";

    /// <summary>A new endpoint with its secret, or the problem.</summary>
    public async Task<(EndpointView? View, Problem? Problem)> CreateAsync(
        Guid workspaceId, EndpointBody body, CancellationToken cancellationToken, string origin = EndpointOrigins.Api)
    {
        var completed = body.Complete(typeKey);
        if (validator.Check(completed) is { } invalid)
        {
            return (null, invalid);
        }
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var (endpoint, secret) = Make(completed, origin, now);
        if (await store.CreateAsync(workspaceId, endpoint, cancellationToken) is { } refused)
        {
            return (null, refused);
        }
        changes.Announce(workspaceId);
        return (EndpointView.Of(endpoint, now) with { Secret = secret }, null);
    }

    /// <summary>The endpoint of a checked body, for whoever owns it to store; and the secret, to be shown once.</summary>
    internal (StoredEndpoint Endpoint, string Secret) MakeOwned(EndpointBody body, string origin, DateTimeOffset now) => Make(body.Complete(typeKey), origin, now);

    /// <summary>An owned endpoint as a checked body wants it. It is enabled by that: whoever edits the owner wants it to work.</summary>
    internal StoredEndpoint EditOwned(StoredEndpoint current, EndpointBody body, DateTimeOffset now)
    {
        var edited = BodyOf(current) with { Url = body.Url, SignatureHeader = body.SignatureHeader, Secret = body.Secret, Enabled = true };
        return With(edited.Complete(typeKey), WithSecret(current, body.Secret), now);
    }

    /// <summary>Every field says what the body says; what the body leaves out goes back to its default, but for the secret.</summary>
    public Task<(EndpointView? View, Problem? Problem)> PutAsync(Guid workspaceId, Guid id, EndpointBody body, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, _ => (body, null), cancellationToken);

    public Task<(EndpointView? View, Problem? Problem)> PatchAsync(Guid workspaceId, Guid id, Patch patch, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, current =>
        {
            var before = BodyOf(current);
            var (patched, problem) = patch.ApplyTo(before);
            // Another policy leaves no use for the old list; only a list that the patch itself brings is a contradiction.
            var isLeftOver = patched?.Schedule is not null && patched.RetryPolicy != RetryPolicies.Custom
                && before.Schedule is not null && patched.Schedule.SequenceEqual(before.Schedule);
            return (isLeftOver ? patched! with { Schedule = null } : patched, problem);
        }, cancellationToken);

    /// <param name="origin">Only an endpoint of that origin; null: any that does not belong to an automation.</param>
    public async Task<bool> DeleteAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken, string? origin = null)
    {
        if (!await store.DeleteAsync(workspaceId, id, origin, cancellationToken))
        {
            return false;
        }
        changes.Announce(workspaceId);
        dispatcher.Wake();
        return true;
    }

    /// <summary>
    /// Signs with another secret from now on, and with the present one too until the grace ends. Of an earlier rotation whose
    /// grace still lasts, the oldest secret is dropped: two sign at most.
    /// </summary>
    public async Task<(EndpointView? View, Problem? Problem)> RotateAsync(
        Guid workspaceId, Guid id, RotateBody body, CancellationToken cancellationToken)
    {
        if (EndpointValidator.Check(body) is { } invalid)
        {
            return (null, invalid);
        }
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var secret = body.Secret is { } given ? WebhookSecret.Parse(given) : WebhookSecret.New();
        var grace = TimeSpan.FromHours(body.GracePeriodHours ?? EndpointLimits.DefaultGraceHours);
        var (rotated, _) = await store.ChangeAsync(workspaceId, id, current => (current with
        {
            Secret = secrets.Protect(secret),
            PreviousSecret = grace > TimeSpan.Zero ? current.Secret : null,
            PreviousSecretUntil = grace > TimeSpan.Zero ? now + grace : null,
            UpdatedAt = now,
        }, null), cancellationToken);
        return rotated is null ? (null, null) : (Announced(workspaceId, rotated, now) with { Secret = secret.Text }, null);
    }

    /// <summary>Ends the grace of the last rotation now. Nothing to end is no error: the answer to a repeated call is the same.</summary>
    public async Task<EndpointView?> FinishRotationAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var (finished, _) = await store.ChangeAsync(workspaceId, id,
            current => (current with { PreviousSecret = null, PreviousSecretUntil = null, UpdatedAt = now }, null), cancellationToken);
        return finished is null ? null : Announced(workspaceId, finished, now);
    }

    private (StoredEndpoint Endpoint, string Secret) Make(EndpointBody completed, string origin, DateTimeOffset now)
    {
        var secret = completed.Secret is { } given ? WebhookSecret.Parse(given) : WebhookSecret.New();
        var endpoint = With(completed, new StoredEndpoint
        {
            Id = Ids.New(now),
            Url = "",
            Events = [],
            Filter = EndpointFilter.Any,
            Secret = secrets.Protect(secret),
            SignatureHeader = "",
            TimeoutSeconds = 0,
            RetryPolicy = "",
            Ordered = false,
            Enabled = true,
            CreatedAt = now,
            UpdatedAt = now,
            Origin = origin,
        }, now);
        return (endpoint, secret.Text);
    }

    private async Task<(EndpointView? View, Problem? Problem)> EditAsync(
        Guid workspaceId, Guid id, Func<StoredEndpoint, (EndpointBody?, Problem?)> edit, CancellationToken cancellationToken)
    {
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var wasEnabled = true;
        var (written, problem) = await store.ChangeAsync(workspaceId, id, current =>
        {
            wasEnabled = current.Enabled;
            var (body, refused) = edit(current);
            if (body is null)
            {
                return (null, refused);
            }
            var completed = body.Complete(typeKey);
            return validator.Check(completed) is { } invalid ? (null, invalid) : (With(completed, WithSecret(current, completed.Secret), now), null);
        }, cancellationToken);
        if (written is null)
        {
            return (null, problem);
        }
        var view = Announced(workspaceId, written, now);
        if (wasEnabled || !written.Enabled)
        {
            return (view, null);
        }
        dispatcher.Wake();
        return (view with { Skipped = await store.CountSkippedAsync(workspaceId, id, cancellationToken) }, null);
    }

    /// <summary>Another secret replaces both; the one there is changes nothing, so that a repeated PUT leaves a rotation alone.</summary>
    private StoredEndpoint WithSecret(StoredEndpoint current, string? given) =>
        given is null || secrets.Unprotect(current.Secret).Text == given
            ? current
            : current with { Secret = secrets.Protect(WebhookSecret.Parse(given)), PreviousSecret = null, PreviousSecretUntil = null };

    private EndpointView Announced(Guid workspaceId, StoredEndpoint endpoint, DateTimeOffset now)
    {
        changes.Announce(workspaceId);
        return EndpointView.Of(endpoint, now);
    }

    private static StoredEndpoint With(EndpointBody completed, StoredEndpoint current, DateTimeOffset now)
    {
        var enabled = completed.Enabled!.Value;
        return current with
        {
            Url = completed.Url!,
            Description = completed.Description,
            Events = completed.Events!,
            Filter = EndpointFilter.Of(completed.Filter!),
            SignatureHeader = completed.SignatureHeader!,
            Format = completed.Format!,
            TimeoutSeconds = completed.TimeoutSeconds!.Value,
            RetryPolicy = completed.RetryPolicy!,
            Schedule = completed.Schedule,
            MaxPerSecond = completed.MaxPerSecond,
            Ordered = completed.Ordered!.Value,
            Enabled = enabled,
            // Whoever is disabled already keeps the reason and the time: saying so again is no news.
            DisabledReason = enabled ? null : current.DisabledReason ?? DisabledByUser,
            DisabledAt = enabled ? null : current.DisabledAt ?? now,
            UpdatedAt = now,
        };
    }

    private static EndpointBody BodyOf(StoredEndpoint endpoint) => new()
    {
        Url = endpoint.Url,
        Description = endpoint.Description,
        Events = endpoint.Events,
        SignatureHeader = endpoint.SignatureHeader,
        Format = endpoint.Format,
        Filter = endpoint.Filter.ToBody(),
        TimeoutSeconds = endpoint.TimeoutSeconds,
        RetryPolicy = endpoint.RetryPolicy,
        Schedule = endpoint.Schedule,
        MaxPerSecond = endpoint.MaxPerSecond,
        Ordered = endpoint.Ordered,
        Enabled = endpoint.Enabled,
    };
}
