using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Qualification;

/// <summary>What the ICP and persona routes have in common: check, publish, tell the caches.</summary>
public sealed class DefinitionEditor(DefinitionStore store, WorkspaceChanges changes, TimeProvider clock)
{
    public DefinitionStore Store { get; } = store;

    /// <summary>A new definition, or the problem.</summary>
    public Task<(DefinitionView? View, bool Created, Problem? Problem)> CreateAsync(
        Guid workspaceId, DefinitionKind kind, DefinitionBody body, CancellationToken cancellationToken) =>
        WriteAsync(workspaceId, kind, body.Complete(kind), mayReplace: false, cancellationToken);

    /// <summary>The definition of that code says what the body says, whether it was there or not.</summary>
    public async Task<(DefinitionView? View, bool Created, Problem? Problem)> PutAsync(
        Guid workspaceId, DefinitionKind kind, string code, DefinitionBody body, CancellationToken cancellationToken)
    {
        var completed = body.Complete(kind, code);
        return completed.Code != code
            ? (null, false, Renamed(code))
            : await WriteAsync(workspaceId, kind, completed, mayReplace: true, cancellationToken);
    }

    /// <summary>The live version with some members replaced.</summary>
    public async Task<(DefinitionView? View, Problem? Problem)> PatchAsync(
        Guid workspaceId, DefinitionKind kind, string code, Patch patch, CancellationToken cancellationToken)
    {
        if (await Store.FindAsync(workspaceId, kind, code, cancellationToken) is not { } existing)
        {
            return (null, NotFound(kind, code));
        }
        var (patched, problem) = patch.ApplyTo(existing.Body);
        if (problem is not null)
        {
            return (null, problem);
        }
        var completed = patched!.Complete(kind, code);
        if (completed.Code != code)
        {
            return (null, Renamed(code));
        }
        var (view, _, refused) = await WriteAsync(workspaceId, kind, completed, mayReplace: true, cancellationToken);
        return (view, refused);
    }

    public async Task<Problem?> DeleteAsync(Guid workspaceId, DefinitionKind kind, string code, CancellationToken cancellationToken)
    {
        switch (await Store.DeleteAsync(workspaceId, kind, code, cancellationToken))
        {
            case DefinitionDelete.NotFound:
                return NotFound(kind, code);
            case DefinitionDelete.InUse:
                return new Problem(ProblemCodes.InUse, $"The ICP \"{code}\" has personas: delete them first, or give them another ICP.");
            default:
                changes.Announce(workspaceId);
                return null;
        }
    }

    public static Problem NotFound(DefinitionKind kind, string code) => Problem.NotFound($"The {kind.Noun()} \"{code}\"");

    private async Task<(DefinitionView?, bool, Problem?)> WriteAsync(
        Guid workspaceId, DefinitionKind kind, DefinitionBody completed, bool mayReplace, CancellationToken cancellationToken)
    {
        if (DefinitionValidator.Check(kind, completed) is { } invalid)
        {
            return (null, false, invalid);
        }
        var (result, definition) = await Store.WriteAsync(workspaceId, kind, completed, mayReplace, clock.GetUtcNow(), cancellationToken);
        switch (result)
        {
            case DefinitionWrite.AlreadyExists:
                return (null, false, new Problem(ProblemCodes.AlreadyExists,
                    $"The {kind.Noun()} \"{completed.Code}\" exists already: change it with PUT or PATCH, or use another code."));
            case DefinitionWrite.UnknownIcp:
                return (null, false, Problem.Field(ProblemCodes.InvalidValue, "/icp",
                    $"/icp: there is no ICP \"{completed.Icp}\" in this workspace: create it first."));
            case DefinitionWrite.TooMany:
                return (null, false, new Problem(ProblemCodes.Conflict,
                    $"The workspace has {DefinitionStore.MaxDefinitions} definitions of this kind, which is the limit: delete one first."));
            case DefinitionWrite.Created or DefinitionWrite.Changed:
                changes.Announce(workspaceId);
                break;
            default:
                break;
        }
        return (DefinitionView.Of(definition!), result == DefinitionWrite.Created, null);
    }

    private static Problem Renamed(string code) => Problem.Field(ProblemCodes.InvalidValue, "/code",
        $"/code: a code stays as it is (\"{code}\"), because stored scores name it: leave it out, or create another definition.");
}
