using System.Text.Json;
using SignalHub.Http;
using SignalHub.Webhooks;

namespace SignalHub.Operations.Replay;

/// <summary>Which events an endpoint is to get again, or for the first time. The body may be left out: everything.</summary>
public sealed record ReplayBody
{
    /// <summary>Events from this time on (their <c>created_at</c>); null: from the beginning.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events before this time; null: up to now.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>
    /// <c>skipped</c>, <c>failed</c> or <c>delivered</c>: deliveries that ended so. <c>missing</c>: events that the endpoint would get
    /// today and has no delivery of, because it is newer than they are or listened to less. <c>any</c> (if absent): all of these.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Only events caused by signals of this type.</summary>
    public string? SignalType { get; init; }

    /// <summary>Most deliveries that are put into the queue in a second, 1–5,000; default 500.</summary>
    public int? MaxPerSecond { get; init; }

    /// <summary>true: only count.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>A checked replay: the parameters of its job.</summary>
/// <param name="Status">A word of <see cref="ReplayStatus"/>.</param>
/// <param name="SignalType">The key of a signal type.</param>
public sealed record ReplayRequest(DateTimeOffset Since, DateTimeOffset Until, string Status, string? SignalType, int MaxPerSecond)
{
    public const int DefaultPerSecond = 500;

    /// <summary>A turn takes at most this many rows, and there is a turn a second.</summary>
    public const int MostPerSecond = 5_000;

    internal static (ReplayRequest? Request, Problem? Problem) Of(ReplayBody body, SignalTypeKey typeKey, DateTimeOffset now)
    {
        var errors = new List<FieldError>();
        void Refuse(ProblemCode code, string pointer, string detail) => errors.Add(new FieldError(pointer, code.Code, $"{pointer}: {detail}"));
        var status = body.Status ?? ReplayStatus.Any;
        if (!ReplayStatus.All.Contains(status))
        {
            Refuse(ProblemCodes.InvalidValue, "/status", $"has to be one of {string.Join(", ", ReplayStatus.All)}.");
        }
        var type = body.SignalType is { } name ? typeKey(name) : null;
        if (body.SignalType is not null && type is null)
        {
            Refuse(ProblemCodes.InvalidValue, "/signal_type", "needs a letter or digit to be a signal type.");
        }
        if (body.MaxPerSecond is < 1 or > MostPerSecond)
        {
            Refuse(ProblemCodes.OutOfRange, "/max_per_second", $"has to be 1 to {MostPerSecond}.");
        }
        var since = body.Since ?? DateTimeOffset.UnixEpoch;
        // What happens from now on is delivered anyway.
        var until = body.Until < now ? body.Until.Value : now;
        if (body.Until is { } end && body.Since >= end)
        {
            Refuse(ProblemCodes.InvalidValue, "/until", "has to be later than since.");
        }
        return errors.Count > 0
            ? (null, Problem.Fields(errors))
            : (new ReplayRequest(since, until, status, type, body.MaxPerSecond ?? DefaultPerSecond), null);
    }

    /// <summary>States of ended deliveries that are sent again.</summary>
    internal IReadOnlyList<string> States => Status switch
    {
        // What somebody cancelled is not brought back by asking for everything.
        ReplayStatus.Any => [.. DeliveryFilter.EndStates.Intersect(ReplayStatus.All)],
        ReplayStatus.Missing => [],
        _ => [Status],
    };

    internal bool IncludesMissing => Status is ReplayStatus.Any or ReplayStatus.Missing;

    internal SignalRange Signals => new(Since, Until, SignalType);

    internal JsonElement ToJson() => JsonSerializer.SerializeToElement(this, Json.Options);
}

/// <summary>Words of a replay's <c>status</c>.</summary>
internal static class ReplayStatus
{
    public const string Any = "any";
    public const string Missing = "missing";

    public static readonly string[] All = ["skipped", "failed", "delivered", Missing, Any];
}

/// <summary>How many deliveries a replay would put into the queue now.</summary>
/// <param name="Count">All of them.</param>
/// <param name="ByStatus">By the state they ended in, and <c>missing</c>.</param>
public sealed record ReplayCountView(bool DryRun, string EndpointId, long Count, IReadOnlyDictionary<string, long> ByStatus);

/// <summary>Where a replay goes on: first the ended deliveries, then the missing ones, each oldest first.</summary>
/// <param name="Place">Among the ended deliveries of events of one millisecond: that of the event.</param>
internal sealed record ReplayPosition(bool Missing, DateTimeOffset At, Guid Id, long Place = 0)
{
    public static ReplayPosition Start(ReplayRequest request) => new(request.States.Count == 0, DateTimeOffset.UnixEpoch, Guid.Empty);

    public static ReplayPosition Of(JsonElement stored, ReplayRequest request) =>
        stored.TryGetProperty("at", out _) ? stored.Deserialize<ReplayPosition>(Json.Options)! : Start(request);

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, Json.Options);
}
