using System.Globalization;
using System.Numerics;

namespace SignalHub.Conditions;

/// <summary>Numbers written as text: the JSON grammar (RFC 8259, section 6) and nothing else.</summary>
internal static class NumericText
{
    /// <summary>2^53: below it every whole number has its own binary64.</summary>
    public const double ExactBinary64 = 9_007_199_254_740_992;

    public static bool IsNumber(ReadOnlySpan<char> text)
    {
        var rest = text is ['-', ..] ? text[1..] : text;
        var whole = Digits(rest);
        if (whole == 0 || (whole > 1 && rest[0] == '0'))
        {
            return false;
        }
        rest = rest[whole..];
        if (rest is ['.', ..])
        {
            var fraction = Digits(rest[1..]);
            if (fraction == 0)
            {
                return false;
            }
            rest = rest[(fraction + 1)..];
        }
        if (rest is ['e' or 'E', ..])
        {
            rest = rest is [_, '+' or '-', ..] ? rest[2..] : rest[1..];
            return rest.Length > 0 && Digits(rest) == rest.Length;
        }
        return rest.IsEmpty;
    }

    /// <summary>Reads a numeric string; false if it does not follow the grammar or is too large for binary64.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out ConditionValue number)
    {
        number = IsNumber(text) ? ConditionValue.OfNumberText(text) : default;
        return number.IsNumber && double.IsFinite(number.Binary64);
    }

    /// <summary>
    /// The whole number that a valid, finite JSON number stands for in any notation (<c>12.0</c>, <c>1e20</c>); null if it has a
    /// fraction. Finite means at most 309 digits, however long the text is.
    /// </summary>
    public static BigInteger? Whole(string text)
    {
        var exponentAt = text.IndexOfAny(['e', 'E']);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var exponentText = exponentAt < 0 ? "0" : text.AsSpan(exponentAt + 1);
        if (!int.TryParse(exponentText, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent))
        {
            return null;
        }
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var fractionDigits = point < 0 ? 0 : mantissa.Length - point - 1;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('-').TrimStart('0');
        var significant = digits.TrimEnd('0');
        if (significant.Length == 0)
        {
            return BigInteger.Zero;
        }
        var scale = (long)exponent - fractionDigits + (digits.Length - significant.Length);
        if (scale < 0)
        {
            return null;
        }
        var value = BigInteger.Parse(significant, CultureInfo.InvariantCulture) * BigInteger.Pow(10, (int)scale);
        return mantissa[0] == '-' ? -value : value;
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var other = text.IndexOfAnyExceptInRange('0', '9');
        return other < 0 ? text.Length : other;
    }
}
