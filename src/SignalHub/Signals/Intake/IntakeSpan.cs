using System.Diagnostics;
using SignalHub.Storage;
using SignalHub.Telemetry;

namespace SignalHub.Signals.Intake;

/// <summary>
/// The span from the queue to the answer, a child of the request's. Each signal has its own, although one transaction writes many:
/// the event <c>taken</c> in it parts the wait for a writer from the transaction.
/// </summary>
internal static class IntakeSpan
{
    private const string Name = "signalhub.intake";
    private const string Taken = "taken";
    private const string BatchSize = "signalhub.intake.batch_size";

    /// <summary>Null, at the price of a look at a field, unless somebody listens.</summary>
    public static Activity? Begin(IntakeItem item)
    {
        var span = Traces.Source.StartActivity(Name);
        if (span is not null)
        {
            span.SetTag(Traces.WorkspaceId, Ids.Text(Ids.Workspace, item.WorkspaceId));
            span.SetTag(Traces.SignalId, Ids.Text(Ids.Signal, item.SignalId));
            item.Span = span;
        }
        return span;
    }

    /// <summary>A writer took the batch.</summary>
    public static void TakenIn(List<IntakeItem> batch)
    {
        foreach (var item in batch)
        {
            item.Span?.SetTag(BatchSize, batch.Count).AddEvent(new ActivityEvent(Taken));
        }
    }

    /// <summary>
    /// Where the tries to deliver the signal's events go on: the W3C traceparent, when the request is sampled. Otherwise there is
    /// nothing that they could belong to.
    /// </summary>
    public static string? TraceparentOf(IntakeItem item) => item.Span is { Recorded: true } span ? span.Id : null;

    public static void End(Activity? span, IntakeResult result)
    {
        if (span is null)
        {
            return;
        }
        span.SetTag(Traces.Outcome, IntakeMetrics.OutcomeOf(result));
        if (result.Captured is { } captured)
        {
            // A duplicate by a client's key has the id of the first.
            span.SetTag(Traces.SignalId, Ids.Text(Ids.Signal, captured.SignalId));
        }
        else if (result.Problem is { } problem)
        {
            span.SetTag(Traces.ErrorType, problem.Code.Code).SetStatus(ActivityStatusCode.Error);
        }
    }
}
