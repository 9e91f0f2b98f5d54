using System.Text.Json;
using SignalHub.Automations;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Projects;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Signals;

/// <summary>The definitions of a workspace that a signal is taken in with, each as of now.</summary>
public sealed record CaptureDefinitions(
    WorkspaceSnapshots<SignalTypeSet> Types, WorkspaceSnapshots<DefinitionSet> Qualification, WorkspaceSnapshots<EndpointSet> Endpoints,
    WorkspaceSnapshots<ProjectSet> Projects, WorkspaceSnapshots<AutomationSet> Automations);

/// <summary>A signal as it came, and how it is to be taken.</summary>
/// <param name="Read">Reads the sender's dialect.</param>
/// <param name="HeaderKey">The header <c>Idempotency-Key</c>.</param>
/// <param name="IsDryRun">Nothing may be written, not even a type that the signal would declare.</param>
public sealed record SentSignal(Func<JsonElement, DateTimeOffset, SignalRequest> Read, ReadOnlyMemory<byte> Body, string? HeaderKey, bool IsDryRun);

/// <summary>From the bytes of a request to a checked signal, and through the queue to its result.</summary>
public sealed class SignalCapture(
    CaptureDefinitions definitions, TypeOfSignal types, WorkspaceDirectory workspaces, WorkspaceIdentityRules rules, IntakeQueue queue,
    IntakeGate gate, SignalIntake intake, TimeProvider time)
{
    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement;

    /// <summary>Checks everything that can be checked without the transaction.</summary>
    public async ValueTask<(IntakeItem? Item, Problem? Problem)> CheckAsync(Caller caller, SentSignal sent)
    {
        var (item, problem) = await ReadAsync(caller, sent);
        if (problem is not null)
        {
            IntakeMetrics.CountRefused();
        }
        return (item, problem);
    }

    private async ValueTask<(IntakeItem? Item, Problem? Problem)> ReadAsync(Caller caller, SentSignal sent)
    {
        if (JsonGate.Check(sent.Body.Span) is { } broken)
        {
            return (null, broken);
        }
        var request = sent.Read(JsonDocument.Parse(sent.Body).RootElement, Timestamps.Truncate(time.GetUtcNow()));
        if (MergeHeaderKey(request, sent.HeaderKey) is { } conflict)
        {
            return (null, conflict);
        }
        var errors = SignalValidator.Check(request);
        var settings = await workspaces.GetAsync(caller.WorkspaceId);
        var identity = CanonicalIdentity.From(request.Identity, rules.Of(settings));
        if (IdentityErrors(request, identity) is { } identityErrors)
        {
            errors = [.. errors, .. identityErrors];
        }
        var (type, unknown) = request.SignalType is null ? (null, null) : await types.FindAsync(caller.WorkspaceId, request);
        errors = unknown is null ? errors : [.. unknown.Errors, .. errors];
        if (errors.Count > 0)
        {
            return (null, Problem.Fields(errors));
        }
        if (type is null)
        {
            (type, var refused) = await types.DeclareAsync(caller.WorkspaceId, request.SignalType!, settings.Settings, isPretence: caller.IsTest || sent.IsDryRun);
            if (refused is not null)
            {
                return (null, refused);
            }
        }
        return (await ToItemAsync(caller, request, identity, type!, settings, sent.Body.Length), null);
    }

    /// <summary>Queues the signal and waits for its commit.</summary>
    /// <param name="item">The checked signal.</param>
    /// <param name="moreCome">Others follow, or <see cref="NoMoreCome"/>.</param>
    public async Task<IntakeResult> CaptureAsync(IntakeItem item, bool moreCome = false)
    {
        using var span = IntakeSpan.Begin(item);
        var result = queue.TryEnqueue(item, moreCome)
            ? await item.Done
            : IntakeResult.Of(gate.Refuse());
        IntakeMetrics.Count(result);
        IntakeSpan.End(span, result);
        return result;
    }

    /// <summary>Those that were announced are queued.</summary>
    public void NoMoreCome() => queue.NoMoreCome();

    /// <summary>What the signal would become.</summary>
    public async Task<(DryRunResponse? Response, Problem? Problem)> RehearseAsync(IntakeItem item, CancellationToken ct)
    {
        var (rehearsal, problem) = await intake.RehearseAsync(item, ct);
        return rehearsal is null ? (null, problem) : (DryRun.Describe(rehearsal), null);
    }

    /// <summary>The header <c>Idempotency-Key</c>, quoted (RFC 8941) or bare, and the body's field are one thing.</summary>
    private static Problem? MergeHeaderKey(SignalRequest request, string? header)
    {
        var key = header?.Trim();
        if (key is { Length: >= 2 } && key[0] == '"' && key[^1] == '"')
        {
            key = key[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        }
        if (string.IsNullOrWhiteSpace(key))
        {
            return null;
        }
        if (request.IdempotencyKey is { } inBody && inBody != key)
        {
            return Problem.Field(ProblemCodes.IdempotencyKeyConflict, "/idempotency_key",
                "The header Idempotency-Key and the field idempotency_key differ: send one of them.");
        }
        request.IdempotencyKey = key;
        return null;
    }

    private static IReadOnlyList<FieldError>? IdentityErrors(SignalRequest request, CanonicalIdentity identity)
    {
        if (request.IsFreeForm || identity.HasUsableKey || request.TypeErrors.Any(e => e.Pointer.StartsWith("/identity", StringComparison.Ordinal)))
        {
            return null;
        }
        var code = ProblemCodes.IdentityRequired.Code;
        if (identity.Problems.Count == 0)
        {
            return [new FieldError("/identity", code, "/identity needs at least one of email, linkedin_url and company_domain.")];
        }
        var why = string.Join("; ", identity.Problems.Select(p => p.Detail));
        return
        [
            new FieldError("/identity", code, $"/identity has no usable identifier: {why}."),
            .. identity.Problems.Select(p => new FieldError(p.Pointer, p.Code, p.Detail)),
        ];
    }

    private async ValueTask<IntakeItem> ToItemAsync(
        Caller caller, SignalRequest request, CanonicalIdentity identity, SignalType type, WorkspaceSettingsSnapshot settings, int size)
    {
        var occurredAt = request.OccurredAt ?? request.ReceivedAt;
        var dedupe = request.IdempotencyKey is { } clientKey ? DedupeKey.FromClient(caller.WorkspaceId, caller.Mode, clientKey)
            // Without a time of its own, the same event sent again cannot be told from the next one.
            : identity.SentKeys.Count == 0 || request.OccurredAt is null ? DedupeKey.Unique()
            : DedupeKey.Natural(caller.WorkspaceId, caller.Mode, type.Key, request.Source!, identity.SentKeys, occurredAt);
        foreach (var issue in identity.Warnings)
        {
            request.Warnings.Add(new Warning(issue.Code, issue.Pointer, issue.Detail));
        }
        return new IntakeItem
        {
            WorkspaceId = caller.WorkspaceId,
            IsTest = caller.IsTest,
            Type = type,
            TypeSent = request.SignalType == type.Key ? null : request.SignalType,
            Source = request.Source!,
            EventName = request.EventName,
            OccurredAt = occurredAt,
            ReceivedAt = request.ReceivedAt,
            Backfill = request.Backfill,
            Identity = identity,
            IdentityAsRead = request.HasIdentity ? request.IdentityAsRead : EmptyObject,
            Context = request.Context.ValueKind == JsonValueKind.Undefined ? EmptyObject : request.Context,
            Dedupe = dedupe,
            Content = ContentHash.Of(request, type.Key, dedupe.IsClientKey),
            SignalId = Ids.Derive(occurredAt, dedupe.Hash),
            Warnings = request.Warnings,
            Definitions = await definitions.Qualification.GetAsync(caller.WorkspaceId),
            Endpoints = await definitions.Endpoints.GetAsync(caller.WorkspaceId),
            Automations = await definitions.Automations.GetAsync(caller.WorkspaceId),
            Projects = await definitions.Projects.GetAsync(caller.WorkspaceId),
            FireMaxAge = settings.FireMaxAge,
            Size = size,
        };
    }
}
