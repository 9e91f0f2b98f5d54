namespace SignalHub.Workspaces;

/// <summary>What a workspace decides for itself.</summary>
public sealed record WorkspaceSettings
{
    /// <summary>Signals older than this many seconds when received fire no webhook (1 to 315360000); null: age does not matter.</summary>
    public int? FireMaxAgeSeconds { get; init; }

    /// <summary>Domains that count as free mail here though no list says so (at most 1,000).</summary>
    public IReadOnlyList<string> FreeMailAdd { get; init => field = value ?? []; } = [];

    /// <summary>Domains that are a company here though a list says free mail (at most 1,000).</summary>
    public IReadOnlyList<string> FreeMailRemove { get; init => field = value ?? []; } = [];

    /// <summary>Whether types that POST /v1/signals declares on the fly are autoqualified; true if absent.</summary>
    public bool? AutoTypesAutoqualify { get; init => field = value ?? true; } = true;
}

/// <summary>Limits as the operator set them for one workspace; null: the server's default; 0: unlimited.</summary>
public sealed record LimitSettings
{
    /// <summary>Events in any 60 s.</summary>
    public int? PerMinute { get; init; }

    /// <summary>Events per UTC day.</summary>
    public int? PerDay { get; init; }
}

/// <summary>A workspace as stored.</summary>
public sealed record Workspace(Guid Id, string Name, LimitSettings Limits, WorkspaceSettings Settings, DateTimeOffset CreatedAt);
