using SignalHub.Http;

namespace SignalHub.Workspaces;

/// <summary>
/// Lets a request through to a route with <see cref="RequiredAccess"/> if its key may do what the route asks for, and tells the
/// handlers who it is (<see cref="Caller"/>). Runs after routing; a route without that metadata is open.
/// </summary>
public sealed class KeyAuthentication(RequestDelegate next, ApiKeyDirectory keys, OperatorKey operatorKey, KeyUse use, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredAccess>() is { } access && await CheckAsync(context, access) is { } refused)
        {
            if (refused.Code.Status == StatusCodes.Status401Unauthorized)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
            }
            await refused.ExecuteAsync(context);
            return;
        }
        await next(context);
    }

    private async ValueTask<Problem?> CheckAsync(HttpContext context, RequiredAccess access)
    {
        var (text, unreadable) = PresentedKey.Read(context.Request.Headers);
        if (text is null)
        {
            return unreadable;
        }
        if (text.Length <= ApiKey.MaxLength && text.StartsWith(ApiKey.OperatorPrefix, StringComparison.Ordinal))
        {
            return CheckOperator(text, access);
        }
        var now = time.GetUtcNow();
        var key = ApiKey.IsWellFormed(text) ? await keys.FindAsync(KeyHash.Of(text)) : null;
        if ((Invalid(key, now) ?? Forbidden(key!.Caller, access)) is { } refused)
        {
            return refused;
        }
        use.Note(key!, now);
        context.Features.Set(key!.Caller);
        context.Features.Get<RequestLogFields>()?.WorkspaceId = key.WorkspaceText;
        return null;
    }

    private Problem? CheckOperator(string text, RequiredAccess access)
    {
        if (!operatorKey.Is(KeyHash.Of(text)))
        {
            return new Problem(ProblemCodes.InvalidKey, "This is not the operator key of this installation: see SignalHub__OperatorKey, or keys.txt in the data directory.");
        }
        return access.Operator ? null : new Problem(ProblemCodes.WorkspaceKeyRequired,
            "The operator key belongs to no workspace: use a key of the workspace (sk_live_… or sk_test_…).");
    }

    private static Problem? Invalid(StoredKey? key, DateTimeOffset now) => key switch
    {
        null => new Problem(ProblemCodes.InvalidKey, "The API key is not known here: check that it is complete and belongs to this installation."),
        { RevokedAt: not null } => new Problem(ProblemCodes.InvalidKey, $"The API key {key.Prefix}… was revoked: use another one."),
        _ when key.IsExpired(now) => new Problem(ProblemCodes.InvalidKey,
            $"The API key {key.Prefix}… has expired: use {(key.RotatedTo is null ? "another one" : "the key that replaced it")}."),
        _ => null,
    };

    private static Problem? Forbidden(Caller caller, RequiredAccess access)
    {
        if (access.Operator)
        {
            return new Problem(ProblemCodes.OperatorKeyRequired, "Only the operator key (op_…) may do this.");
        }
        var missing = access.Scopes & ~caller.Scopes;
        if (missing != Scopes.None)
        {
            return new Problem(ProblemCodes.MissingScope,
                $"The API key lacks the scope {string.Join(", ", ScopeNames.List(missing))}: use a key that has it (GET /me shows what a key has).");
        }
        return access.LiveOnly && caller.IsTest
            ? new Problem(ProblemCodes.LiveKeyRequired, "A test key cannot do this: use a live key (sk_live_…).")
            : null;
    }
}
