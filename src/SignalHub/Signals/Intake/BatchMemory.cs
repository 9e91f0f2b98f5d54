using SignalHub.Leads.Identity;

namespace SignalHub.Signals.Intake;

/// <summary>What is remembered of those whom a batch is about: by each of the lines that it came from, of its own people.</summary>
public sealed class BatchMemory(IReadOnlyList<IntakeLine> lines)
{
    /// <summary>Whether the signals are written relying on it.</summary>
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

    /// <summary>
    /// Takes what is known of the items into the world; answers the items of which not everything is known. Signals about a company alone come first: of
    /// several lines that know a company, theirs has written its lead last.
    /// </summary>
    public static List<IntakeItem> Take(IReadOnlyList<IntakeItem> items, IdentityWorld world)
    {
        var unknown = new List<IntakeItem>();
        foreach (var ofPeople in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var item in items)
            {
                if (item.Identity.HasPerson == ofPeople && !item.Line!.Memory.Identities.TryTake(item.WorkspaceId, item.Identity, world))
                {
                    unknown.Add(item);
                }
            }
        }
        return unknown;
    }

    /// <summary>Keeps what a committed batch worked with.</summary>
    /// <param name="world">What the batch read and wrote.</param>
    /// <param name="unknown">The items that something was read for: whom they are about is remembered by their line from now on.</param>
    /// <param name="transaction">The transaction that wrote it.</param>
    public void Remember(IdentityWorld world, IReadOnlyList<IntakeItem> unknown, uint transaction)
    {
        foreach (var item in unknown)
        {
            item.Line!.Memory.Identities.Claim(item.WorkspaceId, item.Identity, world);
        }
        foreach (var line in lines)
        {
            line.Memory.Identities.Remember(world, transaction);
        }
    }
}
