using SignalHub.Leads.Identity;

namespace SignalHub.Signals.Intake;

/// <summary>What a writer remembers from batch to batch, so that most batches read nothing before they write.</summary>
public sealed class WriterMemory(int people)
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
    public bool IsTrusted()
    {
        if (_distrusted == 0)
        {
            return true;
        }
        _distrusted--;
        return false;
    }

    /// <summary>A batch that relied on it was stored, or met somebody who had written the same rows.</summary>
    public void Proved(bool right)
    {
        _distrusted = right ? 0 : _distrust;
        _distrust = right ? 1 : Math.Min(MostDistrusted, 2 * _distrust);
    }

    /// <summary>Takes what is known of the items into the world; answers the items of which not everything is known.</summary>
    public List<IntakeItem> Take(IReadOnlyList<IntakeItem> items, IdentityWorld world)
    {
        var unknown = new List<IntakeItem>();
        foreach (var item in items)
        {
            if (!Identities.TryTake(item.WorkspaceId, item.Identity, world))
            {
                unknown.Add(item);
            }
        }
        return unknown;
    }

    /// <summary>A batch was planned, with so many duplicates of what is stored.</summary>
    public void Met(int duplicates) => _watching = duplicates > 0 ? WatchedBatches : Math.Max(0, _watching - 1);
}
