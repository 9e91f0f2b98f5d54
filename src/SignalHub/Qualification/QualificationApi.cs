using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Qualification;

/// <summary>Routes and services of the slice.</summary>
public static class QualificationApi
{
    public static IServiceCollection AddQualification(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<WorkspaceChanges>();
        services.AddSingleton<DefinitionStore>();
        services.AddSingleton<DefinitionEditor>();
        services.AddSingleton(provider => new WorkspaceSnapshots<DefinitionSet>(provider.GetRequiredService<WorkspaceChanges>(),
            new DefinitionLoader(provider.GetRequiredService<DefinitionStore>(), provider.GetRequiredService<ILogger<DefinitionLoader>>()).LoadAsync));
        return services;
    }

    public static void MapQualification(this IEndpointRouteBuilder routes)
    {
        MapIcps(routes.MapGroup("/icps").WithTags("ICPs and personas"));
        MapPersonas(routes.MapGroup("/personas").WithTags("ICPs and personas"));
    }

    private static void MapIcps(RouteGroupBuilder icps)
    {
        icps.MapGet("/", IcpApi.ListIcps).Reads<Page<DefinitionView>>().Refuses(400);
        icps.MapPost("/", IcpApi.CreateIcp).Writes<DefinitionView>(201).Refuses(400, 409, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Icp);
        icps.MapGet("/{code}", IcpApi.GetIcp).Reads<DefinitionView>().Refuses(404);
        icps.MapPut("/{code}", IcpApi.PutIcp).Writes<DefinitionView>(200, 201).Refuses(400, 409, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Icp);
        icps.MapPatch("/{code}", IcpApi.PatchIcp).Writes<DefinitionView>(200).Refuses(400, 404, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Patch);
        icps.MapDelete("/{code}", IcpApi.DeleteIcp).Deletes().Refuses(404, 409);
        icps.MapGet("/{code}/versions", IcpApi.ListIcpVersions).Reads<Page<DefinitionVersionView>>().Refuses(400, 404);
    }

    private static void MapPersonas(RouteGroupBuilder personas)
    {
        personas.MapGet("/", PersonaApi.ListPersonas).Reads<Page<DefinitionView>>().Refuses(400);
        personas.MapPost("/", PersonaApi.CreatePersona).Writes<DefinitionView>(201).Refuses(400, 409, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Persona);
        personas.MapGet("/{code}", PersonaApi.GetPersona).Reads<DefinitionView>().Refuses(404);
        personas.MapPut("/{code}", PersonaApi.PutPersona).Writes<DefinitionView>(200, 201).Refuses(400, 409, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Persona);
        personas.MapPatch("/{code}", PersonaApi.PatchPersona).Writes<DefinitionView>(200).Refuses(400, 404, 413, 415, 422)
            .WithRequestExample(DefinitionExamples.Patch);
        personas.MapDelete("/{code}", PersonaApi.DeletePersona).Deletes().Refuses(404);
        personas.MapGet("/{code}/versions", PersonaApi.ListPersonaVersions).Reads<Page<DefinitionVersionView>>().Refuses(400, 404);
    }

    /// <summary>A code from a path: servers decode every escape but that of the slash.</summary>
    internal static string DecodeCode(string code) => code.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder route) => route.RequireScope(Scopes.Read).Produces<T>();

    private static RouteHandlerBuilder Writes<T>(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            route.Produces<T>(status);
        }
        return route.RequireScope(Scopes.Manage, liveOnly: true);
    }

    private static RouteHandlerBuilder Deletes(this RouteHandlerBuilder route) =>
        route.RequireScope(Scopes.Manage, liveOnly: true).Produces(StatusCodes.Status204NoContent);
}

/// <summary>Loads a workspace's definitions and reports those that no longer compile.</summary>
internal sealed class DefinitionLoader(DefinitionStore store, ILogger<DefinitionLoader> log)
{
    public async Task<DefinitionSet> LoadAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var set = DefinitionSet.Build(await store.AllAsync(workspaceId, cancellationToken));
        foreach (var broken in set.Broken)
        {
            log.LogWarning("Definition {Version} of workspace {Workspace} no longer compiles and matches nothing: {Reason}",
                broken.VersionText, Ids.Text(Ids.Workspace, workspaceId), broken.Errors[0].Code);
        }
        return set;
    }
}
