using SignalHub.Http;

namespace SignalHub.Workspaces;

/// <summary>What a key may do. <c>ingest</c>: send signals; <c>read</c>: look; <c>manage</c>: change definitions, endpoints, keys.</summary>
[Flags]
public enum Scopes
{
    None = 0,
    Ingest = 1,
    Read = 2,
    Manage = 4,
    All = Ingest | Read | Manage,
}

/// <summary>Who asks: the workspace, key, mode and scopes that the key authentication found. Handlers take it as a parameter.</summary>
public sealed record Caller(Guid WorkspaceId, Guid KeyId, bool IsTest, Scopes Scopes)
{
    public const string Live = "live";
    public const string Test = "test";

    /// <summary><c>live</c> or <c>test</c>, as stored and shown.</summary>
    public string Mode => IsTest ? Test : Live;

    public static ValueTask<Caller?> BindAsync(HttpContext context) => new(context.Features.Get<Caller>());
}

/// <summary>Endpoint metadata: what the key of a request must be. The key authentication refuses the rest.</summary>
public sealed record RequiredAccess(Scopes Scopes, bool Operator, bool LiveOnly) : IRouteAccess
{
    bool IRouteAccess.IsOperator => Operator;

    string IRouteAccess.Describe() => Operator ? "Needs the operator key."
        : Scopes == Scopes.None ? "Needs any key of the workspace."
        : $"Needs the scope `{Scopes.ToString().ToLowerInvariant()}`{(LiveOnly ? " and a live key" : "")}.";
}

public static class AccessExtensions
{
    /// <summary>A workspace key with that scope; with <paramref name="liveOnly"/>, not a test key (403 <c>live_key_required</c>).</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, Scopes scope, bool liveOnly = false)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.WithMetadata(new RequiredAccess(scope, Operator: false, liveOnly));
        return builder;
    }

    /// <summary>The operator key.</summary>
    public static TBuilder RequireOperator<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.WithMetadata(new RequiredAccess(Scopes.None, Operator: true, LiveOnly: false));
        return builder;
    }
}
