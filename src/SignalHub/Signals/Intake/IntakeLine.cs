namespace SignalHub.Signals.Intake;

/// <summary>Signals that wait, about people of whom one memory knows. Touched under the lock of the <see cref="IntakeQueue"/> only.</summary>
public sealed class IntakeLine(int remembered)
{
    private Queue<IntakeItem> _waiting = new();
    private long _oldestAt;

    /// <summary>Whoever has the line uses it.</summary>
    public LineMemory Memory { get; } = new(remembered);

    /// <summary>A writer has it.</summary>
    public bool IsTaken { get; set; }

    public int Count => _waiting.Count;

    /// <summary>Since when the oldest one waits; 0: none does. Read without the lock.</summary>
    public long OldestAt => Volatile.Read(ref _oldestAt);

    public void Add(IntakeItem item)
    {
        item.Line = this;
        _waiting.Enqueue(item);
        Look();
    }

    public IntakeItem Take()
    {
        var item = _waiting.Dequeue();
        Look();
        return item;
    }

    /// <summary>They are the oldest again.</summary>
    public void GiveBack(IEnumerable<IntakeItem> items)
    {
        _waiting = new Queue<IntakeItem>(items.Concat(_waiting));
        IsTaken = false;
        Look();
    }

    private void Look() => Volatile.Write(ref _oldestAt, _waiting.TryPeek(out var oldest) ? oldest.EnqueuedAt : 0);
}
