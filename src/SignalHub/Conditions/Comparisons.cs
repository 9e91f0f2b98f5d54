using System.Text.Json;

namespace SignalHub.Conditions;

/// <summary>What a literal in a comparison permits.</summary>
[Flags]
internal enum Coercion
{
    None = 0,

    /// <summary>One side is a literal number: a numeric string on the other side counts as a number.</summary>
    NumericStrings = 1,

    /// <summary>One side is the literal <c>null</c>: any present value answers the question.</summary>
    NullTest = 2,
}

/// <summary>The comparison rules, in one place. Missing values and pairs that cannot be compared give unknown.</summary>
internal static class Comparisons
{
    public static Coercion CoercionOf(in ConditionValue literal) =>
        literal.IsNumber ? Coercion.NumericStrings
        : literal.Kind == ConditionValueKind.Null ? Coercion.NullTest
        : Coercion.None;

    public static Truth Equal(in ConditionValue left, in ConditionValue right, Coercion coercion)
    {
        if (left.Kind == ConditionValueKind.Missing || right.Kind == ConditionValueKind.Missing)
        {
            return Truth.Unknown;
        }
        if (left.Kind == ConditionValueKind.Null || right.Kind == ConditionValueKind.Null)
        {
            return left.Kind == right.Kind ? Truth.True
                : (coercion & Coercion.NullTest) != 0 ? Truth.False
                : Truth.Unknown;
        }
        if (left.Kind == ConditionValueKind.String && right.Kind == ConditionValueKind.String)
        {
            Span<char> leftBuffer = stackalloc char[ConditionValue.TextBufferLength];
            Span<char> rightBuffer = stackalloc char[ConditionValue.TextBufferLength];
            return TruthLogic.Of(AsciiText.EqualsIgnoringCase(left.Text(leftBuffer), right.Text(rightBuffer)));
        }
        if (left.Kind == ConditionValueKind.Boolean && right.Kind == ConditionValueKind.Boolean)
        {
            return TruthLogic.Of(left.Flag == right.Flag);
        }
        return TryOrder(left, right, coercion, out var order) ? TruthLogic.Of(order == 0) : Truth.Unknown;
    }

    /// <summary>One of <c>&lt; &lt;= &gt; &gt;=</c>.</summary>
    public static Truth Ordered(Relation relation, in ConditionValue left, in ConditionValue right, Coercion coercion) =>
        !TryOrder(left, right, coercion, out var order) ? Truth.Unknown : relation switch
        {
            Relation.Less => TruthLogic.Of(order < 0),
            Relation.LessOrEqual => TruthLogic.Of(order <= 0),
            Relation.Greater => TruthLogic.Of(order > 0),
            _ => TruthLogic.Of(order >= 0),
        };

    /// <summary>Whether one of the elements equals the value: the "or" of the single comparisons. Unknown if it is no array.</summary>
    public static Truth ElementOf(in ConditionValue value, in ConditionValue container, Coercion coercion)
    {
        var truth = Truth.False;
        if (value.Kind == ConditionValueKind.Missing)
        {
            return Truth.Unknown;
        }
        if (container.AsList() is { } list)
        {
            for (var i = 0; i < list.Count && truth != Truth.True; i++)
            {
                truth = Or(truth, Equal(value, ConditionValue.Of(list[i]), coercion));
            }
            return truth;
        }
        if (container.Kind != ConditionValueKind.Json || container.Json.ValueKind != JsonValueKind.Array)
        {
            return Truth.Unknown;
        }
        foreach (var element in container.Json.EnumerateArray())
        {
            truth = Or(truth, Equal(value, ConditionValue.Of(element), coercion));
            if (truth == Truth.True)
            {
                break;
            }
        }
        return truth;
    }

    /// <summary>An element of an array, or a part of a text.</summary>
    public static Truth Contains(in ConditionValue container, in ConditionValue part, Coercion coercion) =>
        container.Kind == ConditionValueKind.String
            ? TextMatches(Function.Contains, container, part)
            : ElementOf(part, container, coercion);

    /// <summary>Two texts put to <c>contains</c>, <c>startsWith</c>, <c>endsWith</c> or <c>glob</c>; unknown if one is no text.</summary>
    public static Truth TextMatches(Function function, in ConditionValue text, in ConditionValue part)
    {
        if (text.Kind != ConditionValueKind.String || part.Kind != ConditionValueKind.String)
        {
            return Truth.Unknown;
        }
        Span<char> textBuffer = stackalloc char[ConditionValue.TextBufferLength];
        Span<char> partBuffer = stackalloc char[ConditionValue.TextBufferLength];
        var whole = text.Text(textBuffer);
        var other = part.Text(partBuffer);
        return TruthLogic.Of(function switch
        {
            Function.Contains => AsciiText.Contains(whole, other),
            Function.StartsWith => AsciiText.StartsWith(whole, other),
            Function.EndsWith => AsciiText.EndsWith(whole, other),
            _ => Glob.IsMatch(whole, other),
        });
    }

    public static Truth TitleMatches(in ConditionValue title, TitleWords entries)
    {
        if (title.Kind != ConditionValueKind.String)
        {
            return Truth.Unknown;
        }
        Span<char> buffer = stackalloc char[ConditionValue.TextBufferLength];
        return TruthLogic.Of(entries.Matches(title.Text(buffer)));
    }

    private static Truth Or(Truth left, Truth right) => left > right ? left : right;

    private static bool TryOrder(in ConditionValue left, in ConditionValue right, Coercion coercion, out int order)
    {
        order = 0;
        if (left.IsNumber)
        {
            return right.IsNumber ? TryOrderNumbers(left, right, out order)
                : (coercion & Coercion.NumericStrings) != 0 && TryNumber(right, out var number) && TryOrderNumbers(left, number, out order);
        }
        switch (left.Kind, right.Kind)
        {
            case (ConditionValueKind.String, ConditionValueKind.Integer or ConditionValueKind.Number):
                return (coercion & Coercion.NumericStrings) != 0 && TryNumber(left, out var number) && TryOrderNumbers(number, right, out order);
            case (ConditionValueKind.String, ConditionValueKind.String):
                Span<char> leftBuffer = stackalloc char[ConditionValue.TextBufferLength];
                Span<char> rightBuffer = stackalloc char[ConditionValue.TextBufferLength];
                order = AsciiText.Compare(left.Text(leftBuffer), right.Text(rightBuffer));
                return true;
            case (ConditionValueKind.Instant or ConditionValueKind.String, ConditionValueKind.Instant or ConditionValueKind.String):
                if (!TryInstant(left, out var leftTicks) || !TryInstant(right, out var rightTicks))
                {
                    return false;
                }
                order = leftTicks.CompareTo(rightTicks);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The instant of an instant or an RFC 3339 string, in UTC ticks, truncated to microseconds.</summary>
    public static bool TryInstant(in ConditionValue value, out long utcTicks)
    {
        utcTicks = 0;
        if (value.Kind == ConditionValueKind.String)
        {
            Span<char> buffer = stackalloc char[ConditionValue.TextBufferLength];
            if (!InstantText.TryRead(value.Text(buffer), out var ticks))
            {
                return false;
            }
            utcTicks = ConditionValue.OfTicks(ticks).Ticks;
            return true;
        }
        utcTicks = value.Ticks;
        return value.Kind == ConditionValueKind.Instant;
    }

    /// <summary>A number, or a string that follows the JSON number grammar and is finite.</summary>
    public static bool TryNumber(in ConditionValue value, out ConditionValue number)
    {
        number = value;
        if (value.Kind != ConditionValueKind.String)
        {
            return value.IsNumber;
        }
        Span<char> buffer = stackalloc char[ConditionValue.TextBufferLength];
        return NumericText.TryRead(value.Text(buffer), out number);
    }

    // Rounding to binary64 keeps the order, so only numbers that round to the same one need their digits.
    private static bool TryOrderNumbers(in ConditionValue left, in ConditionValue right, out int order)
    {
        if (left.Kind == ConditionValueKind.Integer && right.Kind == ConditionValueKind.Integer)
        {
            order = left.Whole.CompareTo(right.Whole);
            return true;
        }
        var (l, r) = (left.Binary64, right.Binary64);
        order = l.CompareTo(r);
        if (order == 0 && Math.Abs(l) >= NumericText.ExactBinary64 && double.IsFinite(l)
            && left.NumberText() is { } leftText && right.NumberText() is { } rightText
            && NumericText.Whole(leftText) is { } leftWhole && NumericText.Whole(rightText) is { } rightWhole)
        {
            order = leftWhole.CompareTo(rightWhole);
        }
        return !double.IsNaN(l) && !double.IsNaN(r);
    }
}
