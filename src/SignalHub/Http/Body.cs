using System.Text.Json;
using System.Text.Json.Nodes;

namespace SignalHub.Http;

/// <summary>
/// The JSON body of a management request as a handler's parameter. Strict: an unknown member is a 400, a wrong type a 422, each
/// with a pointer. Binding cannot return a value, so it throws <see cref="ProblemException"/>, which the error handler answers.
/// </summary>
public sealed class Body<T>(T value) where T : class
{
    public T Value { get; } = value;

    public static async ValueTask<Body<T>?> BindAsync(HttpContext context)
    {
        var (bytes, problem) = await RequestBody.ReadAsync(context);
        problem ??= JsonGate.Check(bytes.Span);
        if (problem is not null)
        {
            throw new ProblemException(problem);
        }
        return new Body<T>(Read(bytes.Span));
    }

    internal static T Read(ReadOnlySpan<byte> bytes)
    {
        var (value, problem) = StrictJson.Read<T>(bytes);
        return problem is null ? value! : throw new ProblemException(problem);
    }
}

/// <summary>A JSON merge patch (RFC 7396) as a handler's parameter.</summary>
public sealed class Patch(JsonObject members)
{
    public static async ValueTask<Patch?> BindAsync(HttpContext context)
    {
        var (bytes, problem) = await RequestBody.ReadAsync(context);
        problem ??= JsonGate.Check(bytes.Span);
        return problem is not null
            ? throw new ProblemException(problem)
            : new Patch(JsonNode.Parse(bytes.Span)!.AsObject());
    }

    /// <summary>
    /// What <paramref name="current"/> (the resource in the form its PUT or POST takes) becomes under the patch; an unknown
    /// member or a wrong type is the problem.
    /// </summary>
    public (T? Value, Problem? Problem) ApplyTo<T>(T current) where T : class
    {
        var merged = Merge(JsonSerializer.SerializeToNode(current, Json.Options), members);
        try
        {
            return (merged.Deserialize<T>(Json.Strict), null);
        }
        catch (JsonException e)
        {
            return (null, StrictJson.Explain(e));
        }
    }

    private static JsonObject Merge(JsonNode? target, JsonObject patch)
    {
        var result = target is JsonObject existing ? existing : [];
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null: result[name] = null; break;      // null removes: the member becomes absent, and so its default
                case JsonObject inner: result[name] = Merge(result[name]?.DeepClone(), inner); break;
                default: result[name] = value.DeepClone(); break;
            }
        }
        return result;
    }
}

/// <summary>Says what a strict deserialisation disliked.</summary>
internal static class StrictJson
{
    /// <summary>A value, or what is wrong with it.</summary>
    public static (T? Value, Problem? Problem) Read<T>(ReadOnlySpan<byte> bytes) where T : class
    {
        try
        {
            return (JsonSerializer.Deserialize<T>(bytes, Json.Strict)!, null);
        }
        catch (JsonException e)
        {
            return (null, Explain(e));
        }
    }

    public static Problem Explain(JsonException e)
    {
        var pointer = Pointer(e.Path);
        if (e.Message.Contains("could not be mapped", StringComparison.Ordinal))
        {
            var name = e.Message.Split('\'') is [_, var property, ..] ? property : "?";
            var at = $"{pointer}/{JsonGate.Escape(name)}";
            // .NET names the member in the path already when it is the one that could not be mapped.
            at = pointer.EndsWith("/" + JsonGate.Escape(name), StringComparison.Ordinal) ? pointer : at;
            return Problem.Field(ProblemCodes.UnknownField, at, $"{at} is not a field of this resource: remove it or correct its name.");
        }
        if (e.Message.Contains("missing required properties", StringComparison.Ordinal))
        {
            var name = e.Message.Split('\'') is { Length: >= 4 } parts ? parts[^2] : "?";
            return Problem.Field(ProblemCodes.FieldRequired, $"{pointer}/{JsonGate.Escape(name)}", $"{pointer}/{name} is required.");
        }
        return Problem.Field(ProblemCodes.InvalidType, pointer,
            pointer.Length == 0 ? "The body has a value of the wrong type." : $"{pointer} has a value of the wrong type or form.");
    }

    /// <summary>$.sub_rules[0].when → /sub_rules/0/when</summary>
    private static string Pointer(string? path)
    {
        if (path is null or "$")
        {
            return "";
        }
        var text = new System.Text.StringBuilder();
        for (var i = 1; i < path.Length; i++)
        {
            if (path.AsSpan(i).StartsWith("['"))
            {
                var end = path.IndexOf("']", i, StringComparison.Ordinal);
                text.Append('/').Append(JsonGate.Escape(path[(i + 2)..(end < 0 ? path.Length : end)]));
                i = end < 0 ? path.Length : end + 1;
            }
            else if (path[i] is '.' or '[')
            {
                text.Append('/');
            }
            else if (path[i] != ']')
            {
                text.Append(path[i]);
            }
        }
        return text.ToString();
    }
}
