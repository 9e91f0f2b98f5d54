using System.Collections.Concurrent;
using System.Diagnostics;

namespace SignalHub.Tests.Telemetry;

/// <summary>
/// Tests that listen to traces, or need that nobody does: sources belong to the process, so these run alone.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracesCollection
{
    public const string Name = "traces";
}

/// <summary>What was traced while this listened.</summary>
internal sealed class Spans : IDisposable
{
    // Far above what a loaded machine needs.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly ActivityListener _listener;

    public Spans(ActivitySamplingResult sampling = ActivitySamplingResult.AllDataAndRecorded)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "SignalHub" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => sampling,
            ActivityStopped = span =>
            {
                _ended.Enqueue(span);
                _news.Release();
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> All => [.. _ended];

    public IReadOnlyList<Activity> Named(string name) => [.. _ended.Where(span => span.DisplayName == name)];

    /// <summary>Waits for the one span of that name: a request's ends a moment after its answer has arrived.</summary>
    public async Task<Activity> SingleAsync(string name)
    {
        while (Named(name).Count == 0)
        {
            Assert.True(await _news.WaitAsync(_patience), $"There was no span {name}.");
        }
        return Assert.Single(Named(name));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _news.Dispose();
    }
}
