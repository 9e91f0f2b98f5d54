using System.Runtime.CompilerServices;
using SignalHub.Workspaces;

namespace SignalHub.Leads.Identity;

/// <summary>The rules of canonical keys with a workspace's own free-mail domains, made once per state of its settings.</summary>
public sealed class WorkspaceIdentityRules(IdentityRules rules, WorkspaceDirectory workspaces)
{
    private readonly ConditionalWeakTable<WorkspaceSettingsSnapshot, IdentityRules> _known = [];

    public async ValueTask<IdentityRules> GetAsync(Guid workspaceId) => Of(await workspaces.GetAsync(workspaceId));

    public IdentityRules Of(WorkspaceSettingsSnapshot settings) =>
        settings.Settings is { FreeMailAdd.Count: 0, FreeMailRemove.Count: 0 }
            ? rules
            : _known.GetValue(settings, s => rules with { Overrides = FreeMailOverrides.From(s.Settings.FreeMailAdd, s.Settings.FreeMailRemove) });
}

public static class IdentityServices
{
    /// <summary>A newer copy of the Public Suffix List, in the format of publicsuffix.org; absent: the one that is built in.</summary>
    public const string PublicSuffixList = "SignalHub:PublicSuffixList";

    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSingleton(provider => RulesOf(provider.GetRequiredService<IConfiguration>()[PublicSuffixList]));
        services.AddSingleton<WorkspaceIdentityRules>();
        return services;
    }

    /// <summary>Keys depend on ICU: without it IDN and NFC silently produce other ones. Runs before the service listens.</summary>
    public static Task CheckAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        if (GlobalizationCheck.Verify() is { } broken)
        {
            throw new Storage.StartException(broken);
        }
        // Loads the lists, which would take the first request a tenth of a second.
        _ = CanonicalIdentity.From(new IdentityInput { Email = "start@example.com" }, services.GetRequiredService<IdentityRules>());
        return Task.CompletedTask;
    }

    private static IdentityRules RulesOf(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return IdentityRules.Default;
        }
        try
        {
            using var file = File.OpenRead(path);
            return new IdentityRules(Identity.PublicSuffixList.Load(file), FreeMailOverrides.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new Storage.StartException($"SignalHub__PublicSuffixList: {path} cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
