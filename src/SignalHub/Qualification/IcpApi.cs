using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Workspaces;

namespace SignalHub.Qualification;

/// <summary>Routes of ICPs: which companies are worth the effort.</summary>
internal static class IcpApi
{
    /// <summary>Lists the workspace's ICPs, newest first.</summary>
    internal static async Task<Ok<Page<DefinitionView>>> ListIcps(
        HttpContext context, Caller caller, PageRequest page, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        var rows = await definitions.Store.ListAsync(caller.WorkspaceId, DefinitionKind.Icp, page, cancellationToken);
        var found = page.ToPage(context, rows, row => (row.CreatedAt, row.Id));
        return TypedResults.Ok(new Page<DefinitionView>([.. found.Data.Select(DefinitionView.Of)], found.NextCursor, found.Next));
    }

    /// <summary>Creates an ICP and publishes it at once as version 1.</summary>
    /// <remarks>An ICP scores the account a signal is about. Signals received from now on are scored with it; stored scores stay as they are.</remarks>
    internal static async Task<Results<Created<DefinitionView>, Problem>> CreateIcp(
        Caller caller, Body<DefinitionBody> body, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        var (view, _, problem) = await definitions.CreateAsync(caller.WorkspaceId, DefinitionKind.Icp, body.Value, cancellationToken);
        return problem is not null ? problem : TypedResults.Created(Path(view!.Code), view);
    }

    /// <summary>Shows an ICP: its live version, and what is doubtful about its conditions.</summary>
    /// <param name="code">The ICP's code, URL-encoded.</param>
    internal static async Task<Results<Ok<DefinitionView>, Problem>> GetIcp(
        Caller caller, string code, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        code = QualificationApi.DecodeCode(code);
        return await definitions.Store.FindAsync(caller.WorkspaceId, DefinitionKind.Icp, code, cancellationToken) is { } found
            ? TypedResults.Ok(DefinitionView.Of(found))
            : DefinitionEditor.NotFound(DefinitionKind.Icp, code);
    }

    /// <summary>Creates or replaces an ICP.</summary>
    /// <remarks>Publishes a new version at once; a body that says what the live version says makes none.</remarks>
    /// <param name="code">The ICP's code, URL-encoded.</param>
    internal static async Task<Results<Ok<DefinitionView>, Created<DefinitionView>, Problem>> PutIcp(
        Caller caller, string code, Body<DefinitionBody> body, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        var (view, created, problem) = await definitions.PutAsync(
            caller.WorkspaceId, DefinitionKind.Icp, QualificationApi.DecodeCode(code), body.Value, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }
        return created ? TypedResults.Created(Path(view!.Code), view) : TypedResults.Ok(view);
    }

    /// <summary>Changes parts of an ICP (JSON merge patch) and publishes the result as a new version.</summary>
    /// <remarks>Lists, such as the criteria, are replaced as a whole; null sets a member back to its default.</remarks>
    /// <param name="code">The ICP's code, URL-encoded.</param>
    internal static async Task<Results<Ok<DefinitionView>, Problem>> PatchIcp(
        Caller caller, string code, Patch patch, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        var (view, problem) = await definitions.PatchAsync(
            caller.WorkspaceId, DefinitionKind.Icp, QualificationApi.DecodeCode(code), patch, cancellationToken);
        return problem is not null ? problem : TypedResults.Ok(view);
    }

    /// <summary>Deletes an ICP. An ICP that has personas is in use (409).</summary>
    /// <param name="code">The ICP's code, URL-encoded.</param>
    internal static async Task<Results<NoContent, Problem>> DeleteIcp(
        Caller caller, string code, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        var problem = await definitions.DeleteAsync(caller.WorkspaceId, DefinitionKind.Icp, QualificationApi.DecodeCode(code), cancellationToken);
        return problem is not null ? problem : TypedResults.NoContent();
    }

    /// <summary>Lists the published versions of an ICP, newest first. A version never changes.</summary>
    /// <param name="code">The ICP's code, URL-encoded.</param>
    internal static async Task<Results<Ok<Page<DefinitionVersionView>>, Problem>> ListIcpVersions(
        HttpContext context, Caller caller, string code, PageRequest page, DefinitionEditor definitions, CancellationToken cancellationToken)
    {
        code = QualificationApi.DecodeCode(code);
        if (await definitions.Store.FindAsync(caller.WorkspaceId, DefinitionKind.Icp, code, cancellationToken) is not { } found)
        {
            return DefinitionEditor.NotFound(DefinitionKind.Icp, code);
        }
        var rows = await definitions.Store.VersionsAsync(caller.WorkspaceId, found.Id, page, cancellationToken);
        var versions = page.ToPage(context, rows, row => (row.PublishedAt, row.Id));
        return TypedResults.Ok(new Page<DefinitionVersionView>([.. versions.Data.Select(DefinitionVersionView.Of)], versions.NextCursor, versions.Next));
    }

    private static string Path(string code) => $"/icps/{Uri.EscapeDataString(code)}";
}
