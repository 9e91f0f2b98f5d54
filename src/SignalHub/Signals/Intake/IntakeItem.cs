using System.Diagnostics;
using System.Text.Json;
using SignalHub.Automations;
using SignalHub.Leads.Identity;
using SignalHub.Projects;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.SignalTypes;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Signals.Intake;

/// <summary>
/// One checked signal on its way into the database, with the definitions as they were when it was received. Everything that can
/// be computed before the transaction is.
/// </summary>
public sealed class IntakeItem : IThreadPoolWorkItem
{
    public required Guid WorkspaceId { get; init; }
    public required bool IsTest { get; init; }
    public required SignalType Type { get; init; }

    /// <summary>The type as sent, where that differs from the key.</summary>
    public string? TypeSent { get; init; }

    public required string Source { get; init; }
    public string? EventName { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public required DateTimeOffset ReceivedAt { get; init; }
    public required bool Backfill { get; init; }
    public required CanonicalIdentity Identity { get; init; }
    public required JsonElement IdentityAsRead { get; init; }
    public required JsonElement Context { get; init; }
    public required DedupeKey Dedupe { get; init; }
    public required ContentHash Content { get; init; }
    public required Guid SignalId { get; init; }
    public required List<Warning> Warnings { get; init; }
    public required DefinitionSet Definitions { get; init; }
    public required EndpointSet Endpoints { get; init; }
    public AutomationSet Automations { get; init; } = AutomationSet.Empty;
    public ProjectSet Projects { get; init; } = ProjectSet.Empty;

    /// <summary>Older signals fire nothing; null: every one fires.</summary>
    public TimeSpan? FireMaxAge { get; init; }

    /// <summary>Bytes of the request, for the bound on what waits.</summary>
    public required int Size { get; init; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when it was queued.</summary>
    public long EnqueuedAt { get; set; }

    /// <summary>Where it waits, and who remembers its people.</summary>
    public IntakeLine? Line { get; set; }

    /// <summary>What the intake of this signal is traced by; null when nobody listens.</summary>
    public Activity? Span { get; set; }

    /// <summary>An earlier try of its batch may have committed it.</summary>
    public bool MayBeStored { get; set; }

    public string Mode => IsTest ? Caller.Test : Caller.Live;

    /// <summary>Whether webhooks and automations hear of it.</summary>
    public bool Fires => !IsTest && !Backfill && (FireMaxAge is not { } age || ReceivedAt - OccurredAt <= age);

    private int? _ownWarnings;

    /// <summary>Drops what an earlier try of the batch added: its plan is made anew.</summary>
    public void ForgetPlan()
    {
        _ownWarnings ??= Warnings.Count;
        Warnings.RemoveRange(_ownWarnings.Value, Warnings.Count - _ownWarnings.Value);
    }

    private readonly TaskCompletionSource<IntakeResult> _done = new();
    private IntakeResult? _result;

    /// <summary>Completes after the commit, or with the problem that kept the signal out.</summary>
    public Task<IntakeResult> Done => _done.Task;

    /// <summary>Answers whoever waits for it, on another thread: there are more to answer.</summary>
    public void Answer(IntakeResult result)
    {
        _result = result;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    /// <summary>Answers whoever waits for it here and now: for the only one of a batch, waking another thread takes longer.</summary>
    public void AnswerHere(IntakeResult result) => _done.TrySetResult(result);

    void IThreadPoolWorkItem.Execute() => _done.TrySetResult(_result!);
}
