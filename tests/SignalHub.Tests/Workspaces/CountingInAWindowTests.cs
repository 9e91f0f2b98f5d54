using FsCheck;
using FsCheck.Fluent;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class CountingInAWindowTests
{
    /// <summary>Steps of a schedule: milliseconds since the step before, events asked for, events given back of what was allowed.</summary>
    private static readonly Arbitrary<(int Wait, int Events, int Back)[]> _schedules =
        (from wait in Gen.OneOf(Gen.Choose(0, 300), Gen.Choose(0, 20_000), Gen.Choose(59_000, 61_000))
         from events in Gen.Choose(1, 8)
         from back in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(0, 8)))
         select (wait, events, back)).ArrayOf(120).ToArbitrary();

    // Each is minutes of seconds with an exchange.
    private static readonly Config _few = Config.QuickThrowOnFailure.WithMaxTest(30);

    [Fact]
    public void No_sixty_seconds_ever_hold_more_than_the_limit() =>
        Prop.ForAll(_schedules, steps => Play(steps, new WorkspaceLimits(20, 0)).MostInAMinute() <= 20).Check(_few);

    [Fact]
    public void No_utc_day_ever_holds_more_than_the_limit() =>
        Prop.ForAll(_schedules, steps => Play(steps, new WorkspaceLimits(0, 50)).MostInADay() <= 50).Check(_few);

    [Fact]
    public void After_the_announced_wait_one_event_fits_and_not_a_tenth_of_a_second_too_late() =>
        Prop.ForAll(_schedules, steps =>
        {
            var window = new WindowCounter();
            var now = SimulatedNodes.Start;
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
        var node = SimulatedNodes.Alone(new WorkspaceLimits(3, 3));
        var all = node.Reserve(0, 3);
        node.Advance(TimeSpan.FromSeconds(1.5));

        var after = node.Keep(0, all, kept: 1);

        Assert.Equal((2, 2), (after.Minute.Remaining, after.Day.Remaining));
        Assert.Equal(2, node.Reserve(0, 3).Allowed);
    }

    [Fact]
    public void Giving_back_yesterdays_events_leaves_today_alone()
    {
        var node = SimulatedNodes.Alone(new WorkspaceLimits(0, 10));
        var yesterday = node.Reserve(0, 4);
        node.Advance(TimeSpan.FromHours(1));
        node.Reserve(0, 3);

        var after = node.Keep(0, yesterday, kept: 0);

        Assert.Equal(7, after.Day.Remaining);
    }

    [Fact]
    public void Test_events_cost_the_minute_and_not_the_day()
    {
        var admission = SimulatedNodes.Alone(new WorkspaceLimits(5, 2)).Reserve(0, 4, isTest: true);

        Assert.Equal((4, 1, 2), (admission.Allowed, admission.Minute.Remaining, admission.Day.Remaining));
    }

    [Fact]
    public void A_batch_gets_what_is_left_and_hears_when_more_fits()
    {
        var node = SimulatedNodes.Alone(new WorkspaceLimits(10, 100));
        node.Reserve(0, 8);
        node.Advance(TimeSpan.FromSeconds(20));

        var admission = node.Reserve(0, 5);

        Assert.Equal((2, 5), (admission.Allowed, admission.Requested));
        Assert.Null(admission.Problem);
        Assert.Equal(["minute"], admission.QuotaExceeded?.ViolatedPolicies);
        Assert.Equal(41, admission.RetryAfterSeconds);
    }

    [Fact]
    public void A_used_up_day_says_so_and_waits_for_midnight()
    {
        var node = SimulatedNodes.Alone(new WorkspaceLimits(0, 2));
        node.Reserve(0, 2);

        var refused = node.Reserve(0, 1);

        Assert.Equal(["day"], refused.Problem?.ViolatedPolicies);
        Assert.Equal(120, refused.RetryAfterSeconds);
        Assert.Equal(120, refused.Problem?.RetryAfterSeconds);
    }

    [Fact]
    public void A_database_clock_that_is_set_back_an_hour_forgets_nothing_and_does_not_stop_the_workspace_for_an_hour()
    {
        var node = SimulatedNodes.Alone(new WorkspaceLimits(3, 0));
        node.Reserve(0, 3);

        node.SetClockBack(TimeSpan.FromHours(1));
        node.Advance(TimeSpan.FromSeconds(1));
        var soon = node.Reserve(0, 1);
        node.Advance(TimeSpan.FromSeconds(61));
        var later = node.Reserve(0, 1);

        Assert.Equal((0, 1), (soon.Allowed, later.Allowed));
    }

    private static SimulatedNodes Play((int Wait, int Events, int Back)[] steps, WorkspaceLimits limits)
    {
        var node = SimulatedNodes.Alone(limits);
        foreach (var (wait, events, back) in steps)
        {
            node.Advance(TimeSpan.FromMilliseconds(wait));
            var admission = node.Reserve(0, events);
            node.Keep(0, admission, Math.Max(0, admission.Allowed - back));
        }
        return node;
    }
}
