using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.SignalTypes;

/// <summary>Routes and services of the slice.</summary>
public static class SignalTypesApi
{
    public static IServiceCollection AddSignalTypes(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<WorkspaceChanges>();
        services.AddSingleton<SignalTypeStore>();
        services.AddSingleton<SignalTypeEditor>();
        services.AddSingleton<AutoTypeStore>();
        services.AddSingleton<AutoTypes>();
        services.AddSingleton(provider => new WorkspaceSnapshots<SignalTypeSet>(provider.GetRequiredService<WorkspaceChanges>(),
            new SignalTypeLoader(provider.GetRequiredService<SignalTypeStore>(), provider.GetRequiredService<ILogger<SignalTypeLoader>>()).LoadAsync));
        return services;
    }

    public static void MapSignalTypes(this IEndpointRouteBuilder routes)
    {
        var types = routes.MapGroup("/signal-types").WithTags("Signal types");
        types.MapGet("/", ListSignalTypes).RequireScope(Scopes.Read).Produces<Page<SignalTypeView>>().Refuses(400);
        types.MapPost("/", CreateSignalType).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<SignalTypeView>(201).Refuses(400, 409, 413, 415, 422).WithRequestExample(SignalTypeExamples.Create);
        types.MapGet("/{key}", GetSignalType).RequireScope(Scopes.Read).Produces<SignalTypeView>().Refuses(404);
        types.MapPut("/{key}", PutSignalType).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<SignalTypeView>().Produces<SignalTypeView>(201).Refuses(400, 413, 415, 422).WithRequestExample(SignalTypeExamples.Create);
        types.MapPatch("/{key}", PatchSignalType).RequireScope(Scopes.Manage, liveOnly: true)
            .Produces<SignalTypeView>().Refuses(400, 404, 413, 415, 422).WithRequestExample(SignalTypeExamples.Patch);
        types.MapDelete("/{key}", DeleteSignalType).RequireScope(Scopes.Manage, liveOnly: true).Produces(204).Refuses(404, 409);
    }

    /// <summary>Lists every signal type: declared ones first, then the built-in catalogue.</summary>
    /// <param name="origin">Only <c>custom</c>, <c>builtin</c> or <c>auto</c>.</param>
    /// <param name="category">Only that category of the catalogue: contact, growth, intent, news, risk or custom.</param>
    /// <param name="enabled">Only enabled (<c>true</c>) or disabled (<c>false</c>) ones.</param>
    internal static async Task<Ok<Page<SignalTypeView>>> ListSignalTypes(
        Caller caller, SignalTypeEditor types, string? origin, string? category, bool? enabled, CancellationToken cancellationToken)
    {
        var all = await types.ListAsync(caller.WorkspaceId, cancellationToken);
        var wanted = all.Where(t => (origin is null || t.Origin.Equals(origin, StringComparison.OrdinalIgnoreCase))
            && (category is null || t.Categories.Contains(category, StringComparer.OrdinalIgnoreCase))
            && (enabled is null || t.Enabled == enabled));
        return TypedResults.Ok(new Page<SignalTypeView>([.. wanted], null, null));
    }

    /// <summary>Declares a signal type.</summary>
    /// <remarks>The key is made of the name: <c>Product trial started</c> is sent as <c>product_trial_started</c>.</remarks>
    internal static async Task<Results<Created<SignalTypeView>, Problem>> CreateSignalType(
        Caller caller, Body<SignalTypeBody> body, SignalTypeEditor types, CancellationToken cancellationToken)
    {
        var (view, problem) = await types.CreateAsync(caller.WorkspaceId, body.Value, cancellationToken);
        return problem is not null ? problem : TypedResults.Created(Path(view!.Key), view);
    }

    /// <summary>Shows a signal type.</summary>
    /// <param name="key">Its key, or a built-in type's alias (<c>companyChange</c>).</param>
    internal static async Task<Results<Ok<SignalTypeView>, Problem>> GetSignalType(
        Caller caller, string key, SignalTypeEditor types, CancellationToken cancellationToken)
    {
        var (view, problem) = await types.FindAsync(caller.WorkspaceId, key, cancellationToken);
        return problem is not null ? problem : TypedResults.Ok(view);
    }

    /// <summary>Declares or replaces a signal type; also changes a built-in one.</summary>
    /// <remarks>The key stays as it is in the path; the name is for people.</remarks>
    /// <param name="key">Its key, or a built-in type's alias.</param>
    internal static async Task<Results<Ok<SignalTypeView>, Created<SignalTypeView>, Problem>> PutSignalType(
        Caller caller, string key, Body<SignalTypeBody> body, SignalTypeEditor types, CancellationToken cancellationToken)
    {
        var (view, created, problem) = await types.PutAsync(caller.WorkspaceId, key, body.Value, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }
        return created ? TypedResults.Created(Path(view!.Key), view) : TypedResults.Ok(view);
    }

    /// <summary>Changes parts of a signal type (JSON merge patch); also of a built-in one.</summary>
    /// <remarks>Sub-rules are replaced as a whole; null sets a member back to its default.</remarks>
    /// <param name="key">Its key, or a built-in type's alias.</param>
    internal static async Task<Results<Ok<SignalTypeView>, Problem>> PatchSignalType(
        Caller caller, string key, Patch patch, SignalTypeEditor types, CancellationToken cancellationToken)
    {
        var (view, problem) = await types.PatchAsync(caller.WorkspaceId, key, patch, cancellationToken);
        return problem is not null ? problem : TypedResults.Ok(view);
    }

    /// <summary>Deletes a declared signal type without signals, or undoes the changes made to a built-in one.</summary>
    /// <remarks>A built-in type itself cannot be deleted, only disabled.</remarks>
    /// <param name="key">Its key, or a built-in type's alias.</param>
    internal static async Task<Results<NoContent, Problem>> DeleteSignalType(
        Caller caller, string key, SignalTypeEditor types, CancellationToken cancellationToken)
    {
        var problem = await types.DeleteAsync(caller.WorkspaceId, key, cancellationToken);
        return problem is not null ? problem : TypedResults.NoContent();
    }

    private static string Path(string key) => $"/signal-types/{Uri.EscapeDataString(key)}";
}

/// <summary>Loads a workspace's types and reports sub-rules that no longer compile.</summary>
internal sealed class SignalTypeLoader(SignalTypeStore store, ILogger<SignalTypeLoader> log)
{
    public async Task<SignalTypeSet> LoadAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var set = SignalTypeSet.Build(await store.AllAsync(workspaceId, cancellationToken));
        foreach (var broken in set.Broken)
        {
            log.LogWarning("Sub-rule {Pointer} of workspace {Workspace} no longer compiles and matches nothing: {Reason}",
                broken.Pointer, Ids.Text(Ids.Workspace, workspaceId), broken.Code);
        }
        return set;
    }
}
