namespace SignalHub.Storage;

/// <summary>What this process does, asked while services are registered: before the settings are checked.</summary>
public static class Roles
{
    public const string Api = "Roles:Api";
    public const string Dispatcher = "Roles:Dispatcher";
    public const string Jobs = "Roles:Jobs";

    /// <summary>On unless it says false; a word that is neither is refused by the check of the settings at start.</summary>
    public static bool HasRole(this IConfiguration configuration, string role) =>
        !"false".Equals(configuration[role]?.Trim(), StringComparison.OrdinalIgnoreCase);
}
