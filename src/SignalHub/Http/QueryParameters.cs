using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace SignalHub.Http;

/// <summary>
/// A query parameter as a handler's parameter; its name is the handler's in snake_case (<c>minIcpScore</c> is
/// <c>min_icp_score</c>), its value null when it is absent. What cannot be read is a 400 <c>invalid_query</c> that names it:
/// a filter that is ignored answers with everything.
/// </summary>
public sealed record QueryText(string? Value)
{
    public static ValueTask<QueryText?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(new QueryText(QueryParameters.Read(context, QueryParameters.NameOf(parameter))));
}

/// <summary><c>true</c> or <c>false</c>.</summary>
/// <inheritdoc cref="QueryText"/>
public sealed record QueryFlag(bool? Value)
{
    public static ValueTask<QueryFlag?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var name = QueryParameters.NameOf(parameter);
        return QueryParameters.Read(context, name) is not { } text ? new(new QueryFlag((bool?)null))
            // In any case: Python's True is spelled so in a query.
            : bool.TryParse(text, out var value) ? new(new QueryFlag(value))
            : throw QueryParameters.Invalid($"{name} must be true or false.");
    }
}

/// <summary>A whole number.</summary>
/// <inheritdoc cref="QueryText"/>
public sealed record QueryNumber(int? Value)
{
    public static ValueTask<QueryNumber?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var name = QueryParameters.NameOf(parameter);
        return QueryParameters.Read(context, name) is not { } text ? new(new QueryNumber((int?)null))
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? new(new QueryNumber(value))
            : throw QueryParameters.Invalid($"{name} must be a whole number.");
    }
}

/// <summary>An RFC 3339 timestamp with an offset, or a date (<c>2026-05-26</c>), which is its midnight in UTC.</summary>
/// <inheritdoc cref="QueryText"/>
public sealed record QueryInstant(DateTimeOffset? Value)
{
    public static ValueTask<QueryInstant?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var name = QueryParameters.NameOf(parameter);
        if (QueryParameters.Read(context, name) is not { } text)
        {
            return new(new QueryInstant((DateTimeOffset?)null));
        }
        // An unescaped + is a space in a query: 10:00:00+02:00 arrives as 10:00:00 02:00.
        var meant = text.Length > 6 && text[^6] == ' ' ? $"{text[..^6]}+{text[^5..]}" : text;
        if (Timestamps.TryParse(meant, out var instant))
        {
            return new(new QueryInstant(instant));
        }
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? new(new QueryInstant(new DateTimeOffset(date, TimeOnly.MinValue, TimeSpan.Zero)))
            : throw QueryParameters.Invalid($"{name} must be a date (2026-05-26) or a timestamp with an offset (2026-05-26T14:30:00Z).");
    }
}

public static class QueryParameters
{
    private const int LongestValue = 2_048;

    /// <summary>
    /// Refuses query parameters that the handlers do not take, naming the nearest one that they do: with a mistyped filter a
    /// list would answer with everything.
    /// </summary>
    public static TBuilder RefuseUnknownParameters<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilterFactory((factory, next) =>
        {
            string[] known = [.. factory.MethodInfo.GetParameters().SelectMany(NamesOf)];
            return context => UnknownIn(context.HttpContext.Request.Query, known) is { } problem ? new(problem) : next(context);
        });

    /// <summary>A parameter without a value counts as absent, as in <c>?endpoint_id=&amp;state=failed</c>: what a form with empty fields sends.</summary>
    public static TBuilder EmptyParametersAreAbsent<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.WithMetadata(new EmptyParameters());
        return builder;
    }

    /// <summary>The name on the wire of a handler's parameter.</summary>
    public static string NameOf(ParameterInfo parameter) => JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!);

    /// <summary>Whether a handler's parameter is one of the query types here.</summary>
    public static bool IsQuery(Type type) =>
        type == typeof(QueryText) || type == typeof(QueryFlag) || type == typeof(QueryNumber) || type == typeof(QueryInstant);

    internal static ProblemException Invalid(string detail) => new(new Problem(ProblemCodes.InvalidQuery, detail));

    /// <summary>The parameter's value, trimmed; null when it is absent.</summary>
    internal static string? Read(HttpContext context, string name)
    {
        if (!context.Request.Query.TryGetValue(name, out var values) || values.Count == 0)
        {
            return null;
        }
        if (values.Count > 1)
        {
            throw Invalid($"{name} is given {values.Count} times: give it once.");
        }
        var text = values[0]!.Trim();
        return text.Length == 0 && context.GetEndpoint()?.Metadata.GetMetadata<EmptyParameters>() is not null ? null
            : text.Length == 0 ? throw Invalid($"{name} is empty: give it a value or leave it out.")
            : text.Length > LongestValue ? throw Invalid($"{name} is longer than {LongestValue} characters.")
            // What PostgreSQL cannot hold, no row has; asking it would be an error.
            : text.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"{name} has the character U+0000.")
            : text;
    }

    private static Problem? UnknownIn(IQueryCollection query, string[] known)
    {
        var unknown = query.Keys.FirstOrDefault(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (unknown is null)
        {
            return null;
        }
        var shown = unknown.Length > 64 ? unknown[..64] + "…" : unknown;
        var hint = known.Length == 0 ? "this route takes none"
            : Nearest(unknown, known) is { } near ? $"did you mean {near}?"
            : $"this route takes {string.Join(", ", known.Order(StringComparer.Ordinal))}";
        return new Problem(ProblemCodes.InvalidQuery, $"{shown} is not a parameter of this route: {hint}");
    }

    private static IEnumerable<string> NamesOf(ParameterInfo parameter) =>
        IsQuery(parameter.ParameterType) ? [NameOf(parameter)]
        : parameter.ParameterType == typeof(PageRequest) ? ["limit", "cursor"]
        : [];

    /// <summary>The known name that begins with the given one, or the other way round, or is a typing mistake or two away.</summary>
    private static string? Nearest(string name, string[] known)
    {
        const int Mistakes = 2;
        return known.Select(candidate => (candidate, Distance: Distance(name, candidate)))
            .Where(c => c.Distance <= Mistakes || c.candidate.Contains(name, StringComparison.OrdinalIgnoreCase)
                || name.Contains(c.candidate, StringComparison.OrdinalIgnoreCase))
            .OrderBy(c => c.Distance).ThenBy(c => c.candidate, StringComparer.Ordinal)
            .Select(c => c.candidate).FirstOrDefault();
    }

    /// <summary>Insertions, deletions and replacements that make one of the other.</summary>
    private static int Distance(string from, string to)
    {
        // Longer than any name here: not a typing mistake, and not worth a quadratic walk.
        const int Longest = 64;
        if (from.Length > Longest)
        {
            return from.Length;
        }
        Span<int> row = stackalloc int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
        {
            row[j] = j;
        }
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(from[i - 1]) == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.Length];
    }

    private sealed record EmptyParameters;
}
