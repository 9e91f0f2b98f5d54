using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Automations;

/// <summary>Routes and services of automations. Trying one on a stored signal is in Operations.</summary>
public static class AutomationsApi
{
    private const string Example = """
        {"name": "Trial of a large team", "trigger": {"signal_types": ["product_trial_started"]},
         "when": "signal.context.plan == 'pro' and icp.score >= 60",
         "action": {"type": "webhook", "url": "https://example.com/hooks/trials", "headers": {"X-Plan": "{{signal.context.plan}}"}, "body_template": null},
         "limit": {"per": "lead", "period_hours": 24}, "enabled": true}
        """;

    /// <summary>Needs the webhooks' services.</summary>
    public static IServiceCollection AddAutomations(this IServiceCollection services)
    {
        services.TryAddSingleton<WorkspaceChanges>();
        services.AddSingleton<AutomationStore>();
        services.AddSingleton<AutomationRunStore>();
        services.AddSingleton<AutomationValidator>();
        services.AddSingleton<AutomationEditor>();
        services.AddSingleton(provider => new WorkspaceSnapshots<AutomationSet>(provider.GetRequiredService<WorkspaceChanges>(),
            new AutomationLoader(provider.GetRequiredService<AutomationStore>(), provider.GetRequiredService<ILogger<AutomationLoader>>()).LoadAsync));
        return services;
    }

    public static void MapAutomations(this IEndpointRouteBuilder routes)
    {
        var automations = routes.MapGroup("/automations").WithTags("Automations").ProducesProblems(401, 403, 503);
        automations.MapGet("/", ListAutomations).RequireScope(Scopes.Read, liveOnly: true).Produces<Page<AutomationView>>().ProducesProblems(400);
        automations.MapPost("/", CreateAutomation).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<AutomationView>(201).ProducesProblems(400, 413, 415, 422).WithRequestExample(Example);
        automations.MapGet("/{id}", GetAutomation).RequireScope(Scopes.Read, liveOnly: true).Produces<AutomationView>().ProducesProblems(404);
        automations.MapPut("/{id}", PutAutomation).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<AutomationView>().ProducesProblems(400, 404, 413, 415, 422).WithRequestExample(Example);
        automations.MapPatch("/{id}", PatchAutomation).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<AutomationView>().ProducesProblems(400, 404, 413, 415, 422).WithRequestExample("""{"enabled": false}""");
        automations.MapDelete("/{id}", DeleteAutomation).RequireScope(Scopes.Manage, liveOnly: true).Produces(204).ProducesProblems(404);
    }

    /// <summary>Lists the workspace's automations, newest first.</summary>
    internal static async Task<Ok<Page<AutomationView>>> ListAutomations(
        HttpContext context, Caller caller, PageRequest page, AutomationStore automations, CancellationToken cancellationToken)
    {
        var rows = await automations.ListAsync(caller.WorkspaceId, page, cancellationToken);
        return TypedResults.Ok(page.ToPage(context,
            [.. rows.Select(row => new Listed<AutomationView>(AutomationView.Of(row.Automation, row.Target), row.Automation.CreatedAt, row.Automation.Id))]));
    }

    /// <summary>Creates an automation: when a signal of its types meets its condition, a webhook is sent.</summary>
    /// <remarks>
    /// It fires exactly once for a signal, in the same transaction that stores the signal, or at most once for a lead in a period.
    /// The webhook goes to an endpoint of the workspace or to a URL of its own, whose signing secret only this answer shows. The body is
    /// that of <c>automation.action_triggered</c>, or a template over signal, lead, person, company, icp, persona, contact, account and
    /// automation. Backfilled and test signals fire nothing.
    /// </remarks>
    internal static async Task<Results<Created<AutomationView>, Problem>> CreateAutomation(
        Caller caller, Body<AutomationBody> body, AutomationEditor automations, CancellationToken cancellationToken)
    {
        var (view, problem) = await automations.CreateAsync(caller.WorkspaceId, body.Value, cancellationToken);
        return problem is not null ? problem : TypedResults.Created($"/automations/{view!.Id}", view);
    }

    /// <summary>Shows an automation.</summary>
    /// <param name="id"><c>auto_…</c></param>
    internal static async Task<Results<Ok<AutomationView>, Problem>> GetAutomation(
        Caller caller, string id, AutomationStore automations, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Automation, id, out var automationId)
        && await automations.FindAsync(caller.WorkspaceId, automationId, cancellationToken) is var (found, target)
            ? TypedResults.Ok(AutomationView.Of(found, target))
            : NotFound(id);

    /// <summary>Replaces an automation's fields; what is left out goes back to its default. The secret stays unless one is given.</summary>
    /// <remarks>With a URL of its own, its endpoint is enabled again by this, should the receiver's failures have disabled it.</remarks>
    /// <param name="id"><c>auto_…</c></param>
    internal static async Task<Results<Ok<AutomationView>, Problem>> PutAutomation(
        Caller caller, string id, Body<AutomationBody> body, AutomationEditor automations, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Automation, id, out var automationId)
            ? Answer(await automations.PutAsync(caller.WorkspaceId, automationId, body.Value, cancellationToken), id)
            : NotFound(id);

    /// <summary>Changes some fields of an automation (JSON merge patch).</summary>
    /// <remarks>To go from a URL of its own to an endpoint, set <c>action.url</c>, <c>action.signature_header</c> to null together with <c>action.endpoint_id</c>.</remarks>
    /// <param name="id"><c>auto_…</c></param>
    internal static async Task<Results<Ok<AutomationView>, Problem>> PatchAutomation(
        Caller caller, string id, Patch patch, AutomationEditor automations, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Automation, id, out var automationId)
            ? Answer(await automations.PatchAsync(caller.WorkspaceId, automationId, patch, cancellationToken), id)
            : NotFound(id);

    /// <summary>Deletes an automation and the endpoint of its own URL. Waiting deliveries of that end as skipped; the delivery log stays.</summary>
    /// <param name="id"><c>auto_…</c></param>
    internal static async Task<Results<NoContent, Problem>> DeleteAutomation(
        Caller caller, string id, AutomationEditor automations, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Automation, id, out var automationId) && await automations.DeleteAsync(caller.WorkspaceId, automationId, cancellationToken)
            ? TypedResults.NoContent()
            : NotFound(id);

    internal static Problem NotFound(string id) => Problem.NotFound($"The automation {id}");

    private static Results<Ok<AutomationView>, Problem> Answer((AutomationView? View, Problem? Problem) result, string id) =>
        result.View is { } view ? TypedResults.Ok(view) : result.Problem ?? NotFound(id);
}

/// <summary>Loads a workspace's automations and reports those whose condition no longer compiles.</summary>
internal sealed class AutomationLoader(AutomationStore store, ILogger<AutomationLoader> log)
{
    public async Task<AutomationSet> LoadAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var set = await store.LoadSetAsync(workspaceId, cancellationToken);
        foreach (var broken in set.All.Where(a => a.HasBrokenCondition))
        {
            log.LogWarning("The condition of automation {Automation} of workspace {Workspace} no longer compiles: it fires nothing",
                broken.IdText, Ids.Text(Ids.Workspace, workspaceId));
        }
        return set;
    }
}
