using System.Data.Common;
using SignalHub.Http;

namespace SignalHub.Signals.Intake;

/// <summary>Another node changed what the batch had read: the batch starts again.</summary>
public sealed class IntakeConflictException() : Exception("What the batch read was changed while it was read.");

/// <summary>What a failed batch calls for.</summary>
internal static class IntakeFailure
{
    // A unique key that another node took first (23505), serialization failure, deadlock, a lock not waited for: the whole batch once more.
    private static readonly string[] Conflicts = ["23505", "40001", "40P01", "55P03"];

    // A connection that ended, a server that shuts down or starts, too many connections.
    private static readonly string[] Transient = ["08", "57P", "53"];

    // The data itself: bad values, violated checks, values over a limit.
    private static readonly string[] Data = ["22", "23", "54"];

    public enum Kind
    {
        Retry,
        Data,
        Other,
    }

    public static Kind Of(Exception e) => e switch
    {
        IntakeConflictException or TimeoutException => Kind.Retry,
        DbException { SqlState: null } => Kind.Retry,
        DbException { SqlState: { } state } when Conflicts.Contains(state) || StartsWith(state, Transient) => Kind.Retry,
        DbException { SqlState: { } state } when StartsWith(state, Data) => Kind.Data,
        _ => Kind.Other,
    };

    /// <summary>Somebody else writes the rows that the batch remembered: they are newer, or locked.</summary>
    public static bool IsStale(Exception e) => e is DbException { SqlState: "40001" or "40P01" or "55P03" };

    /// <summary>The connection broke, so a commit may have gone through and only its answer was lost.</summary>
    public static bool LostItsAnswer(Exception e) =>
        e is TimeoutException or DbException { SqlState: null } || (e is DbException { SqlState: { } state } && StartsWith(state, ["08", "57P"]));

    public static Problem ToProblem(Exception e) => Of(e) switch
    {
        Kind.Retry => ErrorHandling.Unavailable(),
        Kind.Data => new Problem(ProblemCodes.NotStorable, "The database refused a value of this signal: check its texts and numbers for what cannot be stored."),
        _ => new Problem(ProblemCodes.Internal, "The signal was not stored because of an error on our side: report the request_id."),
    };

    /// <summary>The class of the failure, never a message: messages of the database quote values.</summary>
    public static string Describe(Exception e) => e is DbException { SqlState: { } state } ? $"SQLSTATE {state}" : e.GetType().Name;

    private static bool StartsWith(string state, string[] classes) => classes.Any(c => state.StartsWith(c, StringComparison.Ordinal));
}
