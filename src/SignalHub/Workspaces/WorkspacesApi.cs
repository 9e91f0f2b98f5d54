using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>Workspaces: made and limited by the operator, named and set up by their own users.</summary>
public static class WorkspacesApi
{
    /// <summary>All routes of the slice.</summary>
    public static void MapWorkspaces(this IEndpointRouteBuilder routes)
    {
        var all = routes.MapGroup("/workspaces").WithTags("Workspaces").RequireOperator().ProducesProblems(401, 403, 503);
        all.MapPost("/", CreateWorkspace).Validate<WorkspaceBody>().ProducesProblems(400, 413, 415, 422)
            .WithRequestExample("""{"name":"Acme"}""");
        all.MapGet("/", ListWorkspaces).ProducesProblems(400);
        all.MapGet("/{id}", GetWorkspace).ProducesProblems(404);
        all.MapPatch("/{id}", PatchWorkspace).ProducesProblems(400, 404, 413, 415, 422)
            .WithRequestExample("""{"limits":{"per_minute":1000,"per_day":0}}""");

        var own = routes.MapGroup("/workspace").WithTags("Workspaces").RequireScope(Scopes.Manage, liveOnly: true).ProducesProblems(401, 403, 503);
        own.MapGet("/", GetOwnWorkspace);
        own.MapPatch("/", PatchOwnWorkspace).ProducesProblems(400, 413, 415, 422)
            .WithRequestExample("""{"settings":{"fire_max_age_seconds":86400}}""");

        routes.MapApiKeys();
        routes.MapMe();
    }

    /// <summary>Create a workspace</summary>
    /// <remarks>Answers its first API key (live, all scopes); the secret is shown here only.</remarks>
    internal static async Task<Created<NewWorkspaceView>> CreateWorkspace(
        Body<WorkspaceBody> body, WorkspaceStore store, WorkspaceDirectory directory, TimeProvider time, CancellationToken cancellationToken)
    {
        var wanted = body.Value;
        var created = await store.CreateAsync(wanted.Name!.Trim(), wanted.Limits, wanted.Settings, time.GetUtcNow(), cancellationToken);
        var view = WorkspaceView.Of(created.Workspace, directory);
        return TypedResults.Created($"/workspaces/{view.Id}", new NewWorkspaceView(
            view.Id, view.Name, view.Limits, view.EffectiveLimits, view.Settings, view.CreatedAt, ApiKeySecretView.Of(created.Key)));
    }

    /// <summary>List workspaces</summary>
    internal static async Task<Ok<Page<WorkspaceView>>> ListWorkspaces(
        HttpContext context, PageRequest page, WorkspaceStore store, WorkspaceDirectory directory, CancellationToken cancellationToken)
    {
        var found = page.ToPage(context, await store.ListAsync(page, cancellationToken), workspace => (workspace.CreatedAt, workspace.Id));
        return TypedResults.Ok(new Page<WorkspaceView>([.. found.Data.Select(w => WorkspaceView.Of(w, directory))], found.NextCursor, found.Next));
    }

    /// <summary>Get a workspace</summary>
    /// <param name="id">The workspace's id (`ws_…`).</param>
    internal static async Task<Results<Ok<WorkspaceView>, Problem>> GetWorkspace(
        string id, WorkspaceStore store, WorkspaceDirectory directory, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Workspace, id, out var workspaceId) && await store.FindAsync(workspaceId, cancellationToken) is { } workspace
            ? TypedResults.Ok(WorkspaceView.Of(workspace, directory))
            : NoWorkspace(id);

    /// <summary>Change a workspace's name, limits or settings</summary>
    /// <remarks>JSON merge patch. A limit of 0 is unlimited, null goes back to the server's default.</remarks>
    /// <param name="id">The workspace's id (`ws_…`).</param>
    internal static async Task<Results<Ok<WorkspaceView>, Problem>> PatchWorkspace(
        string id, Patch patch, IValidator<WorkspaceBody> validator, WorkspaceStore store, WorkspaceDirectory directory,
        CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Workspace, id, out var workspaceId))
        {
            return NoWorkspace(id);
        }
        var (workspace, problem) = await store.UpdateAsync(workspaceId, current =>
        {
            var (wanted, invalid) = patch.ApplyTo(new WorkspaceBody { Name = current.Name, Limits = current.Limits, Settings = current.Settings });
            invalid ??= validator.Check(wanted!);
            return invalid is null
                ? (current with { Name = wanted!.Name!.Trim(), Limits = wanted.Limits, Settings = wanted.Settings }, null)
                : (null, invalid);
        }, cancellationToken);
        return workspace is null ? problem ?? NoWorkspace(id) : TypedResults.Ok(WorkspaceView.Of(workspace, directory));
    }

    /// <summary>Get the workspace of the key</summary>
    internal static async Task<Ok<OwnWorkspaceView>> GetOwnWorkspace(
        Caller caller, WorkspaceStore store, WorkspaceDirectory directory, CancellationToken cancellationToken) =>
        TypedResults.Ok(OwnWorkspaceView.Of((await store.FindAsync(caller.WorkspaceId, cancellationToken))!, directory));

    /// <summary>Change the name or settings of the workspace of the key</summary>
    /// <remarks>JSON merge patch. The limits are changed by the operator only.</remarks>
    internal static async Task<Results<Ok<OwnWorkspaceView>, Problem>> PatchOwnWorkspace(
        Caller caller, Patch patch, IValidator<OwnWorkspaceBody> validator, WorkspaceStore store, WorkspaceDirectory directory,
        CancellationToken cancellationToken)
    {
        var (workspace, problem) = await store.UpdateAsync(caller.WorkspaceId, current =>
        {
            var (wanted, invalid) = patch.ApplyTo(new OwnWorkspaceBody { Name = current.Name, Settings = current.Settings });
            invalid ??= validator.Check(wanted!);
            return invalid is null ? (current with { Name = wanted!.Name!.Trim(), Settings = wanted.Settings }, null) : (null, invalid);
        }, cancellationToken);
        return workspace is null ? problem! : TypedResults.Ok(OwnWorkspaceView.Of(workspace, directory));
    }

    private static Problem NoWorkspace(string id) => new(ProblemCodes.NotFound, $"There is no workspace {id}.");
}
