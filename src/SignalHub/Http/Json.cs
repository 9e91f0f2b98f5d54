using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Http;

/// <summary>How JSON looks here: snake_case, UTF-8 unescaped, RFC 3339 UTC timestamps with <c>Z</c> and microseconds.</summary>
public static class Json
{
    /// <summary>Nesting that any body may have; a signal's context may have 32 below its own level.</summary>
    public const int MaxDepth = 64;

    private const int LongestInstant = 27; // 2026-05-26T14:30:00.123456Z

    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For answers, and for stored JSON of our own.</summary>
    public static readonly JsonSerializerOptions Options = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <summary>For requests to management routes: an unknown or doubled member is an error, because a typo must not be silently ignored.</summary>
    public static readonly JsonSerializerOptions Strict = new(Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        MaxDepth = MaxDepth,
        AllowDuplicateProperties = false,
    };

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        return options;
    }

    /// <summary>A document that is stored as text; null for null.</summary>
    public static JsonElement? Parse(string? stored) => stored is null ? null : JsonDocument.Parse(stored).RootElement;

    /// <summary>RFC 3339, UTC, <c>Z</c>, as many of six fraction digits as needed.</summary>
    public static string Instant(DateTimeOffset value)
    {
        Span<char> text = stackalloc char[LongestInstant];
        return new string(text[..Instant(value, text)]);
    }

    // By hand: a custom format string takes ten times as long, and a webhook body has a dozen instants.
    private static int Instant(DateTimeOffset value, Span<char> text)
    {
        var utc = value.UtcDateTime;
        var (date, time) = (DateOnly.FromDateTime(utc), TimeOnly.FromDateTime(utc));
        Digits(text, 0, 4, date.Year);
        text[4] = '-';
        Digits(text, 5, 2, date.Month);
        text[7] = '-';
        Digits(text, 8, 2, date.Day);
        text[10] = 'T';
        Digits(text, 11, 2, time.Hour);
        text[13] = ':';
        Digits(text, 14, 2, time.Minute);
        text[16] = ':';
        Digits(text, 17, 2, time.Second);
        var end = 19;
        var fraction = (int)(utc.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        if (fraction > 0)
        {
            text[19] = '.';
            Digits(text, 20, 6, fraction);
            end = text[..26].TrimEnd('0').Length;
        }
        text[end] = 'Z';
        return end + 1;
    }

    private static void Digits(Span<char> text, int start, int count, int value)
    {
        for (var i = start + count - 1; i >= start; i--)
        {
            text[i] = (char)('0' + (value % 10));
            value /= 10;
        }
    }

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Timestamps.TryParse(reader.GetString(), out var value) ? value : throw new JsonException("Not an RFC 3339 timestamp with an offset.");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
        {
            Span<char> text = stackalloc char[LongestInstant];
            writer.WriteStringValue(text[..Instant(value, text)]);
        }
    }
}
