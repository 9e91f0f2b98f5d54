using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What a client asks first: does my key work, and what may it do.</summary>
internal static class MeApi
{
    public static void MapMe(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/me", GetMe).WithTags("API keys").RequireScope(Scopes.None).ProducesProblems(401, 403, 503);

    /// <summary>Show the workspace and key of this request</summary>
    /// <remarks>Also the limits and what is left of them. Costs nothing of them, and works with every key of a workspace.</remarks>
    internal static async Task<Ok<MeView>> GetMe(
        HttpContext context, Caller caller, ApiKeyStore keys, WorkspaceDirectory directory, RateLimiter limiter, CancellationToken cancellationToken)
    {
        var key = (await keys.FindAsync(caller.WorkspaceId, caller.KeyId, cancellationToken))!;
        var workspace = await directory.GetAsync(caller.WorkspaceId);
        var quotas = await limiter.LookAsync(caller.WorkspaceId, workspace.Limits);
        RateLimitHeaders.Write(context.Response, quotas);
        return TypedResults.Ok(new MeView(
            new MyWorkspaceView(Ids.Text(Ids.Workspace, caller.WorkspaceId), workspace.Name),
            new MyKeyView(Ids.Text(Ids.ApiKey, key.Id), key.Grant.Name, key.Prefix, ScopeNames.List(key.Grant.Scopes), caller.Mode, key.Grant.ExpiresAt),
            workspace.Limits, RemainingView.Of(quotas)));
    }
}
