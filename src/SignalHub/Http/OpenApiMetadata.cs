namespace SignalHub.Http;

/// <summary>Tells the API description which problems a route answers.</summary>
public static class OpenApiMetadata
{
    public static TBuilder ProducesProblems<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
        {
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemBody), ["application/problem+json"]));
        }
        return builder;
    }

    /// <summary>The same, and what every route with a key answers: 401, 403, 503.</summary>
    public static TBuilder Refuses<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder =>
        builder.ProducesProblems([.. statuses, 401, 403, 503]);
}
