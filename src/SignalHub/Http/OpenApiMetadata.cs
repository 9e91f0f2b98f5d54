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
}
