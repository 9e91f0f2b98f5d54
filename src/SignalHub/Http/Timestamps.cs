using System.Globalization;

namespace SignalHub.Http;

/// <summary>RFC 3339 timestamps: an offset is required, fractions are truncated to microseconds (what PostgreSQL keeps).</summary>
public static class Timestamps
{
    private const int LongestText = 64;

    /// <summary>
    /// Reads <c>2026-05-26T14:30:00Z</c>, also with a fraction of any length, a numeric offset, a lower-case <c>t</c> or
    /// <c>z</c>, or a space for the <c>T</c> (RFC 3339 section 5.6). Second 60 is false: PostgreSQL would store another instant.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length is < 20 or > LongestText || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or 't' or ' ')
            || text[13] != ':' || text[16] != ':'
            || !Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)
            || !Digits(text[11..13], out var hour) || !Digits(text[14..16], out var minute) || !Digits(text[17..19], out var second))
        {
            return false;
        }
        var rest = text[19..];
        if (!Fraction(ref rest, out var micros) || !Offset(rest, out var offset)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }
        var ticks = new DateTime(year, month, day, hour, minute, second).Ticks + (micros * TimeSpan.TicksPerMicrosecond) - offset.Ticks;
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
        {
            return false;
        }
        instant = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    /// <summary>Drops what is finer than a microsecond.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset value) =>
        new(value.UtcTicks - (value.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    private static bool Fraction(ref ReadOnlySpan<char> rest, out long micros)
    {
        micros = 0;
        if (rest.IsEmpty || rest[0] != '.')
        {
            return true;
        }
        var digits = 0;
        while (1 + digits < rest.Length && char.IsAsciiDigit(rest[1 + digits]))
        {
            if (digits < 6)
            {
                micros = (micros * 10) + (rest[1 + digits] - '0');
            }
            digits++;
        }
        for (var i = digits; i < 6; i++)
        {
            micros *= 10;
        }
        rest = rest[(1 + digits)..];
        return digits > 0;
    }

    private static bool Offset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = default;
        if (text is "Z" or "z")
        {
            return true;
        }
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':'
            || !Digits(text[1..3], out var hours) || !Digits(text[4..6], out var minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }
        offset = new TimeSpan(hours, minutes, 0);
        offset = text[0] == '-' ? -offset : offset;
        return true;
    }

    private static bool Digits(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
