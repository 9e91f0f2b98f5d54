using FsCheck;
using FsCheck.Fluent;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class CountingInAWindowTests
{
    private static readonly DateTimeOffset _start = new(2026, 3, 14, 23, 58, 0, TimeSpan.Zero);

    /// <summary>Steps of a schedule: milliseconds since the step before, events asked for, events given back of what was allowed.</summary>
    private static readonly Arbitrary<(int Wait, int Events, int Back)[]> _schedules =
        (from wait in Gen.OneOf(Gen.Choose(0, 300), Gen.Choose(0, 20_000), Gen.Choose(59_000, 61_000))
         from events in Gen.Choose(1, 8)
         from back in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(0, 8)))
         select (wait, events, back)).ArrayOf(120).ToArbitrary();

    [Fact]
    public void No_sixty_seconds_ever_hold_more_than_the_limit() =>
        Prop.ForAll(_schedules, steps =>
        {
            var limits = new WorkspaceLimits(20, 0);
            var counter = new WorkspaceCounter(default, 0);
            var kept = new List<DateTimeOffset>();
            var now = _start;
            foreach (var (wait, events, back) in steps)
            {
                now += TimeSpan.FromMilliseconds(wait);
                counter.TryReserve(limits, events, false, now, out var admission);
                var returned = Math.Min(back, admission.Allowed);
                counter.GiveBack(admission, returned, now);
                kept.AddRange(Enumerable.Repeat(now, admission.Allowed - returned));
            }
            return kept.All(first => kept.Count(at => at >= first && at - first <= TimeSpan.FromSeconds(60)) <= 20);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_utc_day_ever_holds_more_than_the_limit() =>
        Prop.ForAll(_schedules, steps =>
        {
            var counter = new WorkspaceCounter(default, 0);
            var kept = new List<DateTimeOffset>();
            var now = _start;
            foreach (var (wait, events, back) in steps)
            {
                now += TimeSpan.FromMilliseconds(wait);
                counter.TryReserve(new WorkspaceLimits(0, 50), events, false, now, out var admission);
                var returned = Math.Min(back, admission.Allowed);
                counter.GiveBack(admission, returned, now);
                kept.AddRange(Enumerable.Repeat(now, admission.Allowed - returned));
            }
            return kept.GroupBy(at => at.Date).All(day => day.Count() <= 50);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void After_the_announced_wait_one_event_fits_and_not_a_tenth_of_a_second_too_late() =>
        Prop.ForAll(_schedules, steps =>
        {
            var window = new WindowCounter();
            var now = _start;
            foreach (var (wait, events, _) in steps)
            {
                now += TimeSpan.FromMilliseconds(wait);
                window.MoveTo(now);
                window.Add(events);
            }
            const int Limit = 5;
            var until = window.WaitForOne(Limit, now);
            if (until == 0)
            {
                return window.Count < Limit;
            }
            window.MoveTo(now + TimeSpan.FromMilliseconds(until - 1));
            var early = window.Count;
            window.MoveTo(now + TimeSpan.FromMilliseconds(until));
            return early >= Limit && window.Count < Limit;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_given_back_can_be_used_again_at_once()
    {
        var counter = new WorkspaceCounter(default, 0);
        counter.TryReserve(new WorkspaceLimits(3, 3), 3, false, _start, out var all);

        var after = counter.GiveBack(all, 2, _start.AddSeconds(1));

        Assert.Equal((2, 2), (after.Minute.Remaining, after.Day.Remaining));
        counter.TryReserve(new WorkspaceLimits(3, 3), 3, false, _start.AddSeconds(1), out var next);
        Assert.Equal(2, next.Allowed);
    }

    [Fact]
    public void Giving_back_yesterdays_events_leaves_today_alone()
    {
        var counter = new WorkspaceCounter(default, 0);
        counter.TryReserve(new WorkspaceLimits(0, 10), 4, false, _start, out var yesterday);
        counter.TryReserve(new WorkspaceLimits(0, 10), 3, false, _start.AddHours(1), out _);

        var after = counter.GiveBack(yesterday, 4, _start.AddHours(1));

        Assert.Equal(7, after.Day.Remaining);
    }

    [Fact]
    public void Test_events_cost_the_minute_and_not_the_day()
    {
        var counter = new WorkspaceCounter(default, 0);

        counter.TryReserve(new WorkspaceLimits(5, 2), 4, isTest: true, _start, out var admission);

        Assert.Equal((4, 1, 2), (admission.Allowed, admission.Minute.Remaining, admission.Day.Remaining));
    }

    [Fact]
    public void A_batch_gets_what_is_left_and_hears_when_more_fits()
    {
        var counter = new WorkspaceCounter(default, 0);
        counter.TryReserve(new WorkspaceLimits(10, 100), 8, false, _start, out _);

        counter.TryReserve(new WorkspaceLimits(10, 100), 5, false, _start.AddSeconds(20), out var admission);

        Assert.Equal((2, 5), (admission.Allowed, admission.Requested));
        Assert.Null(admission.Problem);
        Assert.Equal(["minute"], admission.QuotaExceeded?.ViolatedPolicies);
        Assert.Equal(41, admission.RetryAfterSeconds);
    }

    [Fact]
    public void A_used_up_day_says_so_and_waits_for_midnight()
    {
        var counter = new WorkspaceCounter(default, 0);
        counter.TryReserve(new WorkspaceLimits(0, 2), 2, false, _start, out _);

        counter.TryReserve(new WorkspaceLimits(0, 2), 1, false, _start, out var refused);

        Assert.Equal(["day"], refused.Problem?.ViolatedPolicies);
        Assert.Equal(120, refused.RetryAfterSeconds);
        Assert.Equal(120, refused.Problem?.RetryAfterSeconds);
    }

    [Fact]
    public void A_clock_that_is_set_back_an_hour_forgets_nothing_and_does_not_stop_the_workspace_for_an_hour()
    {
        var counter = new WorkspaceCounter(default, 0);
        var limits = new WorkspaceLimits(3, 0);
        counter.TryReserve(limits, 3, false, _start, out _);

        counter.TryReserve(limits, 1, false, _start.AddHours(-1), out var atOnce);
        counter.TryReserve(limits, 1, false, _start.AddHours(-1).AddSeconds(61), out var later);

        Assert.Equal((0, 1), (atOnce.Allowed, later.Allowed));
    }

    [Fact]
    public async Task Threads_together_get_no_more_than_the_limit()
    {
        var counter = new WorkspaceCounter(default, 0);

        var allowed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 200).Sum(n => counter.TryReserve(new WorkspaceLimits(500, 0), 1, false, _start.AddMilliseconds(n), out var a) ? a.Allowed : 0))));

        Assert.Equal(500, allowed.Sum());
    }
}
