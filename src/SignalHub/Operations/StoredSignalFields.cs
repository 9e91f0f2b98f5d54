using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Storage;

namespace SignalHub.Operations;

/// <summary>A stored signal as the root <c>signal</c> of conditions.</summary>
public sealed record StoredSignalFields(
    Guid Id, string TypeKey, string Source, string? EventName, string? Bucket, string Mode,
    DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, JsonElement Context) : IFields
{
    public ConditionValue Get(string name) => name switch
    {
        "id" => ConditionValue.Of(Ids.Text(Ids.Signal, Id)),
        "signal_type" => ConditionValue.Of(TypeKey),
        "source" => ConditionValue.Of(Source),
        "event_name" => ConditionValue.Of(EventName),
        "bucket" => ConditionValue.Of(Bucket),
        "occurred_at" => ConditionValue.Of(OccurredAt),
        "received_at" => ConditionValue.Of(ReceivedAt),
        "mode" => ConditionValue.Of(Mode),
        "context" => ConditionValue.Of(Context),
        _ => ConditionValue.Missing,
    };
}
