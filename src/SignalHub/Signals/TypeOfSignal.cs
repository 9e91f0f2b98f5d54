using SignalHub.Http;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Signals;

/// <summary>Finds the type of a signal, and makes it where the sender's dialect needs no declaration.</summary>
public sealed class TypeOfSignal(WorkspaceSnapshots<SignalTypeSet> types, AutoTypes auto, SignalHubOptions options)
{
    private const int NearMatches = 3;
    private const int MostShown = 100;
    private const string Pointer = "/signal_type";

    /// <summary>The type, or why there can be none; neither: <see cref="DeclareAsync"/> makes it once everything else is known to be fine.</summary>
    public async ValueTask<(SignalType? Type, Problem? Problem)> FindAsync(Guid workspaceId, SignalRequest request)
    {
        var sent = request.SignalType!;
        var set = await types.GetAsync(workspaceId);
        var type = set.Find(sent);
        if (request.IsFreeForm ? type is { Enabled: false } : type is not { Enabled: true })
        {
            // Another node may have declared or enabled it a moment ago.
            set = await types.ReloadAsync(workspaceId);
            type = set.Find(sent);
        }
        if (type is not null)
        {
            return type.Enabled ? (type, null) : (null, Disabled(type.Key));
        }
        return !request.IsFreeForm ? (null, Unknown(sent, set))
            : TypeKey.Normalise(sent) is null ? (null, Nameless())
            : (null, null);
    }

    /// <param name="isPretence">The type is made up for this signal and not stored.</param>
    public async Task<(SignalType? Type, Problem? Problem)> DeclareAsync(Guid workspaceId, string sent, WorkspaceSettings settings, bool isPretence)
    {
        var key = TypeKey.Normalise(sent)!;
        var autoqualify = settings.AutoTypesAutoqualify != false;
        // The declaration outlives the caller, who may hang up: others wait for the same row.
        var type = isPretence
            ? await auto.PretendAsync(workspaceId, key, sent, autoqualify, CancellationToken.None)
            : await auto.DeclareAsync(workspaceId, key, sent, autoqualify, CancellationToken.None);
        return type is null ? (null, TooMany()) : type.Enabled ? (type, null) : (null, Disabled(type.Key));
    }

    private static Problem Unknown(string sent, SignalTypeSet set)
    {
        var near = set.Nearest(sent, NearMatches);
        var hint = near.Count == 0 ? "" : $" Close to it: {string.Join(", ", near)}.";
        return Problem.Field(ProblemCodes.UnknownSignalType, Pointer,
            $"{Pointer}: \"{Shorten(sent)}\" is not a signal type of this workspace: declare it with POST /signal-types, or use a known one.{hint}");
    }

    private static Problem Disabled(string key) => Problem.Field(ProblemCodes.SignalTypeDisabled, Pointer,
        $"{Pointer}: {key} is disabled: enable it with PATCH /signal-types/{key}.");

    private static Problem Nameless() => Problem.Field(ProblemCodes.InvalidValue, Pointer,
        $"{Pointer} needs a letter or digit, and at most {TypeKey.MaxLength} characters: signals are found by it.");

    private Problem TooMany() => Problem.Field(ProblemCodes.TooManySignalTypes, Pointer,
        $"{Pointer} is new, and this workspace has the most types that signals may declare ({options.SignalTypes.MaxAuto:N0}): put what differs "
        + "from signal to signal into properties, delete types that are not used, or declare this one with POST /signal-types.");

    private static string Shorten(string text) => text.Length <= MostShown ? text : text[..MostShown] + "…";
}
