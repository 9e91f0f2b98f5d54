using SignalHub.Conditions;
using SignalHub.Signals.Intake;
using SignalHub.Storage;

namespace SignalHub.Signals;

/// <summary>A signal as the root <c>signal</c> of conditions.</summary>
public sealed class SignalFields(IntakeItem item) : IFields
{
    /// <summary>Set once the sub-rules have run.</summary>
    public string? Bucket { get; set; }

    public ConditionValue Get(string name) => name switch
    {
        "id" => ConditionValue.Of(Ids.Text(Ids.Signal, item.SignalId)),
        "signal_type" => ConditionValue.Of(item.Type.Key),
        "source" => ConditionValue.Of(item.Source),
        "event_name" => ConditionValue.Of(item.EventName),
        "bucket" => ConditionValue.Of(Bucket),
        "occurred_at" => ConditionValue.Of(item.OccurredAt),
        "received_at" => ConditionValue.Of(item.ReceivedAt),
        "mode" => ConditionValue.Of(item.Mode),
        "context" or "properties" => ConditionValue.Of(item.Context),
        _ => ConditionValue.Missing,
    };
}
