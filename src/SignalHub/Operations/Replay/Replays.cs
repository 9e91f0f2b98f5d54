using System.Text.Json;
using SignalHub.Http;
using SignalHub.Jobs;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;
using Endpoint = SignalHub.Webhooks.Endpoint;

namespace SignalHub.Operations.Replay;

/// <summary>
/// Sends an endpoint what it had, failed to take or missed, under the same ids: a job in turns of about a second's worth, so that
/// it has a pace, can be cancelled between any two, and goes on after a crash where its last transaction ended.
/// </summary>
internal sealed class Replays(
    JobStore jobs, JobSignal signal, ReplayStore store, StoredSignalStore signals, MissingDeliveries missing, EndpointStore endpoints,
    MonthlyPartitions partitions, DeliverySignal dispatcher)
{
    public const string Kind = "replay";

    // Each may have a context of 256 KB.
    private const int SignalsPerTurn = 200;

    // Heads only.
    private const int SignalsPerCount = 1_000;

    /// <summary>How many deliveries the replay would put into the queue.</summary>
    public async Task<ReplayCountView> CountAsync(Guid workspaceId, StoredEndpoint endpoint, ReplayRequest request, CancellationToken cancellationToken)
    {
        var counts = await store.CountEndedAsync(workspaceId, endpoint.Id, request, cancellationToken);
        if (request.IncludesMissing)
        {
            counts[ReplayStatus.Missing] = await CountMissingAsync(workspaceId, RoutingOf(endpoint), request, cancellationToken);
        }
        return new ReplayCountView(true, Ids.Text(Ids.Endpoint, endpoint.Id), counts.Values.Sum(), counts);
    }

    /// <summary>Makes the job. Its total is what there is to look at: ended deliveries, and signals if missing ones are asked for.</summary>
    public async Task<Job> StartAsync(Guid workspaceId, StoredEndpoint endpoint, ReplayRequest request, CancellationToken cancellationToken)
    {
        var total = (await store.CountEndedAsync(workspaceId, endpoint.Id, request, cancellationToken)).Values.Sum();
        if (request.IncludesMissing)
        {
            total += await signals.CountAsync(workspaceId, request.Signals, cancellationToken);
        }
        var job = await jobs.CreateAsync(workspaceId, Kind, endpoint.Id, request.ToJson(), total, cancellationToken);
        signal.Wake();
        return job;
    }

    /// <summary>One turn.</summary>
    public async Task RunAsync(Job job, CancellationToken cancellationToken)
    {
        var request = job.Parameters.Deserialize<ReplayRequest>(Json.Options)!;
        var position = ReplayPosition.Of(job.Position, request);
        var endpoint = await endpoints.FindAsync(job.WorkspaceId, job.SubjectId!.Value, cancellationToken);
        if (endpoint is not { Enabled: true })
        {
            // What it would queue would only be skipped again.
            await store.EndAsync(job, new JobTurn(position.ToJson(), 0, 0, TimeSpan.Zero, JobStates.Failed,
                endpoint is null ? "The endpoint was deleted." : "The endpoint was disabled: enable it and replay again."), cancellationToken);
            return;
        }
        if (position.Missing)
        {
            await TakeMissingAsync(job, RoutingOf(endpoint), request, position, cancellationToken);
        }
        else
        {
            await TakeEndedAsync(job, request, position, cancellationToken);
        }
        dispatcher.Wake();
    }

    private Task<bool> TakeEndedAsync(Job job, ReplayRequest request, ReplayPosition position, CancellationToken cancellationToken)
    {
        var batch = request.MaxPerSecond;
        return store.MoveEndedAsync(job, job.SubjectId!.Value, request, position, batch, (moved, last) =>
        {
            var pause = Pause(moved, request);
            return moved == batch ? new JobTurn(last.ToJson(), moved, moved, pause)
                : request.IncludesMissing ? new JobTurn(new ReplayPosition(true, DateTimeOffset.UnixEpoch, Guid.Empty).ToJson(), moved, moved, pause)
                : new JobTurn(last.ToJson(), moved, moved, TimeSpan.Zero, JobStates.Succeeded);
        }, cancellationToken);
    }

    private async Task TakeMissingAsync(Job job, Endpoint endpoint, ReplayRequest request, ReplayPosition position, CancellationToken cancellationToken)
    {
        var rows = Math.Min(SignalsPerTurn, request.MaxPerSecond);
        var page = await signals.PageAsync(job.WorkspaceId, request.Signals, (position.At, position.Id), rows, cancellationToken);
        var found = await missing.FindAsync(job.WorkspaceId, endpoint, page, withBodies: true, cancellationToken);
        await partitions.EnsureAsync("webhook_events", found.Select(m => Ids.InstantOf(m.EventId)), cancellationToken);
        await store.AddMissingAsync(job, endpoint.Id, found, added => page.Count == rows
            ? new JobTurn((position with { At = page[^1].ReceivedAt, Id = page[^1].Id }).ToJson(), page.Count, added, Pause(added, request))
            : new JobTurn(position.ToJson(), page.Count, added, TimeSpan.Zero, JobStates.Succeeded), cancellationToken);
    }

    private async Task<long> CountMissingAsync(Guid workspaceId, Endpoint endpoint, ReplayRequest request, CancellationToken cancellationToken)
    {
        var count = 0L;
        var after = (At: DateTimeOffset.UnixEpoch, Id: Guid.Empty);
        while (true)
        {
            var page = await signals.PageAsync(workspaceId, request.Signals, after, SignalsPerCount, cancellationToken);
            count += (await missing.FindAsync(workspaceId, endpoint, page, withBodies: false, cancellationToken)).Count;
            if (page.Count < SignalsPerCount)
            {
                return count;
            }
            after = (page[^1].ReceivedAt, page[^1].Id);
        }
    }

    private static TimeSpan Pause(int queued, ReplayRequest request) => TimeSpan.FromSeconds((double)queued / request.MaxPerSecond);

    private static Endpoint RoutingOf(StoredEndpoint endpoint) => Endpoint.Of(endpoint.Id, endpoint.Enabled, endpoint.Ordered, endpoint.Events, endpoint.Filter);
}
