using SignalHub.Storage;

namespace SignalHub.Signals.Intake;

/// <summary>
/// The writers. Each takes what waits, at once and without lingering when no other one is writing: under load batches form by themselves while the last
/// one commits (a linger of 1 ms cost more than half of the throughput).
/// </summary>
public sealed class IntakeLoop(IntakeQueue queue, IntakeGate gate, SignalIntake intake, Database database, TimeProvider time) : IHostedService
{
    private Task[] _writers = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _writers = [.. Enumerable.Range(0, queue.Writers).Select(_ => Task.Run(WriteAsync, CancellationToken.None))];
        return Task.CompletedTask;
    }

    /// <summary>The server has stopped accepting by now; what was accepted is written before the process leaves.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Complete();
        return Task.WhenAll(_writers).WaitAsync(cancellationToken);
    }

    private async Task WriteAsync()
    {
        var batch = new IntakeBatch(queue);
        await using var connection = new KeptConnection(database, time);
        while (await queue.TakeAsync(batch))
        {
            var begun = gate.Begin();
            IntakeMetrics.CountBatch(batch.Items.Count);
            IntakeSpan.TakenIn(batch.Items);
            await intake.RunAsync(batch, connection);
            gate.Wrote(batch.Items.Count, begun);
        }
    }
}
