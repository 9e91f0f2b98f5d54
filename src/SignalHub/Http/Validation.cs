using FluentValidation;

namespace SignalHub.Http;

/// <summary>Checks a request's body with its validator before the handler sees it.</summary>
public static class Validation
{
    /// <summary>
    /// The handler has a parameter <see cref="Body{T}"/> or <see cref="OptionalBody{T}"/>; what its <see cref="IValidator{T}"/> finds is answered as a 422 with
    /// a pointer for each field. A rule's error code must be a word of <see cref="ProblemCodes"/>.
    /// </summary>
    public static RouteHandlerBuilder Validate<T>(this RouteHandlerBuilder route) where T : class, new() => route.AddEndpointFilter(async (context, next) =>
    {
        var value = context.Arguments.Select(ValueOf<T>).Single(found => found is not null)!;
        var validator = context.HttpContext.RequestServices.GetRequiredService<IValidator<T>>();
        return validator.Check(value) is { } problem ? problem : await next(context);
    });

    /// <summary>Null if the value is valid. For what is not a body as it was sent, such as a resource under a merge patch.</summary>
    public static Problem? Check<T>(this IValidator<T> validator, T value) => validator.Validate(value).ToProblem();

    private static T? ValueOf<T>(object? argument) where T : class, new() => argument switch
    {
        Body<T> body => body.Value,
        OptionalBody<T> body => body.Value,
        _ => null,
    };
}
