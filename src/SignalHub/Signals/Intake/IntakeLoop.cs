using SignalHub.Storage;

namespace SignalHub.Signals.Intake;

/// <summary>
/// The writers. Each takes what waits, at once and without lingering: under load batches form by themselves while the last one
/// commits (a linger of 1 ms cost more than half of the throughput).
/// </summary>
public sealed class IntakeLoop(IntakeQueue queue, IntakeGate gate, SignalIntake intake, Database database, TimeProvider time) : IHostedService
{
    /// <summary>Rows a transaction takes: beyond it the time per row no longer falls and the first one waits longer.</summary>
    public const int MaxBatch = 200;

    /// <summary>Bytes a transaction takes.</summary>
    public const int MaxBatchBytes = 1024 * 1024;

    /// <summary>People and companies that all writers together remember: some 20 MB.</summary>
    public const int Remembered = 20_000;

    private Task[] _writers = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _writers = [.. Enumerable.Range(0, queue.Writers).Select(writer => Task.Run(() => WriteAsync(writer), CancellationToken.None))];
        return Task.CompletedTask;
    }

    /// <summary>The server has stopped accepting by now; what was accepted is written before the process leaves.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Complete();
        return Task.WhenAll(_writers).WaitAsync(cancellationToken);
    }

    private async Task WriteAsync(int writer)
    {
        var batch = new List<IntakeItem>(MaxBatch);
        var memory = new WriterMemory(Remembered / queue.Writers);
        await using var connection = new KeptConnection(database, time);
        while (await queue.WaitAsync(writer))
        {
            var begun = gate.Begin();
            var bytes = 0;
            while (batch.Count < MaxBatch && bytes < MaxBatchBytes && queue.TryTake(writer, out var item))
            {
                batch.Add(item);
                bytes += item.Size;
            }
            IntakeMetrics.CountBatch(batch.Count);
            IntakeSpan.TakenIn(batch);
            await intake.RunAsync(batch, memory, connection);
            gate.Wrote(batch.Count, begun);
            batch.Clear();
        }
    }
}
