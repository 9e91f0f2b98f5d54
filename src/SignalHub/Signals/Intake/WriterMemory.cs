using SignalHub.Leads.Identity;

namespace SignalHub.Signals.Intake;

/// <summary>What a writer remembers from batch to batch, so that most batches read nothing before they write.</summary>
public sealed class WriterMemory(int people)
{
    // A client that retries sends duplicates for a while. Looking for them costs a tenth of a batch; meeting one unprepared, a whole one.
    private const int WatchedBatches = 100;

    private int _watching = WatchedBatches;     // a restart is when clients retry

    public KnownIdentities Identities { get; } = new(people);

    /// <summary>Whether duplicates are looked for before the batch is written.</summary>
    public bool ExpectsDuplicates => _watching > 0;

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
