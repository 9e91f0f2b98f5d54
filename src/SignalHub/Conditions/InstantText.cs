namespace SignalHub.Conditions;

/// <summary>Timestamps of RFC 3339, section 5.6: date, <c>T</c>, time, offset. Nothing looser, so that SQL can do the same.</summary>
internal static class InstantText
{
    private const int FractionAt = 19;
    private const int TickDigits = 7;

    /// <summary>Reads the instant as UTC ticks of 100 ns. A second of 60 and the year 0000 are not accepted.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out long utcTicks)
    {
        utcTicks = 0;
        if (text.Length < FractionAt + 1 || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or 't') || text[13] != ':' || text[16] != ':'
            || !Number(text[..4], 1, 9999, out var year) || !Number(text[5..7], 1, 12, out var month)
            || !Number(text[8..10], 1, DateTime.DaysInMonth(year, month), out var day) || !Number(text[11..13], 0, 23, out var hour)
            || !Number(text[14..16], 0, 59, out var minute) || !Number(text[17..19], 0, 59, out var second))
        {
            return false;
        }
        var rest = text[FractionAt..];
        if (!Fraction(ref rest, out var fraction) || !Offset(rest, out var offset))
        {
            return false;
        }
        utcTicks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks + fraction - offset;
        return true;
    }

    private static bool Fraction(ref ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (rest is not ['.', ..])
        {
            return true;
        }
        var end = rest[1..].IndexOfAnyExceptInRange('0', '9');
        if (end <= 0)
        {
            return false;
        }
        for (var i = 0; i < TickDigits; i++)
        {
            ticks = (ticks * 10) + (i < end ? rest[1 + i] - '0' : 0);
        }
        rest = rest[(1 + end)..];
        return true;
    }

    private static bool Offset(ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (rest is ['Z' or 'z'])
        {
            return true;
        }
        if (rest is not ['+' or '-', _, _, ':', _, _] || !Number(rest[1..3], 0, 23, out var hours) || !Number(rest[4..6], 0, 59, out var minutes))
        {
            return false;
        }
        ticks = (hours * TimeSpan.TicksPerHour) + (minutes * TimeSpan.TicksPerMinute);
        ticks = rest[0] == '-' ? -ticks : ticks;
        return true;
    }

    private static bool Number(ReadOnlySpan<char> digits, int from, int to, out int value)
    {
        value = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
            value = (value * 10) + (c - '0');
        }
        return value >= from && value <= to;
    }
}
