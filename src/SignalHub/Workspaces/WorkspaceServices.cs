using FluentValidation;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

public static class WorkspaceServices
{
    /// <summary>Workspaces, keys and limits. Slices that put something into fresh workspaces register a <see cref="NewWorkspaceStep"/>.</summary>
    public static IServiceCollection AddWorkspaces(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<WorkspaceChanges>();
        services.TryAddSingleton(provider => new OperatorKey(() => provider.GetRequiredService<StorageStart>().OperatorKey));
        services.AddSingleton<WorkspaceStore>();
        services.AddSingleton<WorkspaceDirectory>();
        services.AddSingleton<WorkspaceChangesStore>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ApiKeyDirectory>();
        services.AddSingleton<KeyUse>();
        services.AddSingleton<UsageStore>();
        services.AddSingleton<UsageLedgerStore>();
        services.AddSingleton<LedgerExchange>();
        services.AddSingleton<RateLimiter>();
        services.AddHostedService<WorkspaceChangesLoop>();
        services.AddHostedService<KeyUseLoop>();
        services.AddHostedService<UsageLoop>();
        services.AddHostedService<LedgerLoop>();

        services.AddSingleton<IValidator<WorkspaceBody>, WorkspaceBodyValidator>();
        services.AddSingleton<IValidator<OwnWorkspaceBody>, OwnWorkspaceBodyValidator>();
        services.AddSingleton<IValidator<ApiKeyBody>, ApiKeyBodyValidator>();
        services.AddSingleton<IValidator<ApiKeyName>, ApiKeyNameValidator>();
        services.AddSingleton<IValidator<RotationBody>, RotationBodyValidator>();
        return services;
    }

    /// <summary>After routing and inside the error handling: refuses requests whose key does not open their route.</summary>
    public static IApplicationBuilder UseKeyAuthentication(this IApplicationBuilder app) => app.UseMiddleware<KeyAuthentication>();
}
