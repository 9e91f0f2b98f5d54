using System.Diagnostics.Metrics;

namespace SignalHub.Webhooks.Delivery;

/// <summary>How deep the queue is and how its endpoints are, over all nodes.</summary>
/// <param name="Due">Rows that may be sent now, those behind an open breaker included.</param>
/// <param name="Waiting">Rows whose next try is later.</param>
/// <param name="InFlight">Rows that some node has claimed.</param>
/// <param name="OldestDueAge">How long the row that waits longest has been due.</param>
/// <param name="Failing">Enabled endpoints whose breaker is open.</param>
public sealed record QueueState(long Due, long Waiting, long InFlight, TimeSpan OldestDueAge, long Enabled, long Failing, long Disabled);

/// <summary>What the dispatcher tells about itself. Numbers and words of ours only: no address, no id, no text of a receiver.</summary>
internal static class DeliveryMetrics
{
    private const string OutcomeTag = "outcome";
    private const string StateTag = "state";

    private static readonly Meter _meter = new("SignalHub.Webhooks");

    private static readonly Counter<long> _deliveries = _meter.CreateCounter<long>(
        "signalhub.deliveries", description: "Tries by what became of the delivery: delivered, retried, failed, cancelled.");

    private static readonly Histogram<double> _durations = _meter.CreateHistogram<double>(
        "signalhub.delivery.attempt.duration", "s", "Whole exchange of a try, connect to end of the answer.");

    private static readonly Histogram<double> _lags = _meter.CreateHistogram<double>(
        "signalhub.delivery.lag", "s", "From the arrival of what caused the event to the start of its first try, the intake's own time included; replays left out.");

    private static volatile QueueState? _queue;

    static DeliveryMetrics()
    {
        _meter.CreateObservableGauge("signalhub.delivery.queue", () => Each(("due", q => q.Due), ("waiting", q => q.Waiting), ("in_flight", q => q.InFlight)),
            description: "Pending deliveries of all nodes, at most 15 s old.");
        _meter.CreateObservableGauge("signalhub.delivery.oldest_due_age", () => _queue is { } queue ? [new Measurement<double>(queue.OldestDueAge.TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s", "How long the pending delivery that waits longest has been due.");
        _meter.CreateObservableGauge("signalhub.webhook.endpoints", () => Each(("enabled", q => q.Enabled), ("failing", q => q.Failing), ("disabled", q => q.Disabled)),
            description: "Webhook endpoints by state; failing: only probes go out.");
    }

    public static void Tell(QueueState queue) => _queue = queue;

    /// <summary>An outcome that was written down.</summary>
    public static void Count(Completion completion)
    {
        var outcome = completion.Next.Outcome;
        _deliveries.Add(1, new KeyValuePair<string, object?>(OutcomeTag, outcome), new KeyValuePair<string, object?>("error_class", completion.Error ?? "none"));
        if (completion.Attempt is not { } attempt)
        {
            return;
        }
        _durations.Record(attempt.DurationMs / 1000, new KeyValuePair<string, object?>(OutcomeTag, outcome));
        // A replayed event may be a year old: that is no lag.
        if (completion.Delivery is { Attempt: ClaimedDelivery.FirstAttempt, Trigger: ClaimedDelivery.TriggerOfSchedule })
        {
            var connected = attempt.StartedAt + TimeSpan.FromMilliseconds(attempt.ConnectMs ?? 0);
            _lags.Record(Math.Max(0, (connected - completion.Delivery.CreatedAt).TotalSeconds));
        }
    }

    private static Measurement<long>[] Each(params (string State, Func<QueueState, long> Of)[] states) => _queue is { } queue
        ? [.. states.Select(s => new Measurement<long>(s.Of(queue), new KeyValuePair<string, object?>(StateTag, s.State)))]
        : [];
}
