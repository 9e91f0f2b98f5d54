using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace SignalHub.Http;

/// <summary>
/// The one check every JSON body passes before anything reads it: grammar, doubled members, depth, and what PostgreSQL's
/// jsonb cannot hold or give back (U+0000, lone surrogates, numbers beyond binary64). One poison row in a batch of
/// a thousand costs a quarter of the throughput, so it is refused here.
/// </summary>
public static class JsonGate
{
    /// <summary>Longest number literal: what is longer cannot be meant, and would be echoed for ever.</summary>
    public const int MaxNumberLength = 64;

    // No bound of the reader's own: its refusal could not be told from bad grammar. It takes a bit per level, and the body is bounded.
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = int.MaxValue };

    /// <summary>Null if the body may be parsed; otherwise the problem, with a pointer where there is one.</summary>
    public static Problem? Check(ReadOnlySpan<byte> body, bool objectOnly = true)
    {
        if (IsBlank(body))
        {
            return new Problem(ProblemCodes.BodyRequired, "The request has no body: send a JSON object.");
        }
        if (!Utf8.IsValid(body))
        {
            return new Problem(ProblemCodes.MalformedJson, "The body is not valid UTF-8: send JSON in UTF-8.");
        }
        try
        {
            return Walk(body, objectOnly);
        }
        catch (JsonException e)
        {
            return new Problem(ProblemCodes.MalformedJson,
                $"The body is not valid JSON: line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1} of that line.");
        }
    }

    private static Problem? Walk(ReadOnlySpan<byte> body, bool objectOnly)
    {
        var reader = new Utf8JsonReader(body, ReaderOptions);
        var names = new MemberNames();
        Problem? found = null;
        var first = true;
        while (reader.Read())
        {
            if (first && objectOnly && reader.TokenType != JsonTokenType.StartObject)
            {
                // Grammar first: `[1,` is malformed, not merely of the wrong kind.
                found = new Problem(ProblemCodes.BodyNotObject, $"The body is {Describe(reader.TokenType)}: send a JSON object.");
            }
            first = false;
            found ??= CheckToken(ref reader, body, names);
        }
        return found;
    }

    private static Problem? CheckToken(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, MemberNames names)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                names.Enter();
                goto case JsonTokenType.StartArray;
            case JsonTokenType.StartArray:
                return reader.CurrentDepth >= Json.MaxDepth
                    ? At(ProblemCodes.TooDeep, body, reader.TokenStartIndex, $"The JSON is nested deeper than {Json.MaxDepth} levels.")
                    : null;
            case JsonTokenType.EndObject:
                names.Leave();
                return null;
            case JsonTokenType.PropertyName:
                if (!IsStorable(ref reader))
                {
                    return At(ProblemCodes.UnsupportedCharacter, body, reader.TokenStartIndex, "A member name has U+0000 or a lone surrogate, which cannot be stored.");
                }
                return names.Add(ref reader, body)
                    ? null
                    : At(ProblemCodes.DuplicateMember, body, reader.TokenStartIndex, $"The member \"{reader.GetString()}\" is given twice: send it once.");
            case JsonTokenType.String:
                return IsStorable(ref reader)
                    ? null
                    : At(ProblemCodes.UnsupportedCharacter, body, reader.TokenStartIndex, "A text has U+0000 or a lone surrogate, which cannot be stored: remove it.");
            case JsonTokenType.Number:
                return reader.ValueSpan.Length <= MaxNumberLength && reader.TryGetDouble(out var number) && double.IsFinite(number)
                    ? null
                    : At(ProblemCodes.NumberOutOfRange, body, reader.TokenStartIndex, $"A number is longer than {MaxNumberLength} characters or beyond the range of a binary64: send it as a text.");
            default:
                return null;
        }
    }

    private static bool IsStorable(ref Utf8JsonReader reader)
    {
        // Raw bytes are valid UTF-8 and raw controls are bad grammar, so only an escape can bring either character.
        if (!reader.ValueIsEscaped)
        {
            return true;
        }
        var raw = reader.ValueSpan;
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                continue;
            }
            i++;
            if (raw[i] != 'u')
            {
                continue;
            }
            var unit = Hex(raw[(i + 1)..(i + 5)]);
            i += 4;
            if (unit == 0 || unit is >= 0xDC00 and <= 0xDFFF)
            {
                return false;
            }
            if (unit is >= 0xD800 and <= 0xDBFF)
            {
                if (i + 6 >= raw.Length || raw[i + 1] != '\\' || raw[i + 2] != 'u' || Hex(raw[(i + 3)..(i + 7)]) is not (>= 0xDC00 and <= 0xDFFF))
                {
                    return false;
                }
                i += 6;
            }
        }
        return true;
    }

    private static int Hex(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var digit in digits)
        {
            value = (value << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        return value;
    }

    private static Problem At(ProblemCode code, ReadOnlySpan<byte> body, long offset, string detail)
    {
        var pointer = PointerTo(body, offset);
        return Problem.Field(code, pointer, pointer.Length == 0 ? detail : $"{pointer}: {detail}");
    }

    /// <summary>JSON Pointer of the token at a byte offset: walked again, because only a refused body needs it.</summary>
    private static string PointerTo(ReadOnlySpan<byte> body, long offset)
    {
        var reader = new Utf8JsonReader(body, ReaderOptions);
        var path = new List<(string? Name, int Index)>();
        while (reader.Read() && reader.TokenStartIndex <= offset)
        {
            var atTarget = reader.TokenStartIndex == offset;
            if (path.Count > 0 && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject or JsonTokenType.PropertyName)
                && path[^1].Name is null)
            {
                path[^1] = (null, path[^1].Index + 1);
            }
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                path[^1] = (SafeName(ref reader), 0);
            }
            if (atTarget)
            {
                break;
            }
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject: path.Add(("", 0)); break;
                case JsonTokenType.StartArray: path.Add((null, -1)); break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray: path.RemoveAt(path.Count - 1); break;
                default: break;
            }
        }
        var text = new StringBuilder();
        foreach (var (name, index) in path)
        {
            text.Append('/');
            text.Append(name is null ? index.ToString(System.Globalization.CultureInfo.InvariantCulture) : Escape(name));
            if (text.Length > 500)
            {
                break;
            }
        }
        return text.ToString();
    }

    private static string SafeName(ref Utf8JsonReader reader) =>
        IsStorable(ref reader) ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);

    /// <summary>One reference token of a JSON Pointer (RFC 6901 section 3).</summary>
    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static bool IsBlank(ReadOnlySpan<byte> body) => body.IndexOfAnyExcept(" \t\r\n"u8) < 0;

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "a boolean",
    };

    /// <summary>
    /// Names seen in the objects that are open. Few and plain ones, the usual case, are compared where they stand in the body; an object with many
    /// names, or with an escape in one, gets a set.
    /// </summary>
    private sealed class MemberNames
    {
        private const int Few = 16;

        private readonly List<(int Start, int Length)> _plain = new(Few);
        private readonly List<(int FirstPlain, HashSet<string>? Set)> _open = [];

        public void Enter() => _open.Add((_plain.Count, null));

        public void Leave()
        {
            _plain.RemoveRange(_open[^1].FirstPlain, _plain.Count - _open[^1].FirstPlain);
            _open.RemoveAt(_open.Count - 1);
        }

        /// <summary>False: the innermost object has the name already.</summary>
        public bool Add(ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
        {
            var (first, set) = _open[^1];
            if (set is null && !reader.ValueIsEscaped && _plain.Count - first < Few)
            {
                foreach (var (start, length) in CollectionsMarshal.AsSpan(_plain)[first..])
                {
                    if (body.Slice(start, length).SequenceEqual(reader.ValueSpan))
                    {
                        return false;
                    }
                }
                _plain.Add(((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length));    // behind its quote
                return true;
            }
            if (set is null)
            {
                set = new HashSet<string>(StringComparer.Ordinal);
                foreach (var (start, length) in CollectionsMarshal.AsSpan(_plain)[first..])
                {
                    set.Add(Encoding.UTF8.GetString(body.Slice(start, length)));
                }
                _open[^1] = (first, set);
            }
            return set.Add(reader.GetString()!);
        }
    }
}
