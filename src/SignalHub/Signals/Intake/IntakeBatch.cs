namespace SignalHub.Signals.Intake;

/// <summary>What one writer has taken: signals, and the lines that they waited in. Used again for the next ones.</summary>
/// <param name="queue">Where they waited.</param>
public sealed class IntakeBatch(IntakeQueue queue)
{
    /// <summary>Rows a transaction takes: beyond it the time per row no longer falls and the first one waits longer.</summary>
    public const int MaxItems = 200;

    /// <summary>Bytes a transaction takes.</summary>
    public const int MaxBytes = 1024 * 1024;

    private TaskCompletionSource<bool>? _sleep;
    private int _bytes;

    public List<IntakeItem> Items { get; } = new(MaxItems);

    public List<IntakeLine> Lines { get; } = [];

    /// <summary>What is remembered of those whom the signals are about.</summary>
    public BatchMemory Memory => new(Lines);

    internal bool HasRoom => Items.Count < MaxItems && _bytes < MaxBytes;

    /// <summary>Others wait with little until it is done.</summary>
    internal bool IsWaitedFor { get; set; }

    /// <summary>It failed and is tried again: only what is of its first line, beside whatever else comes.</summary>
    public void Part() => queue.Part(this);

    /// <summary>As much as there is room for; the line is the batch's, until it is cleared.</summary>
    internal (int Items, long Bytes) Take(IntakeLine line)
    {
        var (items, bytes) = (Items.Count, _bytes);
        line.IsTaken = true;
        Lines.Add(line);
        while (line.Count > 0 && HasRoom)
        {
            var item = line.Take();
            Items.Add(item);
            _bytes += item.Size;
        }
        return (Items.Count - items, _bytes - bytes);
    }

    internal void KeepFirstLine()
    {
        Lines.RemoveRange(1, Lines.Count - 1);
        Items.RemoveAll(item => item.Line != Lines[0]);
    }

    internal void Clear()
    {
        foreach (var line in Lines)
        {
            line.IsTaken = false;
        }
        Lines.Clear();
        Items.Clear();
        _bytes = 0;
    }

    /// <summary>Until <see cref="Wake"/>.</summary>
    internal Task<bool> SleepAsync()
    {
        _sleep = new TaskCompletionSource<bool>();
        return _sleep.Task;
    }

    /// <summary>Its writer goes on in this thread.</summary>
    internal void Wake(bool hasItems) => _sleep!.SetResult(hasItems);
}
