using Microsoft.Extensions.Logging;
using SignalHub.Http;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>The rule by which signals are refused before they wait.</summary>
public sealed class ClosingTheGateTests
{
    // 0.5 ms of a writer's time for a signal.
    private static readonly TimeSpan _fullBatch = TimeSpan.FromMilliseconds(100);

    private readonly ManualClock _clock = new();
    private readonly IntakeQueue _queue;
    private readonly IntakeGate _gate;

    public ClosingTheGateTests()
    {
        _queue = new IntakeQueue(_clock);
        _gate = new IntakeGate(_queue, _clock);
    }

    [Fact]
    public void It_closes_when_those_before_would_take_too_long_and_opens_as_they_leave()
    {
        Write(IntakeBatch.MaxItems, _fullBatch, times: 30);
        var fit = InWorkFor(IntakeGate.MaxExpectedWait);

        Assert.True(_gate.TryEnter(fit + 1));
        Assert.False(_gate.IsOpen);
        Assert.False(_gate.TryEnter(1));

        _gate.Leave(2);
        Assert.True(_gate.TryEnter(1));
    }

    [Fact]
    public void A_batch_counts_by_its_signals_and_what_it_takes_itself_keeps_it_out_of_nothing()
    {
        Write(IntakeBatch.MaxItems, TimeSpan.FromSeconds(10), times: 30);

        Assert.True(_gate.TryEnter(1_000));
        Assert.False(_gate.TryEnter(1));
        _gate.Leave(1_000);
        Assert.True(_gate.TryEnter(1));
    }

    [Fact]
    public void Batches_of_one_say_little_about_full_ones()
    {
        Write(signals: 1, TimeSpan.FromMilliseconds(2), times: 100);

        Assert.True(_gate.TryEnter(1_000));
        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public void A_stall_is_forgotten_within_a_dozen_batches()
    {
        Write(signals: 1, TimeSpan.FromSeconds(10), times: 1);
        _gate.TryEnter(100);
        Assert.False(_gate.IsOpen);

        Write(signals: 10, TimeSpan.FromMilliseconds(2), times: 12);

        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public void The_longer_the_wait_has_become_the_later_the_sender_is_asked_back()
    {
        Assert.Equal(1, _gate.Refuse().RetryAfterSeconds);
        Assert.Equal(ProblemCodes.Overloaded, _gate.Refuse().Code);

        Write(signals: IntakeGate.TellingBatch, TimeSpan.FromSeconds(IntakeGate.TellingBatch), times: 60);
        _gate.TryEnter(5 * _queue.Writers);
        Assert.Equal(5, _gate.Refuse().RetryAfterSeconds);

        _gate.Leave(5 * _queue.Writers);
        _gate.TryEnter(1_000);
        Assert.Equal(30, _gate.Refuse().RetryAfterSeconds);
    }

    [Fact]
    public void What_is_refused_is_logged_once_a_second_with_its_number()
    {
        var lines = new Lines();
        var log = new RefusalLog(_clock, lines);
        void Refuse(int times) => Enumerable.Range(0, times).ToList().ForEach(_ => log.Count());

        Refuse(100);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Refuse(100);

        Assert.Equal(["1 requests", "100 requests"], lines.Written.Select(line => line[..(line.IndexOf("requests", StringComparison.Ordinal) + "requests".Length)]));
    }

    /// <summary>A writer is so long at work on a batch, so many times.</summary>
    private void Write(int signals, TimeSpan took, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var begun = _gate.Begin();
            _clock.Advance(took);
            _gate.Wrote(signals, begun);
        }
    }

    private int InWorkFor(TimeSpan wait) => (int)(wait / (_fullBatch / IntakeBatch.MaxItems) * _queue.Writers);

    private sealed class Lines : ILogger<RefusalLog>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }
}
