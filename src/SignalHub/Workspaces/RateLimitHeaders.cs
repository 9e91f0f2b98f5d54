using System.Globalization;

namespace SignalHub.Workspaces;

/// <summary>
/// The quotas in an answer's headers: <c>RateLimit-Policy</c> and <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers), and
/// the older <c>X-RateLimit-*</c> for the quota that has least left. Unlimited quotas are not named.
/// </summary>
public static class RateLimitHeaders
{
    private const int DaySeconds = 86_400;

    public static void Write(HttpResponse response, in Admission admission)
    {
        var (minute, day) = (admission.Minute, admission.Day);
        if (admission.RetryAfterSeconds > 0)
        {
            response.Headers.RetryAfter = Text(admission.RetryAfterSeconds);
        }
        if (minute.IsUnlimited && day.IsUnlimited)
        {
            return;
        }
        response.Headers["RateLimit-Policy"] = Join(
            Policy(Admission.MinutePolicy, minute, WindowCounter.WindowSeconds), Policy(Admission.DayPolicy, day, DaySeconds));
        response.Headers["RateLimit"] = Join(State(Admission.MinutePolicy, minute), State(Admission.DayPolicy, day));

        // An unlimited quota has the largest number remaining.
        var tightest = day.Remaining < minute.Remaining ? day : minute;
        response.Headers["X-RateLimit-Limit"] = Text(tightest.Limit);
        response.Headers["X-RateLimit-Remaining"] = Text(tightest.Remaining);
        response.Headers["X-RateLimit-Reset"] = Text(tightest.ResetSeconds);
    }

    private static string? Policy(string name, Quota quota, int window) =>
        quota.IsUnlimited ? null : string.Create(CultureInfo.InvariantCulture, $"\"{name}\";q={quota.Limit};w={window}");

    private static string? State(string name, Quota quota) =>
        quota.IsUnlimited ? null : string.Create(CultureInfo.InvariantCulture, $"\"{name}\";r={quota.Remaining};t={quota.ResetSeconds}");

    private static string Join(string? first, string? second) => first is null ? second! : second is null ? first : $"{first},{second}";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
