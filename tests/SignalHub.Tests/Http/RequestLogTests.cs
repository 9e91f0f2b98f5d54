using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SignalHub.Http;

namespace SignalHub.Tests.Http;

public sealed class RequestLogTests
{
    private readonly Lines _lines = new();

    [Fact]
    public async Task A_request_is_one_line_with_its_route_and_without_what_the_path_and_query_hold()
    {
        await using var app = await StartAsync();
        using var http = app.GetTestClient();
        http.DefaultRequestHeaders.Add("X-Request-Id", "crm.42");

        await http.GetAsync(new Uri("/sources/s3cr3t-token/jane@acme.com?key=sk_live_abc", UriKind.Relative));

        var line = Assert.Single(_lines.All);
        Assert.Matches(@"^GET /sources/\{token\}/\{email\} 202 in [0-9.]+ ms, request crm\.42, workspace ws_1$", line);
    }

    [Fact]
    public async Task A_path_without_a_route_and_an_invented_method_are_not_repeated()
    {
        await using var app = await StartAsync();
        using var http = app.GetTestClient();
        using var request = new HttpRequestMessage(new HttpMethod("SECRET"), "/jane@acme.com");

        await http.SendAsync(request);

        Assert.StartsWith("(other) (no route) 404 in ", Assert.Single(_lines.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exception_that_nobody_handles_is_a_line_too()
    {
        await using var app = await StartAsync();
        using var http = app.GetTestClient();

        await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetAsync(new Uri("/broken", UriKind.Relative)));

        Assert.StartsWith("GET /broken 500 in ", Assert.Single(_lines.All), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_of_ours_are_different_in_whatever_thread()
    {
        var ids = new ConcurrentBag<string>();

        Parallel.For(0, 20_000, _ => ids.Add(RequestId.New()));

        Assert.Equal(20_000, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^req_[0-9a-f]{32}$", id));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-Za-z0-9._", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("a,b", false)]
    [InlineData("é", false)]
    [InlineData("a\nb", false)]
    public void A_request_id_is_taken_only_if_it_needs_no_quoting(string id, bool usable) => Assert.Equal(usable, RequestId.IsUsable(id));

    [Fact]
    public void A_request_id_has_at_most_128_characters()
    {
        Assert.True(RequestId.IsUsable(new string('x', 128)));
        Assert.False(RequestId.IsUsable(new string('x', 129)));
    }

    [Fact]
    public async Task Every_answer_has_a_request_id_the_clients_where_it_is_usable()
    {
        await using var app = await StartAsync();

        Assert.Equal("crm.42", await IdFor(app, "crm.42"));
        Assert.Matches("^req_[0-9a-f]{32}$", await IdFor(app, "not usable"));
        Assert.Matches("^req_[0-9a-f]{32}$", await IdFor(app, null));
    }

    private static async Task<string> IdFor(WebApplication app, string? given)
    {
        using var http = app.GetTestClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nowhere");
        if (given is not null)
        {
            request.Headers.Add(RequestId.Header, given);
        }
        using var answer = await http.SendAsync(request);
        return Assert.Single(answer.Headers.GetValues(RequestId.Header));
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILoggerProvider>(_lines);
        var app = builder.Build();
        app.UseRequestId();
        app.UseRequestLog();
        app.MapGet("/sources/{token}/{email}", (HttpContext context) =>
        {
            context.Features.Get<RequestLogFields>()!.WorkspaceId = "ws_1";
            return Results.Accepted();
        });
        app.MapGet("/broken", IResult () => throw new InvalidOperationException("a bug"));
        await app.StartAsync();
        return app;
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _all = new();

        public IReadOnlyList<string> All => [.. _all];

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(RequestLog).FullName ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _all.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
