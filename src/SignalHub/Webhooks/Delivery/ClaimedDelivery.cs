using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks.Delivery;

/// <summary>One endpoint of one workspace.</summary>
public readonly record struct EndpointKey(Guid WorkspaceId, Guid EndpointId);

/// <summary>Where and how an endpoint wants its deliveries; secrets as stored.</summary>
/// <param name="MaxPerSecond">Null: as fast as it answers.</param>
/// <param name="ConsecutiveFailures">As of the claim.</param>
public sealed record EndpointTarget(
    EndpointKey Key,
    string Url,
    byte[] Secret,
    byte[]? PreviousSecret,
    DateTimeOffset? PreviousSecretUntil,
    string SignatureHeader,
    TimeSpan Timeout,
    RetrySchedule Schedule,
    int? MaxPerSecond,
    bool Ordered,
    int ConsecutiveFailures)
{
    private SigningSecrets? _signingSecrets;

    /// <summary>A word of <see cref="EndpointFormats"/>.</summary>
    public string Format { get; init; } = EndpointFormats.Json;

    public bool IsEnabled { get; init; } = true;

    /// <summary>Whether a row may go to it when it likes: no pace, no order, no open breaker, which only a claim looks after.</summary>
    public bool IsFree => IsEnabled && MaxPerSecond is null && !Ordered && ConsecutiveFailures < Breaker.OpensAt;

    /// <summary>Decrypted once for all rows of a claim.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A secret cannot be decrypted.</exception>
    internal SigningSecrets SigningSecrets(SecretProtection secrets) => _signingSecrets ??=
        new(secrets.Unprotect(Secret), PreviousSecret is null ? null : secrets.Unprotect(PreviousSecret), PreviousSecretUntil);
}

/// <summary>A row of the queue that is ours, as far as giving it back needs it.</summary>
/// <param name="Bytes">Of its body.</param>
public readonly record struct HeldRow(EndpointKey Endpoint, Guid Id, int Attempt, int Bytes);

/// <summary>A delivery that was written as ours.</summary>
/// <param name="Since">When its lease began, at the latest.</param>
internal readonly record struct FreshRow(NewDelivery Delivery, DateTimeOffset Since);

/// <summary>
/// A delivery that belongs to us for the length of a lease. <see cref="Attempt"/> is the fence: whatever is written later is
/// written only while the row still has it.
/// </summary>
/// <param name="Step">Position in the schedule, from 0.</param>
/// <param name="Claims">Claims since the last outcome, this one included: more than one means that claimers vanished with it.</param>
/// <param name="Body">Null when the event was erased.</param>
public sealed record ClaimedDelivery(
    EndpointTarget Target,
    Guid Id,
    Guid EventId,
    string EventType,
    DateTimeOffset CreatedAt,
    int Attempt,
    int Step,
    int Claims,
    string Trigger,
    byte[]? Body)
{
    /// <summary>The number of the first try, which the fence of a row that was never claimed has.</summary>
    public const int FirstAttempt = 1;

    /// <summary><see cref="Trigger"/> of what nobody asked for by hand.</summary>
    public const string TriggerOfSchedule = "schedule";

    /// <summary>As a claim would answer it.</summary>
    internal static ClaimedDelivery Fresh(NewDelivery delivery, EndpointTarget target) => new(
        target, delivery.Id, delivery.Event.Id, delivery.Event.Type, delivery.Event.CreatedAt, FirstAttempt, Step: 0, Claims: 1, TriggerOfSchedule,
        EndpointFormats.Body(target.Format, delivery.Event.Type, delivery.Event.Body, slackBody: null))
    {
        SignalId = delivery.Event.SignalId,
        LeadId = delivery.Event.LeadId,
        QueuedAt = delivery.Event.CreatedAt,
        Traceparent = delivery.Event.Traceparent,
    };

    /// <summary>What its event has beside the body.</summary>
    public EventExtras? Extras { get; init; }

    /// <summary>What caused the event; null for operational ones.</summary>
    public Guid? SignalId { get; init; }

    public Guid? LeadId { get; init; }

    public DateTimeOffset QueuedAt { get; init; }

    /// <summary>How long after the claim it may begin: its place in the pace of <c>max_per_second</c>, over all nodes.</summary>
    public TimeSpan StartDelay { get; init; }

    /// <summary>When the last row was due that the same claim took of the endpoint.</summary>
    public DateTimeOffset ClaimedUpTo { get; init; }

    /// <summary>Of the event: see <see cref="WebhookEvent.Traceparent"/>.</summary>
    public string? Traceparent { get; init; }

    public HeldRow Row => new(Target.Key, Id, Attempt, Body?.Length ?? 0);

    /// <summary>
    /// The one row that goes out while the breaker is open. What the claim saw counts: the target is read after it, and when the breaker
    /// opened in between, everything that was claimed would look like a probe.
    /// </summary>
    public bool IsProbe { get; init; }

    /// <exception cref="System.Security.Cryptography.CryptographicException">The secret cannot be decrypted.</exception>
    internal DeliveryRequest Request(SecretProtection secrets, byte[] body) => new()
    {
        Url = Target.Url,
        Timeout = Target.Timeout,
        Secrets = Target.SigningSecrets(secrets),
        SignatureHeader = Target.SignatureHeader,
        EventId = EventId,
        EventType = EventType,
        DeliveryId = Id,
        Attempt = Attempt,
        Body = body,
        Headers = Extras?.Headers ?? DeliveryRequest.NoHeaders,
    };
}

/// <summary>What is to be written about a claimed delivery: the try, if one was made, and what becomes of it.</summary>
/// <param name="Attempt">Null when there was nothing to send.</param>
/// <param name="Error">One of <see cref="ErrorClass"/>, null when delivered.</param>
public sealed record Completion(ClaimedDelivery Delivery, AttemptResult? Attempt, NextStep Next, string? Error, string? Detail);

/// <summary>What a claim asks for.</summary>
/// <param name="Slots">Rows wanted of endpoints that are known to the claimer; 0 leaves one out.</param>
/// <param name="SlotsOfOthers">Rows wanted of each other endpoint.</param>
/// <param name="Room">Rows wanted altogether; soft, as each chosen endpoint gets at least one.</param>
/// <param name="Ahead">How much of a paced endpoint's time is given out in advance.</param>
public sealed record ClaimRequest(IReadOnlyDictionary<EndpointKey, int> Slots, int SlotsOfOthers, int Room, TimeSpan Lease, TimeSpan Ahead)
{
    /// <summary>Where to begin with an endpoint; none: with its first row.</summary>
    public IReadOnlyDictionary<EndpointKey, DateTimeOffset> Floors { get; init; } = NoFloors;

    private static readonly Dictionary<EndpointKey, DateTimeOffset> NoFloors = [];
}

public enum RetryAnswer
{
    /// <summary>It goes out again now, from the start of its schedule.</summary>
    Queued,

    /// <summary>A try is under way at this moment; nothing was changed.</summary>
    InFlight,

    /// <summary>Its endpoint is disabled or deleted; nothing was changed.</summary>
    EndpointDisabled,

    NotFound,
}
