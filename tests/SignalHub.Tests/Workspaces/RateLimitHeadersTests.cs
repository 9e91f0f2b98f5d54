using Microsoft.AspNetCore.Http;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class RateLimitHeadersTests
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Both_quotas_are_named_with_what_is_left_of_them()
    {
        var headers = After(new WorkspaceLimits(500, 50_000), 1);

        Assert.Equal("\"minute\";q=500;w=60,\"day\";q=50000;w=86400", headers["RateLimit-Policy"]);
        Assert.Equal("\"minute\";r=499;t=60,\"day\";r=49999;t=43200", headers["RateLimit"]);
        Assert.Equal(("500", "499", "60"), ((string?)headers["X-RateLimit-Limit"], (string?)headers["X-RateLimit-Remaining"], (string?)headers["X-RateLimit-Reset"]));
        Assert.False(headers.ContainsKey("Retry-After"));
    }

    [Fact]
    public void The_old_headers_tell_of_the_quota_with_least_left()
    {
        var headers = After(new WorkspaceLimits(500, 10), 4);

        Assert.Equal(("10", "6"), ((string?)headers["X-RateLimit-Limit"], (string?)headers["X-RateLimit-Remaining"]));
    }

    [Fact]
    public void An_unlimited_quota_is_not_named()
    {
        Assert.Equal("\"day\";q=10;w=86400", After(new WorkspaceLimits(0, 10), 1)["RateLimit-Policy"]);
        Assert.Empty(After(new WorkspaceLimits(0, 0), 1));
    }

    [Fact]
    public void A_refusal_says_after_how_many_whole_seconds_one_event_fits()
    {
        var headers = After(new WorkspaceLimits(2, 0), 3);

        Assert.Equal("61", headers.RetryAfter);
        Assert.Equal("\"minute\";r=0;t=60", headers["RateLimit"]);
    }

    private static IHeaderDictionary After(WorkspaceLimits limits, int events)
    {
        var admission = SimulatedNodes.Alone(limits, _noon).Reserve(0, events);
        var context = new DefaultHttpContext();
        RateLimitHeaders.Write(context.Response, admission);
        return context.Response.Headers;
    }
}
