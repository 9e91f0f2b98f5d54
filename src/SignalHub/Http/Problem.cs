using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Http;

/// <summary>One field's failure: where (a JSON Pointer into the request, RFC 6901), which (a stable word), and what to change.</summary>
public sealed record FieldError(string Pointer, string Code, string Detail);

/// <summary>
/// A failure as a value: what slices return instead of throwing, and what the client gets as
/// <c>application/problem+json</c> (RFC 9457). <see cref="Detail"/> alone tells what to change.
/// </summary>
public sealed class Problem(ProblemCode code, string detail, IReadOnlyList<FieldError>? errors = null) : IResult
{
    private const string ContentType = "application/problem+json";

    /// <summary>Registered problem type for used-up quotas (draft-ietf-httpapi-ratelimit-headers).</summary>
    private const string QuotaExceededType = "https://iana.org/assignments/http-problem-types#quota-exceeded";

    public ProblemCode Code { get; } = code;

    public string Detail { get; } = detail;

    public IReadOnlyList<FieldError> Errors { get; } = errors ?? [];

    /// <summary>Seconds after which the same request may succeed: sent as <c>Retry-After</c>.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Names of the quotas that are used up (member <c>violated-policies</c>).</summary>
    public IReadOnlyList<string>? ViolatedPolicies { get; init; }

    /// <summary>Further members of the problem, e.g. the position of an error in a condition.</summary>
    public IReadOnlyDictionary<string, object?>? Extensions { get; init; }

    /// <summary>A failure of one field.</summary>
    public static Problem Field(ProblemCode code, string pointer, string detail) =>
        new(code, detail, [new FieldError(pointer, code.Code, detail)]);

    /// <summary>
    /// Failures of several fields. The problem takes the first one's code and detail, so that clients that show nothing else
    /// still show what to change first.
    /// </summary>
    public static Problem Fields(IReadOnlyList<FieldError> errors)
    {
        var first = errors[0];
        var code = ProblemCodes.All.GetValueOrDefault(first.Code, ProblemCodes.ValidationFailed);
        var detail = errors.Count == 1 ? first.Detail : $"{first.Detail} ({errors.Count - 1} more in errors)";
        return new Problem(code, detail, errors);
    }

    public static Problem NotFound(string what) => new(ProblemCodes.NotFound, $"{what} was not found in this workspace.");

    /// <summary>The same problem of a part of a larger request: pointers, also those in details, begin with the part's own.</summary>
    public Problem Under(string pointer) => new(Code, Detail, [.. Errors.Select(e => e with { Pointer = pointer + e.Pointer })])
    {
        RetryAfterSeconds = RetryAfterSeconds,
        ViolatedPolicies = ViolatedPolicies,
        Extensions = Extensions,
    };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Code.Status;
        if (RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        if (HttpMethods.IsHead(httpContext.Request.Method))
        {
            response.ContentType = ContentType;
            return Task.CompletedTask;
        }
        using var json = JsonText.Rent();
        WriteTo(json.Writer, httpContext.Request.Path, httpContext.TraceIdentifier);
        return json.SendAsync(response, ContentType);
    }

    /// <summary>Writes the problem as one JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer, string? instance, string? requestId)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Code == ProblemCodes.QuotaExceeded ? QuotaExceededType : $"urn:signalhub:problem:{Code.Code}");
        writer.WriteString("title", Code.Title);
        writer.WriteNumber("status", Code.Status);
        writer.WriteString("detail", Detail);
        if (instance is not null)
        {
            writer.WriteString("instance", instance);
        }
        writer.WriteString("code", Code.Code);
        if (requestId is not null)
        {
            writer.WriteString("request_id", requestId);
        }
        if (ViolatedPolicies is not null)
        {
            writer.WritePropertyName("violated-policies");
            JsonSerializer.Serialize(writer, ViolatedPolicies, Json.Options);
        }
        writer.WriteStartArray("errors");
        foreach (var error in Errors)
        {
            writer.WriteStartObject();
            writer.WriteString("pointer", error.Pointer);
            writer.WriteString("code", error.Code);
            writer.WriteString("detail", error.Detail);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        if (Extensions is not null)
        {
            foreach (var (name, value) in Extensions)
            {
                writer.WritePropertyName(name);
                JsonSerializer.Serialize(writer, value, Json.Options);
            }
        }
        writer.WriteEndObject();
    }
}

/// <summary>The shape of a problem for the OpenAPI document (RFC 9457).</summary>
public sealed record ProblemBody(
    string Type, string Title, int Status, string Detail, string Instance, string Code, string RequestId,
    IReadOnlyList<FieldError> Errors,
    [property: JsonPropertyName("violated-policies")] IReadOnlyList<string>? ViolatedPolicies);

/// <summary>Carries a problem out of parameter binding, where a value cannot be returned. Nothing else throws it.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem { get; } = problem;
}
