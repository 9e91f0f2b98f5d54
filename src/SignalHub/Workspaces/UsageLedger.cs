namespace SignalHub.Workspaces;

/// <summary>Events that a node may admit without asking, until then; counted as used by everybody else.</summary>
/// <param name="Minute">Of the minute's quota.</param>
/// <param name="Day">Of the day's quota.</param>
/// <param name="Until">On the database's clock; the node lets go of it before.</param>
internal sealed record Hold(Guid Node, int Minute, int Day, DateTimeOffset Until);

/// <summary>
/// What all nodes know together of one workspace's usage: the events of the last 60 s, those of the UTC day, and what each node
/// holds besides. All instants are of the database's clock. Pure; not thread-safe.
/// </summary>
internal sealed class UsageLedger
{
    private const byte Format = 1;

    // Besides the slots, with the holds of some nodes.
    private const int UsualLength = 160;

    private readonly List<Hold> _holds;

    private UsageLedger(DateTimeOffset begun, WindowCounter window, DateOnly date, long today, IEnumerable<Hold> holds)
    {
        (Begun, Window, Date, Today) = (begun, window, date, today);
        _holds = [.. holds];
    }

    /// <summary>When it began with what was stored: what was counted in another one before is not counted in this.</summary>
    public DateTimeOffset Begun { get; }

    /// <summary>The last 60 s, without what is held.</summary>
    public WindowCounter Window { get; }

    public DateOnly Date { get; private set; }

    /// <summary>Events of <see cref="Date"/>, without what is held.</summary>
    public long Today { get; private set; }

    /// <summary>
    /// Begins with what is stored. A stored slot of 10 s counts as if all of it had come at its end: later than it was, so never
    /// too little.
    /// </summary>
    public static UsageLedger Of(StoredUsage stored, DateTimeOffset now)
    {
        var ledger = new UsageLedger(now, new WindowCounter(), stored.Day, stored.Today, []);
        ledger.MoveTo(now);
        foreach (var (slot, events) in stored.Slots)
        {
            ledger.AddStored(slot, events);
        }
        return ledger;
    }

    /// <summary>A ledger as <see cref="ToBytes"/> wrote it.</summary>
    /// <param name="spare">A ledger whose window nobody needs any more: 2.4 KB, for each busy workspace each second.</param>
    public static UsageLedger Read(byte[] bytes, UsageLedger? spare = null)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        if (reader.ReadByte() is not Format and var format)
        {
            throw new InvalidDataException($"A ledger of usage has the format {format}, this version reads {Format}: run the same version of SignalHub on all nodes.");
        }
        var (begun, date, today, head) = (ReadInstant(reader), DateOnly.FromDayNumber(reader.ReadInt32()), reader.ReadInt64(), reader.ReadInt64());
        Span<int> counts = stackalloc int[WindowCounter.Slots];
        counts = counts[..reader.Read7BitEncodedInt()];
        foreach (ref var count in counts)
        {
            count = reader.Read7BitEncodedInt();
        }
        var holds = new Hold[reader.Read7BitEncodedInt()];
        foreach (ref var hold in holds.AsSpan())
        {
            hold = new Hold(new Guid(reader.ReadBytes(16)), reader.ReadInt32(), reader.ReadInt32(), ReadInstant(reader));
        }
        return new UsageLedger(begun, WindowCounter.Of(head, counts, spare?.Window), date, today, holds);
    }

    /// <summary>As it is stored: some 700 bytes for a busy minute, written and read each second for each busy workspace.</summary>
    public byte[] ToBytes()
    {
        Span<int> slots = stackalloc int[WindowCounter.Slots];
        Window.CopyTo(slots);
        var counts = slots.TrimStart(0);
        using var stream = new MemoryStream(UsualLength + counts.Length);
        using var writer = new BinaryWriter(stream);
        writer.Write(Format);
        writer.Write(Begun.UtcTicks);
        writer.Write(Date.DayNumber);
        writer.Write(Today);
        writer.Write(Window.Head);
        writer.Write7BitEncodedInt(counts.Length);
        foreach (var count in counts)
        {
            writer.Write7BitEncodedInt(count);
        }
        writer.Write7BitEncodedInt(_holds.Count);
        foreach (var hold in _holds)
        {
            writer.Write(hold.Node.ToByteArray());
            writer.Write(hold.Minute);
            writer.Write(hold.Day);
            writer.Write(hold.Until.UtcTicks);
        }
        return stream.ToArray();
    }

    /// <summary>Lets time pass; answers the slot that counts as now.</summary>
    public long MoveTo(DateTimeOffset now)
    {
        var slot = Window.MoveTo(now);
        // Of the slot, not of the clock: a thread that read the clock before midnight must not bring yesterday back.
        var day = DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(slot * WindowCounter.SlotMilliseconds).UtcDateTime);
        if (day != Date)
        {
            (Date, Today) = (day, 0);
        }
        return slot;
    }

    /// <summary>Counts what a node did, or takes back what it gave back.</summary>
    /// <param name="slot">When; a slot that lies ahead counts as now.</param>
    /// <param name="events">Less than nothing: given back.</param>
    public void Count(long slot, int events)
    {
        if (events < 0)
        {
            Window.Remove(slot, -events);
        }
        Window.AddAt(Math.Min(slot, Window.Head), events);
    }

    /// <summary>The same for the day; of a day that is over: nothing. Of one that has not begun here: to this one, by some milliseconds.</summary>
    public void CountDay(DateOnly date, long events) => Today = date < Date ? Today : Math.Max(0, Today + events);

    /// <summary>Adds what is stored and was never counted here: the workspace was without limits for a while.</summary>
    public void Absorb(StoredUsage stored)
    {
        Today = stored.Day == Date ? Math.Max(Today, stored.Today) : Today;
        // Only slots that lie wholly in the window: of the others a part has left it.
        foreach (var (slot, events) in stored.Slots.Where(s => WindowCounter.SlotOf(s.Slot) > Window.Head - WindowCounter.Slots))
        {
            AddStored(slot, events - Window.CountBetween(WindowCounter.SlotOf(slot), WindowCounter.SlotOf(slot + UsageStore.SlotLength)));
        }
    }

    /// <summary>A node that let its hold run out has died, and may have used all of it up to the end.</summary>
    /// <param name="node">Tells itself what it used.</param>
    public void Expire(DateTimeOffset now, Guid? node)
    {
        foreach (var hold in _holds.FindAll(h => h.Until <= now && h.Node != node))
        {
            Count(WindowCounter.SlotOf(hold.Until), hold.Minute);
            CountDay(DateOnly.FromDateTime(hold.Until.UtcDateTime), hold.Day);
            _holds.Remove(hold);
        }
    }

    /// <summary>What the other nodes hold.</summary>
    public (long Minute, long Day) HeldByOthers(Guid node)
    {
        var (minute, day) = (0L, 0L);
        foreach (var hold in _holds)
        {
            (minute, day) = hold.Node == node ? (minute, day) : (minute + hold.Minute, day + hold.Day);
        }
        return (minute, day);
    }

    /// <summary>Replaces what the node holds.</summary>
    public void Grant(Hold hold)
    {
        _holds.RemoveAll(h => h.Node == hold.Node);
        if (hold.Minute > 0 || hold.Day > 0)
        {
            _holds.Add(hold);
        }
    }

    private void AddStored(DateTimeOffset slot, int events) =>
        Window.AddAt(Math.Min(WindowCounter.SlotOf(slot + UsageStore.SlotLength) - 1, Window.Head), events);

    private static DateTimeOffset ReadInstant(BinaryReader reader) => new(reader.ReadInt64(), TimeSpan.Zero);
}
