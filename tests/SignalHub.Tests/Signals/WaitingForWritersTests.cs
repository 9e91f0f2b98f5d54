using System.Runtime.CompilerServices;
using SignalHub.Signals.Intake;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

/// <summary>Which writer takes what of those who wait, and what the queue knows about them.</summary>
public sealed class WaitingForWritersTests
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(10);

    private readonly ManualClock _clock = new();
    private readonly IntakeQueue _queue;
    private readonly string[] _here;
    private readonly string[] _there;

    public WaitingForWritersTests()
    {
        _queue = new IntakeQueue(_clock);
        // Who waits in one line and who in another is the same in each queue.
        var lines = Enumerable.Range(0, 1_000).Select(i => $"p{i}@acme.com").GroupBy(email =>
        {
            var probe = ItemOf(email);
            Assert.True(_queue.TryEnqueue(probe));
            return probe.Line;
        }).ToList();
        (_here, _there) = ([.. lines[0]], [.. lines[1]]);
        _queue = new IntakeQueue(_clock);
    }

    [Fact]
    public void The_oldest_one_has_waited_since_it_came()
    {
        Assert.Equal(TimeSpan.Zero, _queue.LongestWait);
        Enqueue("jane@acme.com");
        _clock.Advance(_tick);
        Enqueue("jane@acme.com");
        _clock.Advance(_tick);

        Assert.Equal((2 * _tick, 2), (_queue.LongestWait, _queue.Depth));
    }

    [Fact]
    public void When_all_are_taken_nobody_has_waited()
    {
        Enqueue("jane@acme.com");
        _clock.Advance(_tick);
        var batch = Take();
        Assert.Equal((TimeSpan.Zero, 0), (_queue.LongestWait, _queue.Depth));

        Enqueue("jane@acme.com");
        _clock.Advance(_tick);
        Assert.Equal(_tick, _queue.LongestWait);
        Assert.Single(batch.Items);
    }

    [Fact]
    public void A_batch_takes_no_more_than_its_size_and_the_next_one_has_waited_since_it_came()
    {
        Enqueue([.. Enumerable.Repeat(_here[0], IntakeBatch.MaxItems)]);
        _clock.Advance(_tick);
        Enqueue(_here[0]);
        _clock.Advance(_tick);

        Assert.Equal(IntakeBatch.MaxItems, Take().Items.Count);
        Assert.Equal((_tick, 1), (_queue.LongestWait, _queue.Depth));
    }

    [Fact]
    public void Large_signals_do_not_keep_the_line_waiting_that_has_waited_longest()
    {
        foreach (var (large, small) in ((string, string)[])[(_here[0], _there[0]), (_there[0], _here[0])])
        {
            var queue = new IntakeQueue(_clock);
            Assert.True(queue.TryEnqueue(ItemOf(small)));
            _clock.Advance(_tick);
            Assert.True(queue.TryEnqueue(ItemOf(large, IntakeBatch.MaxBytes)));
            Assert.True(queue.TryEnqueue(ItemOf(large, IntakeBatch.MaxBytes)));

            var batch = new IntakeBatch(queue);
            Assert.True(queue.TakeAsync(batch).IsCompletedSuccessfully);

            Assert.Equal([small, large], EmailsOf(batch));
            Assert.Equal(1, queue.Depth);
        }
    }

    [Fact]
    public void While_little_waits_one_writer_takes_all_of_it()
    {
        Enqueue(_here[0], _there[0], _here[0]);

        var batch = Take();

        Assert.Equal([_here[0], _here[0], _there[0]], EmailsOf(batch).Order(StringComparer.Ordinal).OrderBy(email => _here.Contains(email) ? 0 : 1));
        Assert.Equal(2, batch.Lines.Count);
    }

    [Fact]
    public void Where_plenty_waits_each_writer_takes_a_line()
    {
        Enqueue([.. Enumerable.Repeat(_here[0], IntakeQueue.Plenty)]);
        _clock.Advance(_tick);
        Enqueue([.. Enumerable.Repeat(_there[0], IntakeQueue.Enough)]);

        var (first, second) = (Take(), Take());

        Assert.Equal([_here[0]], EmailsOf(first).Distinct());
        Assert.Equal([_there[0]], EmailsOf(second).Distinct());
    }

    [Fact]
    public async Task Beside_a_running_transaction_another_one_begins_when_enough_waits()
    {
        Enqueue([.. Enumerable.Repeat(_here[0], IntakeQueue.Plenty)]);
        Take();
        var batch = new IntakeBatch(_queue);
        var waits = _queue.TakeAsync(batch);
        Enqueue([.. Enumerable.Repeat(_here[0], IntakeQueue.Plenty)]);                  // their line is taken
        Enqueue([.. Enumerable.Repeat(_there[0], IntakeQueue.Enough - 1)]);
        Assert.False(waits.IsCompleted);

        Enqueue(_there[1]);

        Assert.True(await waits.WaitAsync(_longest));
        Assert.Equal(IntakeQueue.Enough, batch.Items.Count);
        Assert.Equal(_there[1], EmailsOf(batch)[^1]);
    }

    [Fact]
    public async Task A_writer_that_is_done_takes_the_line_that_has_waited_longest_and_wakes_the_other_one_for_the_rest()
    {
        Enqueue(_here[0], _there[0]);
        var first = Take();
        var second = new IntakeBatch(_queue);
        var waits = _queue.TakeAsync(second);
        Enqueue([.. Enumerable.Repeat(_there[0], IntakeQueue.Enough)]);
        _clock.Advance(_tick);
        Enqueue([.. Enumerable.Repeat(_here[0], IntakeQueue.Enough)]);
        Assert.False(waits.IsCompleted);

        Assert.True(await _queue.TakeAsync(first));

        Assert.True(await waits.WaitAsync(_longest));
        Assert.Equal([_there[0]], EmailsOf(first).Distinct());
        Assert.Equal([_here[0]], EmailsOf(second).Distinct());
    }

    [Fact]
    public async Task A_batch_that_is_parted_gives_the_other_lines_back_in_order_and_nobody_waits_for_it()
    {
        Enqueue(_here[0], _there[0], _here[1], _there[1]);
        var first = Take();
        var second = new IntakeBatch(_queue);
        var waits = _queue.TakeAsync(second);
        Enqueue(first.Lines[0] == first.Items.Find(item => EmailOf(item) == _here[0])!.Line ? _there[2] : _here[2]);

        first.Part();

        Assert.True(await waits.WaitAsync(_longest));
        Assert.Equal(2, first.Items.Count);
        Assert.Equal(EmailsOf(first)[0] == _here[0] ? _there[..3] : _here[..3], EmailsOf(second));
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public void A_line_whose_memory_was_wrong_is_taken_alone_and_nobody_waits_for_it()
    {
        Enqueue(_here[0]);
        var batch = Take();
        batch.Memory.Proved(right: false);
        Enqueue(_here[0]);
        _clock.Advance(_tick);
        Enqueue(_there[0]);
        Assert.True(_queue.TakeAsync(batch).IsCompletedSuccessfully);

        Assert.Equal([_here[0]], EmailsOf(batch));
        Assert.Equal([_there[0]], EmailsOf(Take()));
    }

    [Fact]
    public async Task Beside_such_a_line_another_writer_begins_with_the_others()
    {
        Enqueue(_here[0]);
        var first = Take();
        first.Memory.Proved(right: false);
        var second = new IntakeBatch(_queue);
        var (sleeps, alsoSleeps) = (_queue.TakeAsync(first), _queue.TakeAsync(second));
        Assert.True(_queue.TryEnqueue(ItemOf(_here[0]), moreCome: true));
        _clock.Advance(_tick);
        Assert.True(_queue.TryEnqueue(ItemOf(_there[0]), moreCome: true));

        _queue.NoMoreCome();

        Assert.All(await Task.WhenAll(sleeps, alsoSleeps).WaitAsync(_longest), Assert.True);
        Assert.Equal([_here[0], _there[0]], EmailsOf(second).Concat(EmailsOf(first)));
    }

    [Fact]
    public async Task A_few_of_a_larger_number_wake_nobody()
    {
        var batch = new IntakeBatch(_queue);
        var waits = _queue.TakeAsync(batch);
        Assert.True(_queue.TryEnqueue(ItemOf(_here[0]), moreCome: true));
        Assert.False(waits.IsCompleted);
        _queue.NoMoreCome();
        Assert.True(await waits.WaitAsync(_longest));
        Assert.Single(batch.Items);

        var next = _queue.TakeAsync(batch);
        for (var i = 0; i < IntakeQueue.Plenty; i++)
        {
            Assert.False(next.IsCompleted);
            Assert.True(_queue.TryEnqueue(ItemOf(_here[0]), moreCome: true));
        }
        Assert.True(await next.WaitAsync(_longest));
        Assert.Equal(IntakeQueue.Plenty, batch.Items.Count);
    }

    [Fact]
    public async Task In_the_end_what_waits_is_taken_and_nothing_more_comes()
    {
        Enqueue(_here[0]);
        var batch = Take();
        var other = _queue.TakeAsync(new IntakeBatch(_queue));
        Enqueue(_there[0]);

        _queue.Complete();

        Assert.False(await other);
        Assert.False(_queue.TryEnqueue(ItemOf(_here[0])));
        Assert.True(await _queue.TakeAsync(batch));
        Assert.Equal([_there[0]], EmailsOf(batch));
        Assert.False(await _queue.TakeAsync(batch));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Whatever_writers_do_each_signal_is_written_once_and_those_of_one_person_in_their_order(int lines)
    {
        const int Senders = 4, Each = 2_000;
        var queue = new IntakeQueue(_clock, lines);
        var written = new List<IntakeItem>[lines];
        var writers = Enumerable.Range(0, lines).Select(writer => Task.Run(async () =>
        {
            var batch = new IntakeBatch(queue);
            written[writer] = [];
            for (var turn = 1; await queue.TakeAsync(batch); turn++)
            {
                if (turn % 5 == 0)
                {
                    batch.Part();
                }
                if (turn % 7 == 0)
                {
                    await Task.Yield();
                }
                foreach (var item in batch.Items)
                {
                    item.EnqueuedAt = Interlocked.Increment(ref _writes);
                    written[writer].Add(item);
                }
            }
        })).ToList();
        var sent = await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(() =>
        {
            var items = Enumerable.Range(0, Each).Select(i => ItemOf($"s{sender}-{i % 10}@acme.com")).ToList();
            foreach (var (i, item) in items.Index())
            {
                Assert.True(queue.TryEnqueue(item, moreCome: i % 10 != 0));
            }
            queue.NoMoreCome();
            return items;
        })));
        queue.Complete();
        await Task.WhenAll(writers);

        Assert.Equal(sent.SelectMany(items => items).ToHashSet(), written.SelectMany(items => items).ToHashSet());
        Assert.Equal(Senders * Each, written.Sum(items => items.Count));
        Assert.All(sent.SelectMany(items => items.GroupBy(EmailOf)), person =>
            Assert.Equal(person.Select(item => item.EnqueuedAt).Order(), person.Select(item => item.EnqueuedAt)));
        Assert.Equal((TimeSpan.Zero, 0), (queue.LongestWait, queue.Depth));
    }

    [Fact]
    public void Who_was_taken_is_not_held_on_to()
    {
        var batch = new IntakeBatch(_queue);
        var taken = Pass(100, batch);
        GC.Collect();

        Assert.All(taken, item => Assert.False(item.IsAlive));
        Assert.Equal(0, _queue.Depth);
    }

    private long _writes;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<WeakReference> Pass(int items, IntakeBatch batch)
    {
        var passed = Enumerable.Range(0, items).Select(_ =>
        {
            Enqueue("jane@acme.com");
            Assert.True(_queue.TakeAsync(batch).IsCompletedSuccessfully);
            return new WeakReference(batch.Items[0]);
        }).ToList();
        _ = _queue.TakeAsync(batch);
        return passed;
    }

    private void Enqueue(params string[] emails) => Assert.All(emails, email => Assert.True(_queue.TryEnqueue(ItemOf(email))));

    private IntakeBatch Take()
    {
        var batch = new IntakeBatch(_queue);
        Assert.True(_queue.TakeAsync(batch) is { IsCompletedSuccessfully: true, Result: true });
        return batch;
    }

    private static List<string> EmailsOf(IntakeBatch batch) => batch.Items.ConvertAll(EmailOf);

    private static string EmailOf(IntakeItem item) => item.Identity.Keys[0].Key;

    // Only who it is about decides where it waits, and how large it is how many are taken.
    private static IntakeItem ItemOf(string email, int size = 0) => Sample.Item(Sample.Identity(email), size);
}
