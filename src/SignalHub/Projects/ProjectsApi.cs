using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Projects;

/// <summary>Routes and services of the slice.</summary>
public static class ProjectsApi
{
    private const string Example = """
        {"name": "New customers in Germany", "signal_types": [], "sources": [], "when": "company.country == 'DE'",
         "priorities": [{"when": "icp.score >= 70", "priority": "high"}],
         "recommended_action": "Call {{contact.first_name}} about {{signal.event_name}}."}
        """;

    /// <summary>Needs signal types and webhooks to be registered.</summary>
    public static IServiceCollection AddProjects(this IServiceCollection services)
    {
        services.TryAddSingleton<WorkspaceChanges>();
        services.AddSingleton<ProjectStore>();
        services.AddSingleton<ProjectEditor>();
        services.AddSingleton(provider => new WorkspaceSnapshots<ProjectSet>(provider.GetRequiredService<WorkspaceChanges>(),
            new ProjectLoader(provider.GetRequiredService<ProjectStore>(), provider.GetRequiredService<ILogger<ProjectLoader>>()).LoadAsync));
        return services;
    }

    public static void MapProjects(this IEndpointRouteBuilder routes)
    {
        var projects = routes.MapGroup("/projects").WithTags("Projects").ProducesProblems(401, 403, 503);
        projects.MapGet("/", ListProjects).RequireScope(Scopes.Read).Produces<Page<ProjectView>>().ProducesProblems(400);
        projects.MapPost("/", CreateProject).RequireScope(Scopes.Manage, liveOnly: true).Produces<ProjectView>(201)
            .ProducesProblems(400, 409, 413, 415, 422).WithRequestExample(Example);
        projects.MapGet("/{id}", GetProject).RequireScope(Scopes.Read).Produces<ProjectView>().ProducesProblems(404);
        projects.MapPut("/{id}", PutProject).RequireScope(Scopes.Manage, liveOnly: true).Produces<ProjectView>()
            .ProducesProblems(400, 404, 413, 415, 422).WithRequestExample(Example);
        projects.MapPatch("/{id}", PatchProject).RequireScope(Scopes.Manage, liveOnly: true).Produces<ProjectView>()
            .ProducesProblems(400, 404, 413, 415, 422).WithRequestExample("""{"when": "company.country in ['DE', 'AT', 'CH']"}""");
        projects.MapDelete("/{id}", DeleteProject).RequireScope(Scopes.Manage, liveOnly: true).Produces(204).ProducesProblems(404, 409);
    }

    /// <summary>Lists the workspace's projects, newest first.</summary>
    internal static async Task<Ok<Page<ProjectView>>> ListProjects(
        HttpContext context, Caller caller, PageRequest page, ProjectStore projects, CancellationToken cancellationToken)
    {
        var rows = await projects.ListAsync(caller.WorkspaceId, page, cancellationToken);
        var found = page.ToPage(context, rows, row => (row.CreatedAt, row.Id));
        return TypedResults.Ok(new Page<ProjectView>([.. found.Data.Select(ProjectView.Of)], found.NextCursor, found.Next));
    }

    /// <summary>Creates a project: a named watch over signals, with a priority for each that it matches.</summary>
    /// <remarks>
    /// Every live signal received from now on that matches raises `signal.detected` for endpoints that listen to it. A workspace has at
    /// most 100 projects.
    /// </remarks>
    internal static async Task<Results<Created<ProjectView>, Problem>> CreateProject(
        Caller caller, Body<ProjectBody> body, ProjectEditor projects, CancellationToken cancellationToken)
    {
        var (view, problem) = await projects.CreateAsync(caller.WorkspaceId, body.Value, cancellationToken);
        return problem is not null ? problem : TypedResults.Created($"/projects/{view!.Id}", view);
    }

    /// <summary>Shows a project.</summary>
    /// <param name="id">`prj_…`</param>
    internal static async Task<Results<Ok<ProjectView>, Problem>> GetProject(
        Caller caller, string id, ProjectStore projects, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Project, id, out var projectId) && await projects.FindAsync(caller.WorkspaceId, projectId, cancellationToken) is { } found
            ? TypedResults.Ok(ProjectView.Of(found))
            : ProjectEditor.NotFound(id);

    /// <summary>Replaces a project's fields; what is left out goes back to its default.</summary>
    /// <param name="id">`prj_…`</param>
    internal static async Task<Results<Ok<ProjectView>, Problem>> PutProject(
        Caller caller, string id, Body<ProjectBody> body, ProjectEditor projects, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Project, id, out var projectId)
            ? Answer(await projects.PutAsync(caller.WorkspaceId, projectId, body.Value, cancellationToken), id)
            : ProjectEditor.NotFound(id);

    /// <summary>Changes some fields of a project (JSON merge patch). Lists are replaced as a whole.</summary>
    /// <param name="id">`prj_…`</param>
    internal static async Task<Results<Ok<ProjectView>, Problem>> PatchProject(
        Caller caller, string id, Patch patch, ProjectEditor projects, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Project, id, out var projectId)
            ? Answer(await projects.PatchAsync(caller.WorkspaceId, projectId, patch, cancellationToken), id)
            : ProjectEditor.NotFound(id);

    /// <summary>Deletes a project. One that the filter of an endpoint names is in use (409).</summary>
    /// <param name="id">`prj_…`</param>
    internal static async Task<Results<NoContent, Problem>> DeleteProject(
        Caller caller, string id, ProjectEditor projects, CancellationToken cancellationToken)
    {
        var problem = Ids.TryParse(Ids.Project, id, out var projectId)
            ? await projects.DeleteAsync(caller.WorkspaceId, projectId, cancellationToken)
            : ProjectEditor.NotFound(id);
        return problem is not null ? problem : TypedResults.NoContent();
    }

    private static Results<Ok<ProjectView>, Problem> Answer((ProjectView? View, Problem? Problem) result, string id) =>
        result.View is { } view ? TypedResults.Ok(view) : result.Problem ?? ProjectEditor.NotFound(id);
}

/// <summary>Loads a workspace's projects and reports those whose conditions no longer compile.</summary>
internal sealed class ProjectLoader(ProjectStore store, ILogger<ProjectLoader> log)
{
    public async Task<ProjectSet> LoadAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var rows = await store.AllAsync(workspaceId, cancellationToken);
        var set = new ProjectSet([.. rows.Select(Project.Of)]);
        foreach (var broken in set.All.Where(p => p.HasBrokenCondition || p.Rules.Any(r => r.When is null)))
        {
            log.LogWarning("A condition of project {Project} of workspace {Workspace} no longer compiles: it matches nothing",
                broken.IdText, Ids.Text(Ids.Workspace, workspaceId));
        }
        return set;
    }
}
