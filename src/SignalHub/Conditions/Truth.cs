namespace SignalHub.Conditions;

/// <summary>
/// Three-valued truth as in SQL. The order of the members is the arithmetic: "and" is the smaller, "or" the larger of two.
/// Only <see cref="True"/> matches.
/// </summary>
public enum Truth
{
    False,
    Unknown,
    True,
}

internal static class TruthLogic
{
    public static Truth Of(bool value) => value ? Truth.True : Truth.False;

    public static Truth Not(Truth value) => (Truth)((int)Truth.True - (int)value);
}
