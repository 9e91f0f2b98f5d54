namespace SignalHub.Workspaces;

/// <summary>
/// Tells the other nodes what this one did, and agrees on what it may admit next: reads the ledgers, lets the shares decide, writes
/// them unless another node was first; then again. Holds no lock between: a node that stands still keeps nobody waiting.
/// </summary>
public sealed class LedgerExchange(UsageLedgerStore store, TimeProvider time)
{
    /// <summary>The process's own clock, which only runs forward.</summary>
    internal TimeSpan Uptime => time.GetElapsedTime(0, time.GetTimestamp());

    /// <summary>More than any version the ledger had before, and not one that follows another: only where there is none it can be written.</summary>
    internal static long FirstVersion(DateTimeOffset now) => now.ToUnixTimeMilliseconds() << 20;

    /// <summary>Until each of the shares is settled and nobody waits for it. Answers what the shares failed with; null: all went well.</summary>
    /// <param name="shares">Whose exchange the caller has begun.</param>
    /// <param name="isLeaving">Hands back everything they hold.</param>
    internal async Task<Exception?> RunAsync(IReadOnlyList<(Guid WorkspaceId, WorkspaceShare Share)> shares, bool isLeaving)
    {
        var open = shares;
        var unreadable = new Dictionary<Guid, Exception>();
        try
        {
            while (open.Count > 0)
            {
                open = await RoundAsync(open, isLeaving, unreadable);
            }
            return unreadable.Values.FirstOrDefault();
        }
        catch (Exception e)
        {
            foreach (var (_, share) in open)
            {
                share.Fail(e);
            }
            return e;
        }
    }

    /// <summary>One attempt; answers those that need another.</summary>
    /// <param name="unreadable">Gets the workspaces whose ledgers cannot be read, and why: they keep no other from its own.</param>
    private async Task<IReadOnlyList<(Guid WorkspaceId, WorkspaceShare Share)>> RoundAsync(
        IReadOnlyList<(Guid WorkspaceId, WorkspaceShare Share)> shares, bool isLeaving, Dictionary<Guid, Exception> unreadable)
    {
        var askedAt = Uptime;
        var page = await store.ReadAsync([.. shares.Select(s => s.WorkspaceId)],
            [.. shares.Where(s => s.Share.NeedsStored).Select(s => s.WorkspaceId)]);
        var proposed = new List<(Guid WorkspaceId, long Version, byte[] Ledger)>();
        foreach (var (workspaceId, share) in shares)
        {
            var isRead = page.Ledgers.TryGetValue(workspaceId, out var read);
            var version = isRead ? read.Version + 1 : FirstVersion(page.Now);
            try
            {
                if (share.Propose(isRead ? UsageLedger.Read(read.Ledger, share.TakeSpare()) : null, page.Stored.GetValueOrDefault(workspaceId), page.Now, askedAt, isLeaving)
                    is { } ledger)
                {
                    proposed.Add((workspaceId, version, ledger.ToBytes()));
                }
            }
            catch (InvalidDataException e)
            {
                share.Fail(e);
                unreadable.Add(workspaceId, e);
            }
        }
        var written = proposed.Count == 0 ? [] : await store.WriteAsync(proposed, page.Now);
        var ids = proposed.Select(p => p.WorkspaceId).ToHashSet();
        return [.. shares.Where(s => ids.Contains(s.WorkspaceId) ? s.Share.Settle(written.Contains(s.WorkspaceId), Uptime) : !unreadable.ContainsKey(s.WorkspaceId))];
    }
}
