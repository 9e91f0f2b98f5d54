using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Jobs;
using SignalHub.Operations.Replay;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Operations;

/// <summary>Work that takes longer than a request, as shown.</summary>
/// <param name="Id"><c>job_…</c></param>
/// <param name="Kind"><c>replay</c></param>
/// <param name="State"><c>queued</c>, <c>running</c>, <c>succeeded</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="EndpointId">What a replay is for.</param>
/// <param name="Parameters">What was asked for, defaults written out.</param>
/// <param name="Error">Why it failed.</param>
public sealed record JobView(
    string Id, string Kind, string State, string? EndpointId, JsonElement Parameters, JobProgressView Progress, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, DateTimeOffset UpdatedAt)
{
    internal static JobView Of(Job job) => new(
        Ids.Text(Ids.Job, job.Id), job.Kind, job.State, job.Kind == Replays.Kind ? Ids.Text(Ids.Endpoint, job.SubjectId) : null, job.Parameters,
        new JobProgressView(job.Total, job.Done, job.Affected), job.Error, job.CreatedAt, job.StartedAt, job.EndedAt, job.UpdatedAt);
}

/// <summary>How far a job is.</summary>
/// <param name="Total">Rows to look at, counted when the job was made.</param>
/// <param name="Done">Rows looked at.</param>
/// <param name="Affected">Of these, those that changed something: of a replay, the deliveries put into the queue.</param>
public sealed record JobProgressView(long Total, long Done, long Affected);

/// <summary>Routes of jobs, whatever their kind.</summary>
internal static class JobsApi
{
    /// <summary>Lists jobs, newest first.</summary>
    /// <param name="endpointId">Only jobs about that endpoint (`ep_…`).</param>
    internal static async Task<Results<Ok<Page<JobView>>, Problem>> ListJobs(
        HttpContext context, Caller caller, PageRequest page, QueryText endpointId, JobStore jobs, CancellationToken cancellationToken)
    {
        Guid? endpoint = null;
        if (endpointId.Value is { } text)
        {
            if (!Ids.TryParse(Ids.Endpoint, text, out var parsed))
            {
                return new Problem(ProblemCodes.InvalidQuery, "endpoint_id must be an id that begins with ep_.");
            }
            endpoint = parsed;
        }
        var rows = await jobs.ListAsync(caller.WorkspaceId, endpoint, page, cancellationToken);
        return TypedResults.Ok(page.ToPage(context, [.. rows.Select(job => new Listed<JobView>(JobView.Of(job), job.CreatedAt, job.Id))]));
    }

    /// <summary>Shows a job and how far it is.</summary>
    /// <param name="id">`job_…`</param>
    internal static async Task<Results<Ok<JobView>, Problem>> GetJob(Caller caller, string id, JobStore jobs, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Job, id, out var jobId) && await jobs.FindAsync(caller.WorkspaceId, jobId, cancellationToken) is { } job
            ? TypedResults.Ok(JobView.Of(job))
            : NotFound(id);

    /// <summary>Ends a job. What it has done by then stays done.</summary>
    /// <remarks>Cancelling a cancelled job again is answered in the same way; one that has succeeded or failed is a 409.</remarks>
    /// <param name="id">`job_…`</param>
    internal static async Task<Results<Ok<JobView>, Problem>> CancelJob(Caller caller, string id, JobStore jobs, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Job, id, out var jobId))
        {
            return NotFound(id);
        }
        if (await jobs.CancelAsync(caller.WorkspaceId, jobId, cancellationToken) is { } cancelled)
        {
            return TypedResults.Ok(JobView.Of(cancelled));
        }
        return await jobs.FindAsync(caller.WorkspaceId, jobId, cancellationToken) switch
        {
            null => NotFound(id),
            { State: JobStates.Cancelled } already => TypedResults.Ok(JobView.Of(already)),
            { State: var state } => new Problem(ProblemCodes.Conflict, $"The job has ended already: it {state}."),
        };
    }

    private static Problem NotFound(string id) => Problem.NotFound($"The job {id}");
}
