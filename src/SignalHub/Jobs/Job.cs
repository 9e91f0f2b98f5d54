using System.Text.Json;

namespace SignalHub.Jobs;

/// <summary>Where a job stands.</summary>
public static class JobStates
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";

    /// <summary>Somebody ended it; what it had done by then stays done.</summary>
    public const string Cancelled = "cancelled";

    public static IReadOnlyList<string> All { get; } = [Queued, Running, Succeeded, Failed, Cancelled];
}

/// <summary>Work that takes longer than a request, done in turns.</summary>
/// <param name="Kind">Name of the <see cref="JobKind"/> that does it.</param>
/// <param name="SubjectId">What it is about, e.g. an endpoint.</param>
/// <param name="State">A word of <see cref="JobStates"/>.</param>
/// <param name="Parameters">What was asked for.</param>
/// <param name="Position">Where the turn starts; an empty object before the first.</param>
/// <param name="Total">Steps, as counted when it was asked for: an estimate by the time it runs.</param>
/// <param name="Affected">Of the steps done, those that changed something.</param>
/// <param name="Turn">Fence: whoever writes must hold the latest.</param>
/// <param name="Error">Why it failed.</param>
public sealed record Job(
    Guid WorkspaceId, Guid Id, string Kind, Guid? SubjectId, string State, JsonElement Parameters, JsonElement Position,
    long Total, long Done, long Affected, int Turn, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, DateTimeOffset UpdatedAt);

/// <summary>What a turn did: written in the transaction that did it.</summary>
/// <param name="Position">Where the next turn goes on.</param>
/// <param name="Pause">How long to wait before it: the job's pace.</param>
/// <param name="State"><see cref="JobStates.Running"/>, or the state it ends in.</param>
public sealed record JobTurn(JsonElement Position, long Done, long Affected, TimeSpan Pause, string State = JobStates.Running, string? Error = null);

/// <summary>
/// A kind of job. <paramref name="RunAsync"/> does one turn: a bounded piece of work, well within <see cref="JobRunner.Lease"/>,
/// that ends with <see cref="JobStore.WriteTurnAsync"/> in its own transaction and rolls back when that says that the turn is
/// no longer ours.
/// </summary>
public sealed record JobKind(string Name, Func<Job, CancellationToken, Task> RunAsync);
