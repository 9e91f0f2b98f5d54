using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What a request needs to know of its workspace.</summary>
/// <param name="Limits">In force: the workspace's own, else the server's.</param>
public sealed record WorkspaceSettingsSnapshot(string Name, WorkspaceLimits Limits, WorkspaceSettings Settings)
{
    /// <summary>Signals older than this when received fire nothing; null: age does not matter.</summary>
    public TimeSpan? FireMaxAge { get; } = Settings.FireMaxAgeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}

/// <summary>Every workspace's name, limits and settings in memory, as of its last change.</summary>
public sealed class WorkspaceDirectory
{
    private readonly WorkspaceSnapshots<WorkspaceSettingsSnapshot> _snapshots;
    private readonly RateLimitOptions _defaults;

    public WorkspaceDirectory(WorkspaceStore store, WorkspaceChanges changes, SignalHubOptions options)
    {
        _defaults = options.RateLimits;
        _snapshots = new WorkspaceSnapshots<WorkspaceSettingsSnapshot>(changes, async (id, cancellationToken) =>
            await store.FindAsync(id, cancellationToken) is { } workspace
                ? new WorkspaceSettingsSnapshot(workspace.Name, LimitsOf(workspace.Limits), workspace.Settings)
                : throw new InvalidOperationException($"Workspace {Ids.Text(Ids.Workspace, id)} has a key but no row."));
    }

    public ValueTask<WorkspaceSettingsSnapshot> GetAsync(Guid workspaceId) => _snapshots.GetAsync(workspaceId);

    /// <summary>What the operator's setting comes to.</summary>
    public WorkspaceLimits LimitsOf(LimitSettings settings) => new(settings.PerMinute ?? _defaults.PerMinute, settings.PerDay ?? _defaults.PerDay);
}
