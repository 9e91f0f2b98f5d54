using SignalHub.Leads.Identity;

namespace SignalHub.Signals.Intake;

/// <summary>What is remembered of a line's people from batch to batch, so that most batches read nothing before they write.</summary>
public sealed class LineMemory(int people)
{
    // A client that retries sends duplicates for a while. Looking for them costs a tenth of a batch; meeting one unprepared, a whole one.
    private const int WatchedBatches = 100;

    // While another node writes the same people, every try that relies on memory is in vain and has to be made again.
    private const int MostDistrusted = 64;

    private int _watching = WatchedBatches;     // a restart is when clients retry
    private int _distrusted;
    private int _distrust = 1;

    public KnownIdentities Identities { get; } = new(people);

    /// <summary>Whether duplicates are looked for before the batch is written.</summary>
    public bool ExpectsDuplicates => _watching > 0;

    /// <summary>
    /// Whether the next batch relies on what is remembered. After a batch that did so in vain the next one reads and locks first, after
    /// a second one in a row the next two, and so on up to 64.
    /// </summary>
    public bool IsTrusted => _distrusted == 0;

    /// <summary>A batch did without it.</summary>
    public void Rest() => _distrusted = Math.Max(0, _distrusted - 1);

    /// <summary>A batch that relied on it was stored, or met somebody who had written the same rows.</summary>
    public void Proved(bool right)
    {
        _distrusted = right ? 0 : _distrust;
        _distrust = right ? 1 : Math.Min(MostDistrusted, 2 * _distrust);
    }

    /// <summary>A batch was planned, with so many duplicates of what is stored.</summary>
    public void Met(int duplicates) => _watching = duplicates > 0 ? WatchedBatches : Math.Max(0, _watching - 1);
}
