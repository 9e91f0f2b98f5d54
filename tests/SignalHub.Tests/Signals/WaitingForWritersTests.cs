using System.Runtime.CompilerServices;
using SignalHub.Leads.Identity;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>What the queue of the writers knows about those who wait in it.</summary>
public sealed class WaitingForWritersTests
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);

    private readonly ManualClock _clock = new();
    private readonly IntakeQueue _queue;

    public WaitingForWritersTests() => _queue = new IntakeQueue(_clock);

    [Fact]
    public void The_oldest_one_has_waited_since_it_came()
    {
        Assert.Equal(TimeSpan.Zero, _queue.LongestWait);
        Enqueue(1);
        _clock.Advance(_tick);
        Enqueue(1);
        _clock.Advance(_tick);

        Assert.Equal(2 * _tick, _queue.LongestWait);
        Assert.Equal(2, _queue.Depth);
    }

    [Fact]
    public void When_it_is_taken_the_next_one_waits_at_most_as_long()
    {
        Enqueue(2);
        _clock.Advance(_tick);
        Enqueue(1);
        _clock.Advance(_tick);

        Take(2);
        Assert.InRange(_queue.LongestWait, _tick, 2 * _tick);
        Take(1);
        Assert.Equal((TimeSpan.Zero, 0L), (_queue.LongestWait, _queue.Depth));

        Enqueue(1);
        _clock.Advance(_tick);
        Assert.Equal(_tick, _queue.LongestWait);
    }

    [Fact]
    public async Task Whoever_comes_while_others_are_taken_is_counted()
    {
        _clock.Advance(_tick);
        var adders = Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enqueue(1_000))).ToList();
        for (var taken = 0; taken < 4_000;)
        {
            taken += TakeUpTo(7).Count;
        }
        await Task.WhenAll(adders);
        Assert.Equal((TimeSpan.Zero, 0L), (_queue.LongestWait, _queue.Depth));

        Enqueue(1);
        _clock.Advance(_tick);
        Assert.Equal(_tick, _queue.LongestWait);
    }

    [Fact]
    public void Who_was_taken_is_not_held_on_to()
    {
        var taken = Pass(100);
        GC.Collect();

        Assert.All(taken, item => Assert.False(item.IsAlive));
        Assert.Equal(0, _queue.Depth);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<WeakReference> Pass(int items) => [.. Enumerable.Range(0, items).Select(_ =>
    {
        Enqueue(1);
        Assert.Equal(TimeSpan.Zero, _queue.LongestWait);
        return new WeakReference(Take(1)[0]);
    })];

    private void Enqueue(int items)
    {
        for (var i = 0; i < items; i++)
        {
            // Only who it is about decides where it waits.
            var item = (IntakeItem)RuntimeHelpers.GetUninitializedObject(typeof(IntakeItem));
            typeof(IntakeItem).GetProperty(nameof(IntakeItem.Identity))!.SetValue(item, new CanonicalIdentity
            {
                Keys = [new IdentityKey(IdentityKeyKind.Email, "jane@acme.com", "jane@acme.com", Strong: true, "/identity/email")],
                AccountKeys = [], SentKeys = [], Warnings = [], Problems = [],
            });
            Assert.True(_queue.TryEnqueue(item));
        }
    }

    private List<IntakeItem> Take(int items)
    {
        var taken = TakeUpTo(items);
        Assert.Equal(items, taken.Count);
        return taken;
    }

    private List<IntakeItem> TakeUpTo(int items)
    {
        var taken = new List<IntakeItem>();
        for (var writer = 0; writer < _queue.Writers; writer++)
        {
            while (taken.Count < items && _queue.TryTake(writer, out var item))
            {
                taken.Add(item);
            }
        }
        return taken;
    }
}
