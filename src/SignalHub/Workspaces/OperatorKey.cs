namespace SignalHub.Workspaces;

/// <summary>The operator's key. It is known only after the start step has read or made it, so it is asked for at its first use.</summary>
public sealed class OperatorKey(Func<string> read)
{
    private readonly Lazy<KeyHash> _hash = new(() => KeyHash.Of(read()));

    public bool Is(KeyHash presented) => _hash.Value == presented;
}
