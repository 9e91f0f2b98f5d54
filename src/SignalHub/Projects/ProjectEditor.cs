using SignalHub.Http;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Webhooks;

namespace SignalHub.Projects;

/// <summary>What the project routes do: check, write, tell the caches. A null view with a null problem means that there is no such project.</summary>
public sealed class ProjectEditor(
    ProjectStore store, WorkspaceSnapshots<SignalTypeSet> types, SignalTypeKey typeKey, WorkspaceChanges changes, TimeProvider clock)
{
    private const int NearMatches = 3;

    public async Task<(ProjectView? View, Problem? Problem)> CreateAsync(Guid workspaceId, ProjectBody body, CancellationToken cancellationToken)
    {
        var completed = body.Complete(typeKey);
        if (Check(completed, await types.ReloadAsync(workspaceId), []) is { } problem)
        {
            return (null, problem);
        }
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var project = ToStored(completed, Ids.New(now), now, now);
        if (!await store.CreateAsync(workspaceId, project, cancellationToken))
        {
            return (null, new Problem(ProblemCodes.Conflict, $"The workspace has {ProjectLimits.PerWorkspace} projects, which is the limit: delete one first."));
        }
        changes.Announce(workspaceId);
        return (ProjectView.Of(project), null);
    }

    /// <summary>Every field says what the body says; what the body leaves out goes back to its default.</summary>
    public Task<(ProjectView? View, Problem? Problem)> PutAsync(Guid workspaceId, Guid id, ProjectBody body, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, _ => (body, null), cancellationToken);

    public Task<(ProjectView? View, Problem? Problem)> PatchAsync(Guid workspaceId, Guid id, Patch patch, CancellationToken cancellationToken) =>
        EditAsync(workspaceId, id, current => patch.ApplyTo(current.ToBody()), cancellationToken);

    public async Task<Problem?> DeleteAsync(Guid workspaceId, Guid id, CancellationToken cancellationToken)
    {
        var (result, endpoints) = await store.DeleteAsync(workspaceId, id, cancellationToken);
        switch (result)
        {
            case ProjectDelete.NotFound:
                return NotFound(Ids.Text(Ids.Project, id));
            case ProjectDelete.InUse:
                return new Problem(ProblemCodes.InUse,
                    $"The filter of {string.Join(", ", endpoints.Select(e => Ids.Text(Ids.Endpoint, e)))} names the project: take it out of filter.projects there first.");
            default:
                changes.Announce(workspaceId);
                return null;
        }
    }

    public static Problem NotFound(string id) => Problem.NotFound($"The project {id}");

    private async Task<(ProjectView? View, Problem? Problem)> EditAsync(
        Guid workspaceId, Guid id, Func<StoredProject, (ProjectBody?, Problem?)> edit, CancellationToken cancellationToken)
    {
        var now = Timestamps.Truncate(clock.GetUtcNow());
        var known = await types.ReloadAsync(workspaceId);
        var (written, problem) = await store.ChangeAsync(workspaceId, id, current =>
        {
            var (body, refused) = edit(current);
            if (body is null)
            {
                return (null, refused);
            }
            var completed = body.Complete(typeKey);
            return Check(completed, known, current.SignalTypes) is { } invalid
                ? (null, invalid)
                : (ToStored(completed, id, current.CreatedAt, now), null);
        }, cancellationToken);
        if (written is null)
        {
            return (null, problem);
        }
        changes.Announce(workspaceId);
        return (ProjectView.Of(written), null);
    }

    /// <param name="known">Asked of the database: another node may have declared a type a moment ago.</param>
    /// <param name="present">Types that the project has already: one that was deleted since is no reason to refuse another change.</param>
    private static Problem? Check(ProjectBody completed, SignalTypeSet known, IReadOnlyList<string> present)
    {
        if (ProjectValidator.Check(completed) is { } invalid)
        {
            return invalid;
        }
        var errors = new List<FieldError>();
        for (var i = 0; i < completed.SignalTypes!.Count; i++)
        {
            var key = completed.SignalTypes[i];
            if (known.Find(key) is null && !present.Contains(key))
            {
                var near = known.Nearest(key, NearMatches);
                var hint = near.Count == 0 ? "" : $" Close to it: {string.Join(", ", near)}.";
                errors.Add(new FieldError($"/signal_types/{i}", ProblemCodes.UnknownSignalType.Code,
                    $"/signal_types/{i}: \"{key}\" is not a signal type of this workspace: declare it with POST /signal-types, or use a known one.{hint}"));
            }
        }
        return errors.Count == 0 ? null : Problem.Fields(errors);
    }

    private static StoredProject ToStored(ProjectBody body, Guid id, DateTimeOffset createdAt, DateTimeOffset now) => new(
        id, body.Name!, body.Description, body.SignalTypes!, body.Sources!, body.When, body.Priorities!, body.RecommendedAction, createdAt, now);
}
