using SignalHub.Conditions;

namespace SignalHub.Tests.Conditions;

/// <summary>Fields that all hold one text, and count how often they are read.</summary>
internal sealed class CountingFields(string value) : IFields
{
    public int Reads { get; set; }

    public ConditionValue Get(string name)
    {
        Reads++;
        return ConditionValue.Of(value);
    }
}
