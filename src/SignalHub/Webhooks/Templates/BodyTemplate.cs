using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SignalHub.Webhooks.Templates;

/// <summary>What is wrong with a template, and where.</summary>
/// <param name="Start">UTF-16 offset into the template.</param>
/// <param name="Detail">A sentence that tells what to change.</param>
public sealed record TemplateError(int Start, string Detail);

/// <summary>What a template gives.</summary>
public enum TemplateKind
{
    /// <summary>A JSON document: values are escaped as the inside of a JSON string, and the result has to parse.</summary>
    Json,

    /// <summary>Text, such as a header or a sentence: values as they are.</summary>
    Text,
}

/// <summary>
/// A text with holes: <c>{{path}}</c> is a value, <c>{{json path}}</c> the same as JSON. No logic, no HTML escaping, no access to
/// anything but the JSON it is given. A value that is not there is empty (as JSON: null). Immutable; compile once, render often.
/// </summary>
public sealed class BodyTemplate
{
    /// <summary>Bytes in UTF-8 of a template and of what it gives.</summary>
    public const int MaxBytes = 256 * 1024;

    private const string Open = "{{";
    private const string Close = "}}";
    private const string JsonWord = "json";
    private const int MaxSteps = 32;

    private readonly List<Piece> _pieces;
    private readonly TemplateKind _kind;

    private BodyTemplate(List<Piece> pieces, TemplateKind kind)
    {
        (_pieces, _kind) = (pieces, kind);
        Roots = pieces.Select(p => p.Path?[0]).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The names that its paths begin with: values of others need not be made.</summary>
    public IReadOnlySet<string> Roots { get; }

    /// <summary>Compiles a template. Never throws, for any text.</summary>
    /// <param name="roots">Names that a path may begin with.</param>
    public static (BodyTemplate? Template, TemplateError? Error) Compile(string text, TemplateKind kind, IReadOnlyCollection<string> roots)
    {
        if (Encoding.UTF8.GetByteCount(text) > MaxBytes)
        {
            return (null, new TemplateError(0, $"A template has at most {MaxBytes / 1024} KB."));
        }
        var pieces = new List<Piece>();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf(Open, at, StringComparison.Ordinal);
            if (open < 0)
            {
                pieces.Add(new Piece(text[at..], null, false));
                break;
            }
            if (open > at)
            {
                pieces.Add(new Piece(text[at..open], null, false));
            }
            var close = text.IndexOf(Close, open, StringComparison.Ordinal);
            if (close < 0)
            {
                return (null, new TemplateError(open, "{{ is not closed: add }}."));
            }
            var (piece, problem) = Hole(text[(open + Open.Length)..close], roots);
            if (piece is null)
            {
                return (null, new TemplateError(open, problem!));
            }
            pieces.Add(piece);
            at = close + Close.Length;
        }
        var template = new BodyTemplate(pieces, kind);
        // With a digit for every value each hole is good both inside of a string and outside; what still does not parse never will.
        return kind == TemplateKind.Json && !Parses(Encoding.UTF8.GetBytes(template.Render(_ => "0", MaxBytes)))
            ? (null, new TemplateError(0, "The template does not give JSON: a value belongs between quotes, or is written {{json path}}."))
            : (template, null);
    }

    /// <summary>The text for these values, or what is wrong with it.</summary>
    /// <param name="values">JSON by root; a root that is not there has no fields.</param>
    public (byte[]? Body, string? Error) Render(IReadOnlyDictionary<string, JsonElement> values)
    {
        var body = Encoding.UTF8.GetBytes(Render(hole => ValueOf(hole, values), MaxBytes));
        return body.Length > MaxBytes ? (null, $"The body is larger than {MaxBytes / 1024} KB.")
            : _kind == TemplateKind.Json && !Parses(body) ? (null, "The body is not JSON: a value stands outside of quotes, and is not a number; write {{json path}}.")
            : (body, null);
    }

    /// <summary>The text for these values, cut where it has more than so many characters.</summary>
    public string RenderText(IReadOnlyDictionary<string, JsonElement> values, int mostCharacters)
    {
        var text = Render(hole => ValueOf(hole, values), mostCharacters);
        if (text.Length <= mostCharacters)
        {
            return text;
        }
        var end = char.IsHighSurrogate(text[mostCharacters - 2]) ? mostCharacters - 2 : mostCharacters - 1;
        return $"{text.AsSpan(0, end)}…";
    }

    private static (Piece? Hole, string? Problem) Hole(string inner, IReadOnlyCollection<string> roots)
    {
        if (inner.Length > 0 && inner[0] is '#' or '/' or '^' or '>' or '{' or '&' or '!' or '=' or '~' or '*' or '@')
        {
            return (null, $"{{{{{inner[0]} is not known: there are only {{{{path}}}} and {{{{json path}}}}.");
        }
        var words = inner.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var asJson = words is [JsonWord, _];
        if (!asJson && words.Length != 1)
        {
            return (null, "Between {{ and }} stands one path, such as contact.first_name, or the word json and a path.");
        }
        string[] path = words[^1].Split('.');
        if (path.Length > MaxSteps || path.Any(step => step.Length == 0 || !step.All(c => char.IsLetterOrDigit(c) || c is '_' or '-')))
        {
            return (null, $"{words[^1]} is not a path: names of letters, digits, _ and -, separated by dots.");
        }
        return roots.Contains(path[0])
            ? (new Piece(null, path, asJson), null)
            : (null, $"{path[0]} is not known: a path begins with one of {string.Join(", ", roots)}.");
    }

    /// <summary>Ends early once there are more characters than wanted: a short template can name a long value many thousand times.</summary>
    private string Render(Func<Piece, string> valueOf, int mostCharacters)
    {
        var text = new StringBuilder();
        foreach (var piece in _pieces)
        {
            text.Append(piece.Literal ?? valueOf(piece));
            if (text.Length > mostCharacters)
            {
                break;
            }
        }
        return text.ToString();
    }

    private string ValueOf(Piece hole, IReadOnlyDictionary<string, JsonElement> values)
    {
        var value = Find(hole.Path!, values);
        if (hole.AsJson)
        {
            return value.ValueKind == JsonValueKind.Undefined ? "null" : value.GetRawText();
        }
        var text = value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString()!,
            _ => value.GetRawText(),
        };
        return _kind == TemplateKind.Json ? JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value : text;
    }

    private static JsonElement Find(string[] path, IReadOnlyDictionary<string, JsonElement> values)
    {
        var value = values.GetValueOrDefault(path[0]);
        foreach (var step in path.AsSpan(1))
        {
            value = value.ValueKind switch
            {
                JsonValueKind.Object when value.TryGetProperty(step, out var member) => member,
                JsonValueKind.Array when int.TryParse(step, out var index) && index >= 0 && index < value.GetArrayLength() => value[index],
                _ => default,
            };
        }
        return value;
    }

    private static bool Parses(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Http.Json.MaxDepth });
            while (reader.Read())
            {
            }
            return reader.TokenType != JsonTokenType.None;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Either text as it stands or a hole.</summary>
    private sealed record Piece(string? Literal, string[]? Path, bool AsJson);
}
