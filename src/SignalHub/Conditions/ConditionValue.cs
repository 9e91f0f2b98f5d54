using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace SignalHub.Conditions;

/// <summary>What a path or literal yields.</summary>
public enum ConditionValueKind
{
    /// <summary>There is no such field, or it holds nothing: comparisons with it are unknown.</summary>
    Missing,

    /// <summary>A JSON null that is really there.</summary>
    Null,
    Boolean,

    /// <summary>A whole number that fits 64 bits.</summary>
    Integer,

    /// <summary>Any other number.</summary>
    Number,
    String,

    /// <summary>A point in time, in microseconds as PostgreSQL keeps them.</summary>
    Instant,

    /// <summary>A JSON array or object.</summary>
    Json,

    /// <summary>Several strings, e.g. the e-mail addresses of a person.</summary>
    List,
}

/// <summary>
/// A value as conditions see it. Holds JSON as <see cref="JsonElement"/> without copying, so a value must not outlive the
/// <see cref="JsonDocument"/> it came from.
/// </summary>
public readonly struct ConditionValue
{
    private const int TextBuffer = 96; // cleared with each comparison

    private readonly JsonElement _json;
    private readonly object? _object;
    private readonly long _bits;

    private ConditionValue(ConditionValueKind kind, long bits = 0, object? value = null, JsonElement json = default)
    {
        Kind = kind;
        _bits = bits;
        _object = value;
        _json = json;
    }

    public static ConditionValue Missing => default;

    public static ConditionValue Null => new(ConditionValueKind.Null);

    public ConditionValueKind Kind { get; }

    /// <summary>Text; null is missing.</summary>
    public static ConditionValue Of(string? value) => value is null ? default : new(ConditionValueKind.String, value: value);

    public static ConditionValue Of(long value) => new(ConditionValueKind.Integer, value);

    /// <summary>A whole number; null is missing.</summary>
    public static ConditionValue Of(long? value) => value is { } present ? Of(present) : default;

    public static ConditionValue Of(double value) => new(ConditionValueKind.Number, BitConverter.DoubleToInt64Bits(value));

    public static ConditionValue Of(bool value) => new(ConditionValueKind.Boolean, value ? 1 : 0);

    /// <summary>A boolean; null is missing.</summary>
    public static ConditionValue Of(bool? value) => value is { } present ? Of(present) : default;

    /// <summary>A point in time, truncated to microseconds.</summary>
    public static ConditionValue Of(DateTimeOffset value) => OfTicks(value.UtcTicks);

    /// <summary>A point in time; null is missing.</summary>
    public static ConditionValue Of(DateTimeOffset? value) => value is { } present ? Of(present) : default;

    /// <summary>Several strings; null is missing.</summary>
    public static ConditionValue Of(IReadOnlyList<string>? values) => values is null ? default : new(ConditionValueKind.List, value: values);

    /// <summary>JSON: scalars become scalars, arrays and objects stay JSON, an undefined element is missing.</summary>
    public static ConditionValue Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => new(ConditionValueKind.String, json: element),
        JsonValueKind.Number => element.TryGetInt64(out var whole)
            ? Of(whole)
            : new(ConditionValueKind.Number, BitConverter.DoubleToInt64Bits(element.GetDouble()), json: element),
        JsonValueKind.True => Of(true),
        JsonValueKind.False => Of(false),
        JsonValueKind.Null => Null,
        JsonValueKind.Array or JsonValueKind.Object => new(ConditionValueKind.Json, json: element),
        _ => default,
    };

    /// <summary>The text of a <see cref="ConditionValueKind.String"/>; null for every other kind.</summary>
    public string? AsString() => Kind == ConditionValueKind.String ? _object as string ?? Decode(_json) : null;

    /// <summary>A <see cref="ConditionValueKind.Integer"/>; null for every other kind.</summary>
    public long? AsInteger() => Kind == ConditionValueKind.Integer ? _bits : null;

    /// <summary>An integer or number as binary64; null for every other kind.</summary>
    public double? AsNumber() => IsNumber ? Binary64 : null;

    /// <summary>A boolean; null for every other kind.</summary>
    public bool? AsBoolean() => Kind == ConditionValueKind.Boolean ? _bits != 0 : null;

    /// <summary>An instant in UTC; null for every other kind.</summary>
    public DateTimeOffset? AsInstant() => Kind == ConditionValueKind.Instant
        ? new DateTimeOffset(Math.Clamp(_bits, 0, DateTime.MaxValue.Ticks), TimeSpan.Zero)
        : null;

    /// <summary>A JSON array or object; null for every other kind.</summary>
    public JsonElement? AsJson() => Kind == ConditionValueKind.Json ? _json : null;

    /// <summary>The strings of a <see cref="ConditionValueKind.List"/>; null for every other kind.</summary>
    public IReadOnlyList<string>? AsList() => _object as IReadOnlyList<string>;

    /// <summary>For people: text as it is, <c>missing</c>, <c>null</c>, JSON as its source, instants as RFC 3339.</summary>
    public string ToDisplayText() => Kind switch
    {
        ConditionValueKind.Missing => "missing",
        ConditionValueKind.Null => "null",
        ConditionValueKind.Boolean => _bits != 0 ? "true" : "false",
        ConditionValueKind.Integer => _bits.ToString(CultureInfo.InvariantCulture),
        ConditionValueKind.Number => NumberText() ?? Binary64.ToString("R", CultureInfo.InvariantCulture),
        ConditionValueKind.String => AsString()!,
        ConditionValueKind.Instant => InstantText(),
        ConditionValueKind.List => string.Join(", ", AsList()!),
        _ => _json.GetRawText(),
    };

    /// <summary>Writes the value as JSON; missing becomes null, an instant an RFC 3339 string.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case ConditionValueKind.Boolean:
                writer.WriteBooleanValue(_bits != 0);
                break;
            case ConditionValueKind.Integer:
                writer.WriteNumberValue(_bits);
                break;
            case ConditionValueKind.Number when NumberText() is { } text:
                writer.WriteRawValue(text);
                break;
            case ConditionValueKind.Number when double.IsFinite(Binary64):
                writer.WriteNumberValue(Binary64);
                break;
            case ConditionValueKind.String:
                writer.WriteStringValue(AsString());
                break;
            case ConditionValueKind.Instant:
                writer.WriteStringValue(InstantText());
                break;
            case ConditionValueKind.Json:
                _json.WriteTo(writer);
                break;
            case ConditionValueKind.List:
                writer.WriteStartArray();
                foreach (var item in AsList()!)
                {
                    writer.WriteStringValue(item);
                }
                writer.WriteEndArray();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    public override string ToString() => ToDisplayText();

    internal bool IsNumber => Kind is ConditionValueKind.Integer or ConditionValueKind.Number;

    internal double Binary64 => Kind == ConditionValueKind.Integer ? _bits : BitConverter.Int64BitsToDouble(_bits);

    /// <summary>UTC in 100 ns, a multiple of 10; may lie outside of what <see cref="DateTimeOffset"/> can hold.</summary>
    internal long Ticks => _bits;

    internal long Whole => _bits;

    internal bool Flag => _bits != 0;

    internal static ConditionValue OfTicks(long utcTicks) =>
        new(ConditionValueKind.Instant, utcTicks - (utcTicks % TimeSpan.TicksPerMicrosecond));

    /// <summary>A number by its JSON text, which must be valid; keeps the text where binary64 could lose digits.</summary>
    internal static ConditionValue OfNumberText(ReadOnlySpan<char> text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return Of(whole);
        }
        var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return Math.Abs(number) < NumericText.ExactBinary64
            ? Of(number)
            : new(ConditionValueKind.Number, BitConverter.DoubleToInt64Bits(number), text.ToString());
    }

    /// <summary>The number as it was written, where that is known; null if it only ever was a binary64.</summary>
    internal string? NumberText() => Kind switch
    {
        ConditionValueKind.Integer => _bits.ToString(CultureInfo.InvariantCulture),
        ConditionValueKind.Number => _object as string ?? (_json.ValueKind == JsonValueKind.Number ? _json.GetRawText() : null),
        _ => null,
    };

    /// <summary>The text of a string, decoded into the buffer if that is enough room; allocates only for long or escaped JSON strings.</summary>
    internal ReadOnlySpan<char> Text(Span<char> buffer)
    {
        if (_object is string text)
        {
            return text;
        }
        var raw = JsonMarshal.GetRawUtf8Value(_json)[1..^1];
        return raw.Length <= buffer.Length && !raw.Contains((byte)'\\')
            && Utf8.ToUtf16(raw, buffer, out _, out var written) == System.Buffers.OperationStatus.Done
            ? buffer[..written]
            : Decode(_json);
    }

    /// <summary>Room for <see cref="Text"/>: most values of fields are shorter.</summary>
    internal static int TextBufferLength => TextBuffer;

    internal ConditionValue Step(PathStep step) => Kind switch
    {
        ConditionValueKind.Json when step.Name is not null =>
            _json.ValueKind == JsonValueKind.Object && _json.TryGetProperty(step.Utf8Name, out var member) ? Of(member) : default,
        ConditionValueKind.Json =>
            _json.ValueKind == JsonValueKind.Array && step.Index < _json.GetArrayLength() ? Of(_json[step.Index]) : default,
        ConditionValueKind.List when step.Name is null && step.Index < AsList()!.Count => Of(AsList()![step.Index]),
        _ => default,
    };

    internal JsonElement Json => _json;

    /// <summary>Characters of a text, elements of an array, members of an object; missing for everything else.</summary>
    internal ConditionValue Size()
    {
        switch (Kind)
        {
            case ConditionValueKind.String:
                Span<char> buffer = stackalloc char[TextBuffer];
                return Of(AsciiText.CodePoints(Text(buffer)));
            case ConditionValueKind.List:
                return Of(AsList()!.Count);
            case ConditionValueKind.Json:
                return Of(_json.ValueKind == JsonValueKind.Array ? _json.GetArrayLength() : _json.GetPropertyCount());
            default:
                return default;
        }
    }

    private string InstantText() => AsInstant()!.Value.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    // Intake refuses halves of surrogate pairs and broken UTF-8; should one get here all the same, evaluation stays total.
    private static string Decode(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }
}
