namespace SignalHub.Workspaces;

/// <summary>
/// How many events fell into the last 60 s, in slots of 100 ms. The window holds one slot more than 60 s: an event at the end of
/// its slot would else leave up to 100 ms early, and then some 60 s could hold more than the limit. Not thread-safe.
/// </summary>
internal sealed class WindowCounter
{
    public const int SlotMilliseconds = 100;
    public const int WindowSeconds = 60;

    public const int Slots = (WindowSeconds * 1000 / SlotMilliseconds) + 1;

    private readonly int[] _slots = new int[Slots];
    private int _position;
    private long _head;
    private long _newest;

    /// <summary>Events in the window.</summary>
    public int Count { get; private set; }

    /// <summary>A window with the counts of its newest slots, the last one that of the head.</summary>
    /// <param name="reused">A window that nobody needs any more; null: a new one.</param>
    public static WindowCounter Of(long head, ReadOnlySpan<int> counts, WindowCounter? reused = null)
    {
        var window = reused ?? new WindowCounter();
        Array.Clear(window._slots);
        (window._position, window._head, window._newest, window.Count) = (0, head, 0, 0);
        for (var i = 0; i < counts.Length; i++)
        {
            window.AddAt(head - counts.Length + 1 + i, counts[i]);
        }
        return window;
    }

    /// <summary>The slot of the last <see cref="MoveTo"/>.</summary>
    public long Head => _head;

    /// <summary>Events by slot, from the oldest to the head.</summary>
    /// <param name="counts">As many as there are slots.</param>
    public void CopyTo(Span<int> counts)
    {
        var oldest = (_position + 1) % Slots;
        _slots.AsSpan(oldest).CopyTo(counts);
        _slots.AsSpan(0, oldest).CopyTo(counts[(Slots - oldest)..]);
    }

    /// <summary>Events in the slots from the first up to and without the last.</summary>
    public int CountBetween(long first, long end)
    {
        var events = 0;
        for (var slot = Math.Max(first, _head - Slots + 1); slot < end && TryFind(slot, out var index); slot++)
        {
            events += _slots[index];
        }
        return events;
    }

    /// <summary>
    /// Drops what has left the window. Threads read the clock before they take their turn, so time may be a little behind: it
    /// stands then. A clock that was set back by more than the window keeps its counts and goes on from there.
    /// </summary>
    /// <returns>The slot that counts as now.</returns>
    public long MoveTo(DateTimeOffset now)
    {
        var slot = SlotOf(now);
        var steps = slot - _head;
        if (steps < 0 && steps > -Slots)
        {
            return _head;
        }
        if (steps >= Slots)
        {
            Array.Clear(_slots);
            Count = 0;
        }
        else
        {
            for (var i = 0; i < steps; i++)
            {
                _position = (_position + 1) % Slots;
                Count -= _slots[_position];
                _slots[_position] = 0;
            }
        }
        _newest = steps < 0 ? slot : _newest;
        _head = slot;
        return slot;
    }

    /// <summary>Counts events in the slot of the last <see cref="MoveTo"/>.</summary>
    public void Add(int events) => AddAt(_head, events);

    /// <summary>Counts events of an earlier slot (what another process stored); those that have left the window already are nothing.</summary>
    public void AddAt(long slot, int events)
    {
        if (events > 0 && TryFind(slot, out var index))
        {
            _slots[index] += events;
            Count += events;
            _newest = Math.Max(_newest, slot);
        }
    }

    /// <summary>
    /// Takes events back out of the slot they were counted in; what is not found there, out of the ones before it: what stays
    /// is then too young, and leaves late rather than early.
    /// </summary>
    public void Remove(long slot, int events)
    {
        for (slot = Math.Min(slot, _head); events > 0 && TryFind(slot, out var index); slot--)
        {
            var removed = Math.Min(events, _slots[index]);
            _slots[index] -= removed;
            Count -= removed;
            events -= removed;
        }
    }

    /// <summary>Milliseconds until one more event fits under the limit (at least 1); 0: it fits now.</summary>
    public long WaitForOne(int limit, DateTimeOffset now)
    {
        var tooMany = Count - limit + 1;
        for (var age = Slots - 1; age >= 0 && tooMany > 0; age--)
        {
            tooMany -= _slots[(_position - age + Slots) % Slots];
            if (tooMany <= 0)
            {
                return Math.Max(1, LeavesAt(_head - age) - now.ToUnixTimeMilliseconds());
            }
        }
        return 0;
    }

    /// <summary>Milliseconds until the window is empty, if nothing is added.</summary>
    public long WaitForAll(DateTimeOffset now) => Count == 0 ? 0 : Math.Max(1, LeavesAt(_newest) - now.ToUnixTimeMilliseconds());

    public static long SlotOf(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds() / SlotMilliseconds;

    private static long LeavesAt(long slot) => (slot + Slots) * SlotMilliseconds;

    private bool TryFind(long slot, out int index)
    {
        var age = _head - slot;
        index = age is >= 0 and < Slots ? (int)((_position - age + Slots) % Slots) : -1;
        return index >= 0;
    }
}
