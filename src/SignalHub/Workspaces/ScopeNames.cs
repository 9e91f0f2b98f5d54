namespace SignalHub.Workspaces;

/// <summary>Scopes as they are written in requests, answers and the database.</summary>
public static class ScopeNames
{
    private static readonly (Scopes Scope, string Name)[] _names = [(Scopes.Ingest, "ingest"), (Scopes.Read, "read"), (Scopes.Manage, "manage")];

    public static string Known { get; } = string.Join(", ", _names.Select(n => n.Name));

    public static bool IsKnown(string? name) => _names.Any(n => n.Name == name);

    /// <summary>Unknown names count for nothing.</summary>
    public static Scopes Parse(IEnumerable<string> names) => names.Aggregate(Scopes.None, (all, name) => all | _names.FirstOrDefault(n => n.Name == name).Scope);

    public static string[] List(Scopes scopes) => [.. _names.Where(n => scopes.HasFlag(n.Scope)).Select(n => n.Name)];
}
