using System.Globalization;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// When a failed delivery is tried again. A schedule is the list of delays before each retry; the first try goes out at once.
/// Pure: the clock and the randomness are arguments.
/// </summary>
public sealed record RetrySchedule(IReadOnlyList<TimeSpan> Delays)
{
    /// <summary>Share of a delay by which it may differ, so that a receiver that comes back is not hit by all at once.</summary>
    public const double Jitter = 0.2;

    /// <summary>The longest a receiver's <c>Retry-After</c> is believed.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    /// <summary>Ten tries over a bit more than three days.</summary>
    public static readonly RetrySchedule Standard = new(
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ]);

    /// <summary>The Siggnal document's: at most three retries, further and further apart.</summary>
    public static readonly RetrySchedule Short = new([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(6)]);

    private const int MaxRetries = 20;
    private const int MaxDelaySeconds = 86_400;

    /// <summary>The three shapes of an HTTP date, RFC 9110 section 5.6.7: the preferred one, RFC 850's and asctime's.</summary>
    private static readonly string[] HttpDates =
        ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    /// <summary>Sum of the delays, without jitter: how long an ordered endpoint may be held up by one event.</summary>
    public TimeSpan Total => Delays.Aggregate(TimeSpan.Zero, (sum, delay) => sum + delay);

    /// <summary>What is wrong with an endpoint's own list (seconds before each retry), or null.</summary>
    public static string? Validate(IReadOnlyList<int> seconds)
    {
        if (seconds.Count is 0 or > MaxRetries)
        {
            return $"A schedule has 1 to {MaxRetries} retries.";
        }
        return seconds.Any(s => s is < 1 or > MaxDelaySeconds) ? $"Each delay of a schedule is 1 to {MaxDelaySeconds} seconds." : null;
    }

    /// <summary>The schedule of an endpoint row; policies are <c>standard</c>, <c>short</c> and <c>custom</c> with its own list.</summary>
    public static RetrySchedule Of(string policy, IReadOnlyList<int>? customSeconds) => policy switch
    {
        "short" => Short,
        "custom" when customSeconds is not null => new RetrySchedule([.. customSeconds.Select(s => TimeSpan.FromSeconds(s))]),
        _ => Standard,
    };

    /// <summary>
    /// The wait after the failed try number <paramref name="step"/> (0 is the first); null when that was the last one.
    /// </summary>
    /// <param name="random">In [0, 1): where in the jitter's range the delay lies.</param>
    /// <param name="retryAfter">What the receiver asked for, if it may ask: honoured between the scheduled delay and 24 h.</param>
    public TimeSpan? DelayAfter(int step, double random, TimeSpan? retryAfter = null)
    {
        if (step >= Delays.Count)
        {
            return null;
        }
        var scheduled = Delays[step] * (1 - Jitter + 2 * Jitter * random);
        var asked = retryAfter > MaxRetryAfter ? MaxRetryAfter : retryAfter;
        return asked > scheduled ? asked : scheduled;
    }

    /// <summary>
    /// A <c>Retry-After</c> value (RFC 9110 section 10.2.3: seconds or an HTTP date) as a wait from <paramref name="now"/>;
    /// null for anything else. A date in the past is no wait; a number too big to count is 24 h, as any long wait is.
    /// </summary>
    public static TimeSpan? ReadRetryAfter(string? value, DateTimeOffset now)
    {
        var text = value?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        if (text.All(char.IsAsciiDigit))
        {
            var isCountable = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds);
            return isCountable && seconds < MaxRetryAfter.TotalSeconds ? TimeSpan.FromSeconds(seconds) : MaxRetryAfter;
        }
        if (!DateTimeOffset.TryParseExact(text, HttpDates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
        {
            return null;
        }
        var wait = at - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > MaxRetryAfter ? MaxRetryAfter : wait;
    }
}
