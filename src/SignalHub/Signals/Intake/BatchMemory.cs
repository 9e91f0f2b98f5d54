using SignalHub.Leads.Identity;

namespace SignalHub.Signals.Intake;

/// <summary>What is remembered of those whom a batch is about: by each of the lines that it came from, of its own people.</summary>
public sealed class BatchMemory(IReadOnlyList<IntakeLine> lines)
{
    /// <summary>Whether the batch relies on it; asked once for each batch.</summary>
    public bool Relies()
    {
        if (lines.All(line => line.Memory.IsTrusted))
        {
            return true;
        }
        foreach (var line in lines)
        {
            line.Memory.Rest();
        }
        return false;
    }

    /// <summary>A batch that relied on it was stored, or met somebody who had written the same rows.</summary>
    public void Proved(bool right)
    {
        foreach (var line in lines)
        {
            line.Memory.Proved(right);
        }
    }

    /// <summary>Whether duplicates are looked for before the batch is written.</summary>
    public bool ExpectsDuplicates => lines.Any(line => line.Memory.ExpectsDuplicates);

    /// <summary>The batch was planned, with so many duplicates of what is stored.</summary>
    public void Met(int duplicates)
    {
        foreach (var line in lines)
        {
            line.Memory.Met(duplicates);
        }
    }

    /// <summary>Takes what is known of the items into the world; answers the items of which not everything is known.</summary>
    public static List<IntakeItem> Take(IReadOnlyList<IntakeItem> items, IdentityWorld world)
    {
        var unknown = new List<IntakeItem>();
        foreach (var item in items)
        {
            if (!item.Line!.Memory.Identities.TryTake(item.WorkspaceId, item.Identity, world))
            {
                unknown.Add(item);
            }
        }
        return unknown;
    }

    /// <summary>Keeps what a committed batch worked with: whoever is new to it, in the line of the first signal about them.</summary>
    public void Remember(IntakePlan plan, uint transaction)
    {
        foreach (var signal in plan.Signals)
        {
            var home = signal.Item.Line!.Memory.Identities;
            if (signal.Contact is { } contact)
            {
                contact.RememberedBy ??= home;
            }
            if (signal.Account is { } account)
            {
                account.RememberedBy ??= home;
            }
        }
        foreach (var line in lines)
        {
            line.Memory.Identities.Remember(plan.World, transaction);
        }
    }
}
