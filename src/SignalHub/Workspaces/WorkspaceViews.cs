using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>A workspace as the operator sees it.</summary>
/// <param name="Id"><c>ws_…</c></param>
/// <param name="Limits">As set for this workspace; null: the server's default applies.</param>
/// <param name="EffectiveLimits">In force now; 0: unlimited.</param>
public record WorkspaceView(
    string Id, string Name, LimitSettings Limits, WorkspaceLimits EffectiveLimits, WorkspaceSettings Settings, DateTimeOffset CreatedAt)
{
    internal static WorkspaceView Of(Workspace workspace, WorkspaceDirectory directory) => new(
        Ids.Text(Ids.Workspace, workspace.Id), workspace.Name, workspace.Limits, directory.LimitsOf(workspace.Limits), workspace.Settings, workspace.CreatedAt);
}

/// <summary>A workspace just made, with its first key (live, all scopes).</summary>
/// <param name="ApiKey">Its <c>secret</c> is shown here and never again.</param>
public sealed record NewWorkspaceView(
    string Id, string Name, LimitSettings Limits, WorkspaceLimits EffectiveLimits, WorkspaceSettings Settings, DateTimeOffset CreatedAt, ApiKeySecretView ApiKey)
    : WorkspaceView(Id, Name, Limits, EffectiveLimits, Settings, CreatedAt);

/// <summary>The workspace of the key, as its users see it.</summary>
/// <param name="Limits">In force now; 0: unlimited. Only the operator changes them.</param>
public sealed record OwnWorkspaceView(string Id, string Name, WorkspaceLimits Limits, WorkspaceSettings Settings, DateTimeOffset CreatedAt)
{
    internal static OwnWorkspaceView Of(Workspace workspace, WorkspaceDirectory directory) => new(
        Ids.Text(Ids.Workspace, workspace.Id), workspace.Name, directory.LimitsOf(workspace.Limits), workspace.Settings, workspace.CreatedAt);
}

/// <summary>An API key without its secret.</summary>
/// <param name="Id"><c>key_…</c></param>
/// <param name="Prefix">The start of the key, for telling keys apart.</param>
/// <param name="Scopes">Of <c>ingest</c>, <c>read</c>, <c>manage</c>.</param>
/// <param name="Mode"><c>live</c> or <c>test</c>.</param>
/// <param name="State"><c>active</c>, <c>expired</c> or <c>revoked</c>.</param>
/// <param name="RotatedTo">The key that replaces it; this one works until <c>expires_at</c>.</param>
/// <param name="LastUsedAt">Written every 30 s at most.</param>
public record ApiKeyView(
    string Id, string Name, string Prefix, IReadOnlyList<string> Scopes, string Mode, string State, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt, string? RotatedTo, DateTimeOffset? LastUsedAt)
{
    internal static ApiKeyView Of(StoredKey key, DateTimeOffset now) => new(
        Ids.Text(Ids.ApiKey, key.Id), key.Grant.Name, key.Prefix, ScopeNames.List(key.Grant.Scopes), key.Caller.Mode, StateOf(key, now), key.CreatedAt,
        key.Grant.ExpiresAt, key.RevokedAt, Ids.Text(Ids.ApiKey, key.RotatedTo), key.LastUsedAt);

    private static string StateOf(StoredKey key, DateTimeOffset now) => key.RevokedAt is not null ? "revoked" : key.IsExpired(now) ? "expired" : "active";
}

/// <summary>An API key just made.</summary>
/// <param name="Secret">The whole key: shown here and never again.</param>
public sealed record ApiKeySecretView(
    string Id, string Secret, string Name, string Prefix, IReadOnlyList<string> Scopes, string Mode, string State, DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt, string? RotatedTo, DateTimeOffset? LastUsedAt)
    : ApiKeyView(Id, Name, Prefix, Scopes, Mode, State, CreatedAt, ExpiresAt, RevokedAt, RotatedTo, LastUsedAt)
{
    internal static ApiKeySecretView Of(CreatedKey created)
    {
        var view = Of(created.Key, created.Key.CreatedAt);
        return new ApiKeySecretView(view.Id, created.Secret, view.Name, view.Prefix, view.Scopes, view.Mode, view.State, view.CreatedAt, view.ExpiresAt,
            view.RevokedAt, view.RotatedTo, view.LastUsedAt);
    }
}

/// <summary>Whose key this is, and what it may still do.</summary>
/// <param name="Limits">In force now; 0: unlimited.</param>
/// <param name="Remaining">What is left of them.</param>
public sealed record MeView(MyWorkspaceView Workspace, MyKeyView Key, WorkspaceLimits Limits, RemainingView Remaining);

/// <summary>The workspace of the key.</summary>
public sealed record MyWorkspaceView(string Id, string Name);

/// <summary>The key of this request.</summary>
public sealed record MyKeyView(string Id, string Name, string Prefix, IReadOnlyList<string> Scopes, string Mode, DateTimeOffset? ExpiresAt);

/// <summary>Events that may be sent now.</summary>
/// <param name="Minute">Of the rolling 60 s; null: unlimited.</param>
/// <param name="MinuteResetSeconds">Seconds until all of it is there again.</param>
/// <param name="Day">Of this UTC day; null: unlimited.</param>
/// <param name="DayResetSeconds">Seconds until midnight UTC.</param>
public sealed record RemainingView(int? Minute, int MinuteResetSeconds, int? Day, int DayResetSeconds)
{
    internal static RemainingView Of(in Admission admission) => new(
        admission.Minute.IsUnlimited ? null : admission.Minute.Remaining, admission.Minute.ResetSeconds,
        admission.Day.IsUnlimited ? null : admission.Day.Remaining, admission.Day.ResetSeconds);
}
