using FsCheck;
using FsCheck.Fluent;
using SignalHub.Webhooks.Delivery;
using Outcome = SignalHub.Webhooks.Delivery.Outcome;

namespace SignalHub.Tests.Webhooks;

public sealed class RetryScheduleTests
{
    private const double Middle = 0.5;

    private static readonly DateTimeOffset Now = new(2026, 3, 14, 9, 26, 53, TimeSpan.Zero);

    [Fact]
    public void The_standard_schedule_is_the_specifications() => Assert.Equal(
        ["00:00:05", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "14:00:00", "20:00:00", "1.00:00:00", "end"],
        Enumerable.Range(0, 10).Select(step => RetrySchedule.Standard.DelayAfter(step, Middle)?.ToString() ?? "end"));

    [Fact]
    public void The_short_schedule_has_three_retries() => Assert.Equal(
        ["00:00:10", "00:01:00", "00:06:00", "end"],
        Enumerable.Range(0, 4).Select(step => RetrySchedule.Short.DelayAfter(step, Middle)?.ToString() ?? "end"));

    [Fact]
    public void An_endpoints_own_list_counts() => Assert.Equal(
        ["00:00:01", "00:00:02", "end"],
        Enumerable.Range(0, 3).Select(step => RetrySchedule.Of("custom", [1, 2]).DelayAfter(step, Middle)?.ToString() ?? "end"));

    [Fact]
    public void Any_delay_lies_within_a_fifth_of_the_scheduled_one() => Prop.ForAll(
        Gen.Choose(0, 8).ToArbitrary(), Gen.Choose(0, 999_999).Select(n => n / 1_000_000.0).ToArbitrary(), (step, random) =>
        {
            var scheduled = RetrySchedule.Standard.Delays[step];
            var delay = RetrySchedule.Standard.DelayAfter(step, random)!.Value;
            return delay >= scheduled * 0.8 && delay <= scheduled * 1.2;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_a_receiver_asks_for_the_wait_is_between_the_scheduled_one_and_a_day() => Prop.ForAll(
        ArbMap.Default.ArbFor<string>(), Gen.Choose(0, 8).ToArbitrary(), (value, step) =>
        {
            var scheduled = RetrySchedule.Standard.DelayAfter(step, Middle)!.Value;
            var delay = RetrySchedule.Standard.DelayAfter(step, Middle, RetrySchedule.ReadRetryAfter(value, Now))!.Value;
            return delay >= scheduled && delay <= TimeSpan.FromHours(24);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("120", "00:02:00")]
    [InlineData(" 120 ", "00:02:00")]
    [InlineData("0", "00:00:00")]
    [InlineData("315360000", "1.00:00:00")]
    [InlineData("99999999999999999999999999", "1.00:00:00")]
    [InlineData("Sat, 14 Mar 2026 09:28:53 GMT", "00:02:00")]
    [InlineData("Saturday, 14-Mar-26 09:28:53 GMT", "00:02:00")]
    [InlineData("Sat Mar 14 09:28:53 2026", "00:02:00")]
    [InlineData("Sat, 14 Mar 2020 09:28:53 GMT", "00:00:00")]
    [InlineData("Fri, 14 Mar 2036 09:28:53 GMT", "1.00:00:00")]
    [InlineData("-5", null)]
    [InlineData("1.5", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("٣", null)]
    public void Retry_after_is_seconds_or_a_date(string? value, string? expected) =>
        Assert.Equal(expected, RetrySchedule.ReadRetryAfter(value, Now)?.ToString());

    [Fact]
    public void A_short_retry_after_does_not_shorten_the_schedule_and_a_long_one_stretches_it()
    {
        Assert.Equal(TimeSpan.FromMinutes(5), RetrySchedule.Standard.DelayAfter(1, Middle, TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromHours(1), RetrySchedule.Standard.DelayAfter(1, Middle, TimeSpan.FromHours(1)));
        Assert.Equal(TimeSpan.FromHours(24), RetrySchedule.Standard.DelayAfter(1, Middle, TimeSpan.FromDays(3650)));
    }

    [Theory]
    [InlineData(429, true)]
    [InlineData(502, true)]
    [InlineData(503, true)]
    [InlineData(504, true)]
    [InlineData(500, false)]
    [InlineData(404, false)]
    [InlineData(301, false)]
    public void Only_busy_answers_may_ask_for_time(int status, bool may)
    {
        var outcome = Outcome.Of(new AttemptResult { StartedAt = Now, Status = status });

        var next = NextStep.After(outcome, RetrySchedule.Standard, step: 0, Middle, TimeSpan.FromHours(3));

        Assert.Equal(may ? TimeSpan.FromHours(3) : TimeSpan.FromSeconds(5), next.Delay);
    }

    [Theory]
    [InlineData(200, null, Verdict.Delivered, null)]
    [InlineData(204, null, Verdict.Delivered, null)]
    [InlineData(299, null, Verdict.Delivered, null)]
    [InlineData(200, ErrorClass.Timeout, Verdict.Failed, ErrorClass.Timeout)]
    [InlineData(200, ErrorClass.BrokenResponse, Verdict.Failed, ErrorClass.BrokenResponse)]
    [InlineData(302, null, Verdict.Failed, ErrorClass.Redirect)]
    [InlineData(410, null, Verdict.Gone, ErrorClass.HttpStatus)]
    [InlineData(410, ErrorClass.BrokenResponse, Verdict.Gone, ErrorClass.HttpStatus)]
    [InlineData(404, null, Verdict.Failed, ErrorClass.HttpStatus)]
    [InlineData(101, null, Verdict.Failed, ErrorClass.HttpStatus)]
    [InlineData(null, ErrorClass.DnsError, Verdict.Failed, ErrorClass.DnsError)]
    [InlineData(null, ErrorClass.BlockedAddress, Verdict.Blocked, ErrorClass.BlockedAddress)]
    public void Each_answer_has_its_outcome(int? status, string? error, Verdict verdict, string? errorClass)
    {
        var outcome = Outcome.Of(new AttemptResult { StartedAt = Now, Status = status, Error = error });

        Assert.Equal((verdict, errorClass), (outcome.Verdict, outcome.Error));
    }

    [Fact]
    public void A_redirect_names_the_new_location()
    {
        var outcome = Outcome.Of(new AttemptResult { StartedAt = Now, Status = 308, Location = "https://new.example.com/hook" });

        Assert.Contains("https://new.example.com/hook", outcome.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 1 }, true)]
    [InlineData(new[] { 86_400 }, true)]
    [InlineData(new int[0], false)]
    [InlineData(new[] { 0 }, false)]
    [InlineData(new[] { 86_401 }, false)]
    public void Own_lists_are_checked(int[] seconds, bool valid) => Assert.Equal(valid, RetrySchedule.Validate(seconds) is null);

    [Fact]
    public void Retries_of_different_deliveries_spread_over_the_whole_range()
    {
        var target = new EndpointTarget(default, "", [], null, null, "", TimeSpan.Zero, RetrySchedule.Short, null, false, 0);
        var spread = Enumerable.Range(0, 1_000)
            .Select(n => SignalHub.Storage.Ids.Derive(Now, "delivery", Guid.Empty, new Guid(n, 0, 0, new byte[8])))
            .Select(id => Dispatcher.Spread(new ClaimedDelivery(target, id, id, "", Now, 1, 0, 1, "schedule", null)))
            .ToArray();

        Assert.All(spread, value => Assert.InRange(value, 0, 0.9999999999999999));
        Assert.InRange(spread.Average(), 0.45, 0.55);
        Assert.All(Enumerable.Range(0, 10), tenth => Assert.InRange(spread.Count(v => (int)(v * 10) == tenth), 50, 150));
    }
}
