using System.Text.Json;

namespace SignalHub.Conditions;

/// <summary>The comparison rules of conditions for the bands of a score criterion.</summary>
public static class Matching
{
    /// <summary>
    /// Whether a value equals a JSON literal: case of A to Z does not matter, a numeric string equals a literal number, a literal
    /// null equals a JSON null. Unknown for missing values, pairs that cannot be compared, and arrays and objects as literals.
    /// </summary>
    public static Truth EqualsLiteral(ConditionValue value, JsonElement literal)
    {
        var right = ConditionValue.Of(literal);
        return Comparisons.Equal(value, right, Comparisons.CoercionOf(right));
    }

    /// <summary>
    /// Whether a number, or a numeric string, lies between the two bounds, which belong to the range; a bound left null is open.
    /// Unknown for everything else.
    /// </summary>
    public static Truth InRange(ConditionValue value, double? from, double? to)
    {
        if (!Comparisons.TryNumber(value, out var number) || double.IsNaN(number.Binary64))
        {
            return Truth.Unknown;
        }
        var x = number.Binary64;
        return TruthLogic.Of((from is not { } low || x >= low) && (to is not { } high || x <= high));
    }
}
