using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Operations.Replay;

/// <summary>The route that starts a replay; the job's own routes are in <see cref="JobsApi"/>.</summary>
internal static class ReplayApi
{
    /// <summary>Sends an endpoint past events again, or for the first time, under the same ids.</summary>
    /// <remarks>
    /// Starts a job (202): see its progress at `GET /jobs/{id}`, end it with `POST /jobs/{id}/cancel`. What it has put into the queue by
    /// then is delivered. There is no limit on how many events; `max_per_second` is the pace at which they enter the queue, so that
    /// what happens now is not held up. Deliveries that are pending are left alone. With `dry_run` nothing is done (200): the answer
    /// is the number of deliveries.
    ///
    /// Event and delivery ids stay what they were, so a receiver that drops what it has seen can be sent a whole range.
    /// </remarks>
    /// <param name="id">`ep_…`</param>
    internal static async Task<Results<Accepted<JobView>, Ok<ReplayCountView>, Problem>> StartReplay(
        Caller caller, string id, OptionalBody<ReplayBody> body, EndpointStore endpoints, Replays replays, SignalTypeKey typeKey, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Endpoint, id, out var endpointId)
            || await endpoints.FindAsync(caller.WorkspaceId, endpointId, cancellationToken) is not { } endpoint)
        {
            return Problem.NotFound($"The webhook endpoint {id}");
        }
        var (request, problem) = ReplayRequest.Of(body.Value, typeKey, time.GetUtcNow());
        if (problem is not null)
        {
            return problem;
        }
        if (body.Value.DryRun == true)
        {
            return TypedResults.Ok(await replays.CountAsync(caller.WorkspaceId, endpoint, request!, cancellationToken));
        }
        if (!endpoint.Enabled)
        {
            return new Problem(ProblemCodes.EndpointDisabled, "The endpoint is disabled: enable it first.");
        }
        var job = JobView.Of(await replays.StartAsync(caller.WorkspaceId, endpoint, request!, cancellationToken));
        return TypedResults.Accepted($"/jobs/{job.Id}", job);
    }
}
