namespace SignalHub.Http;

/// <summary>The JSON body of a management request that may be left out: an empty one is an empty object. Otherwise as strict as <see cref="Body{T}"/>.</summary>
public sealed class OptionalBody<T>(T value) where T : class, new()
{
    public T Value { get; } = value;

    public static async ValueTask<OptionalBody<T>?> BindAsync(HttpContext context)
    {
        var (bytes, problem) = await RequestBody.ReadAsync(context);
        if (problem is null && bytes.IsEmpty)
        {
            return new OptionalBody<T>(new T());
        }
        problem ??= JsonGate.Check(bytes.Span);
        return problem is not null
            ? throw new ProblemException(problem)
            : new OptionalBody<T>(Body<T>.Read(bytes.Span));
    }
}
