using System.Diagnostics.Metrics;

namespace SignalHub.Signals.Intake;

/// <summary>What the intake tells about itself.</summary>
internal static class IntakeMetrics
{
    private static readonly Meter _meter = new("SignalHub.Signals");

    private static readonly Counter<long> _signals = _meter.CreateCounter<long>(
        "signalhub.signals", description: "Signals by outcome: captured, duplicate, refused.");

    private static readonly Histogram<int> _batches = _meter.CreateHistogram<int>(
        "signalhub.intake.batch_size", description: "Signals in one transaction.");

    public static void Watch(IntakeQueue queue) =>
        _meter.CreateObservableGauge("signalhub.intake.queue_depth", () => queue.Depth, description: "Signals that wait for a writer.");

    public static void CountBatch(int size) => _batches.Record(size);

    public static void CountRefused(int signals = 1) => Count("refused", signals);

    public static void Count(IntakeResult result) => Count(OutcomeOf(result), 1);

    public static string OutcomeOf(IntakeResult result) =>
        result.Captured is not { } captured ? "refused" : captured.IsDuplicate ? "duplicate" : "captured";

    private static void Count(string outcome, int signals) => _signals.Add(signals, new KeyValuePair<string, object?>("outcome", outcome));
}
