using System.Data.Common;

namespace SignalHub.Jobs;

/// <summary>What one look at the jobs did.</summary>
/// <param name="Turns">Turns that were done, whatever came of them.</param>
/// <param name="Failed">Of these, those that ended in an error.</param>
public readonly record struct JobCounts(int Turns, int Failed);

/// <summary>Does turns of the jobs that are due. Several nodes share the work; a turn of a dead one is done again by another.</summary>
public sealed class JobRunner(JobStore store, IEnumerable<JobKind> kinds, ILogger<JobRunner> log)
{
    /// <summary>How long a turn belongs to its claimer. Turns take less than a second; a crash is noticed after this.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    // Mostly the database being away for a moment: five tries over one and a half minutes.
    private const int MaxFailures = 5;

    private static readonly TimeSpan _pauseAfterFailure = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, JobKind> _kinds = kinds.ToDictionary(k => k.Name, StringComparer.Ordinal);

    /// <summary>Does turns until none is due.</summary>
    public async Task<JobCounts> RunOnceAsync(CancellationToken cancellationToken)
    {
        var counts = default(JobCounts);
        while (await store.ClaimAsync(_kinds.Keys, Lease, cancellationToken) is { } job)
        {
            var failed = !await TakeTurnAsync(job, cancellationToken);
            counts = new JobCounts(counts.Turns + 1, counts.Failed + (failed ? 1 : 0));
        }
        return counts;
    }

    private async Task<bool> TakeTurnAsync(Job job, CancellationToken cancellationToken)
    {
        try
        {
            await _kinds[job.Kind].RunAsync(job, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.Log(e is DbException ? LogLevel.Warning : LogLevel.Error, e, "A turn of job {Kind} {Job} failed", job.Kind, job.Id);
            await store.FailTurnAsync(job, "Something went wrong here, several times in a row: see the server's log.", MaxFailures, _pauseAfterFailure, cancellationToken);
            return false;
        }
    }
}
