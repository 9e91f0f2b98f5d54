using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.SignalTypes;

/// <summary>Declaring and changing types: check, store, tell the caches.</summary>
public sealed class SignalTypeEditor(SignalTypeStore store, WorkspaceChanges changes, TimeProvider clock)
{
    /// <summary>Catalogue and declared types as shown: declared ones by key, then built-in ones in the catalogue's order.</summary>
    public async Task<IReadOnlyList<SignalTypeView>> ListAsync(Guid workspaceId, CancellationToken cancellationToken)
    {
        var rows = await store.AllAsync(workspaceId, cancellationToken);
        var changed = rows.Where(r => r.Origin == SignalTypeOrigin.BuiltIn).ToDictionary(r => r.Key, StringComparer.Ordinal);
        return
        [
            .. rows.Where(r => r.Origin != SignalTypeOrigin.BuiltIn).Select(SignalTypeView.Of),
            .. Catalogue.All.Select(t => changed.TryGetValue(t.Key, out var row) ? SignalTypeView.Of(row) : SignalTypeView.Of(t)),
        ];
    }

    /// <summary>By key, or by a built-in type's alias.</summary>
    public async Task<(SignalTypeView? View, Problem? Problem)> FindAsync(Guid workspaceId, string sent, CancellationToken cancellationToken)
    {
        var (key, builtIn) = Resolve(sent);
        if (key is not null && await store.FindAsync(workspaceId, key, cancellationToken) is { } row)
        {
            return (SignalTypeView.Of(row), null);
        }
        return builtIn is not null ? (SignalTypeView.Of(builtIn), null) : (null, NotFound(sent));
    }

    public async Task<(SignalTypeView? View, Problem? Problem)> CreateAsync(Guid workspaceId, SignalTypeBody body, CancellationToken cancellationToken)
    {
        var completed = body.Complete();
        if (SignalTypeValidator.Check(completed) is { } invalid)
        {
            return (null, invalid);
        }
        var (key, builtIn) = Resolve(completed.Name!);
        if (builtIn is not null)
        {
            return (null, new Problem(ProblemCodes.AlreadyExists,
                $"\"{builtIn.Key}\" is a built-in type: change it with PUT or PATCH /signal-types/{builtIn.Key}, or use another name."));
        }
        var (stored, _) = await store.WriteAsync(workspaceId, ToStored(key!, completed, SignalTypeOrigin.Custom), mayReplace: false, cancellationToken);
        if (stored is null)
        {
            return (null, new Problem(ProblemCodes.AlreadyExists,
                $"The type \"{key}\" exists already: change it with PUT or PATCH /signal-types/{key}, or use another name."));
        }
        changes.Announce(workspaceId);
        return (SignalTypeView.Of(stored), null);
    }

    /// <summary>The type of that key says what the body says; a built-in type keeps its name where the body has none.</summary>
    public async Task<(SignalTypeView? View, bool Created, Problem? Problem)> PutAsync(
        Guid workspaceId, string sent, SignalTypeBody body, CancellationToken cancellationToken)
    {
        var (key, builtIn) = Resolve(sent);
        if (key is null)
        {
            return (null, false, new Problem(ProblemCodes.InvalidValue,
                $"\"{sent}\" cannot be a type's key: a key needs a letter or digit and has at most {TypeKey.MaxLength} characters."));
        }
        var existing = await store.FindAsync(workspaceId, key, cancellationToken);
        return await ReplaceAsync(workspaceId, key, builtIn, existing, body.Complete(builtIn?.Name), cancellationToken);
    }

    public async Task<(SignalTypeView? View, Problem? Problem)> PatchAsync(Guid workspaceId, string sent, Patch patch, CancellationToken cancellationToken)
    {
        var (key, builtIn) = Resolve(sent);
        var existing = key is null ? null : await store.FindAsync(workspaceId, key, cancellationToken);
        if (existing is null && builtIn is null)
        {
            return (null, NotFound(sent));
        }
        var current = existing is null
            ? new SignalTypeBody { Name = builtIn!.Name, Description = builtIn.Description }
            : new SignalTypeBody
            {
                Name = existing.Name,
                Description = existing.Description,
                Autoqualify = existing.Autoqualify,
                Enabled = existing.Enabled,
                SubRules = existing.SubRules,
            };
        var (patched, problem) = patch.ApplyTo(current);
        if (problem is not null)
        {
            return (null, problem);
        }
        var (view, _, refused) = await ReplaceAsync(workspaceId, key!, builtIn, existing, patched!.Complete(builtIn?.Name), cancellationToken);
        return (view, refused);
    }

    public async Task<Problem?> DeleteAsync(Guid workspaceId, string sent, CancellationToken cancellationToken)
    {
        var (key, builtIn) = Resolve(sent);
        // Going back to the catalogue's settings takes no type away, so signals do not stand in the way of it.
        var result = key is null ? SignalTypeDelete.NotFound : await store.DeleteAsync(workspaceId, key, evenInUse: builtIn is not null, cancellationToken);
        switch (result)
        {
            case SignalTypeDelete.InUse:
                return new Problem(ProblemCodes.InUse,
                    $"There are signals of the type \"{key}\": it cannot be deleted. Disable it with PATCH {{\"enabled\":false}} to refuse new ones.");
            case SignalTypeDelete.NotFound when builtIn is not null:
                return new Problem(ProblemCodes.Conflict,
                    $"\"{builtIn.Key}\" is a built-in type and cannot be deleted: disable it with PATCH {{\"enabled\":false}}.");
            case SignalTypeDelete.NotFound:
                return NotFound(sent);
            default:
                changes.Announce(workspaceId);
                return null;
        }
    }

    private async Task<(SignalTypeView?, bool, Problem?)> ReplaceAsync(
        Guid workspaceId, string key, BuiltInType? builtIn, StoredSignalType? existing, SignalTypeBody completed, CancellationToken cancellationToken)
    {
        if (SignalTypeValidator.Check(completed) is { } invalid)
        {
            return (null, false, invalid);
        }
        var type = ToStored(key, completed, builtIn is null ? SignalTypeOrigin.Custom : SignalTypeOrigin.BuiltIn);
        if (existing is not null && SaysTheSame(existing, type))
        {
            return (SignalTypeView.Of(existing), false, null);
        }
        var (stored, created) = await store.WriteAsync(workspaceId, type, mayReplace: true, cancellationToken);
        changes.Announce(workspaceId);
        return (SignalTypeView.Of(stored!), created && builtIn is null, null);
    }

    private StoredSignalType ToStored(string key, SignalTypeBody body, string origin)
    {
        var now = Timestamps.Truncate(clock.GetUtcNow());
        return new StoredSignalType(key, body.Name!, body.Description, origin, body.Autoqualify!.Value, body.Enabled!.Value, body.SubRules!, now, now);
    }

    private static bool SaysTheSame(StoredSignalType a, StoredSignalType b) =>
        a.Name == b.Name && a.Description == b.Description && a.Autoqualify == b.Autoqualify && a.Enabled == b.Enabled
        && a.SubRules.SequenceEqual(b.SubRules);

    /// <summary>The key that a path or name means, and the built-in type of it. No key: it cannot be one.</summary>
    private static (string? Key, BuiltInType? BuiltIn) Resolve(string sent)
    {
        var key = TypeKey.Normalise(sent);
        var builtIn = key is null ? null : Catalogue.Find(key);
        return (builtIn?.Key ?? key, builtIn);
    }

    private static Problem NotFound(string sent) => Problem.NotFound($"The signal type \"{sent}\"");
}
