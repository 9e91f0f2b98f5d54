using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SignalHub.Tests.Support;

/// <summary>One request as it arrived. Header names are in any case.</summary>
internal sealed record ReceivedRequest(string Method, string Path, string Protocol, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>
/// A real receiver: Kestrel on a loopback port. Records what arrives, answers by script (then 200), and lets a test wait for a
/// number of requests instead of sleeping.
/// </summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    // Far above what a loaded machine needs; reached only when what the test waits for never comes.
    private static readonly TimeSpan PatienceLimit = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private readonly List<ReceivedRequest> _requests = [];
    private readonly Queue<Func<HttpContext, Task>> _script = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private Func<HttpContext, Task> _otherwise = Status(200);

    private WebhookReceiver(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    public IReadOnlyList<ReceivedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <param name="certificate">Given: https.</param>
    /// <param name="protocols">What the connection speaks; HTTP/2 needs https.</param>
    public static async Task<WebhookReceiver> StartAsync(X509Certificate2? certificate = null, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            // A busy machine is slow, and that is no reason to hang up.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = certificate is null ? HttpProtocols.Http1 : protocols;
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.HandleAsync);
        await app.StartAsync();
        receiver.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hook";
        return receiver;
    }

    /// <summary>The next answers, one request each; after them <see cref="Otherwise"/>.</summary>
    public void Answer(params Func<HttpContext, Task>[] answers)
    {
        lock (_lock)
        {
            foreach (var answer in answers)
            {
                _script.Enqueue(answer);
            }
        }
    }

    /// <summary>The answer of every request for which the script has none. Initially 200.</summary>
    public void Otherwise(Func<HttpContext, Task> answer)
    {
        lock (_lock)
        {
            _otherwise = answer;
        }
    }

    /// <summary>Waits until so many requests have arrived altogether.</summary>
    public async Task<IReadOnlyList<ReceivedRequest>> WaitForAsync(int count)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_requests.Count >= count)
            {
                reached.SetResult();
            }
            _waiters.Add((count, reached));
        }
        try
        {
            await reached.Task.WaitAsync(PatienceLimit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The receiver waited for {count} requests and got {Requests.Count}.");
        }
        return Requests;
    }

    /// <summary>Waits until the requests satisfy something.</summary>
    public async Task WaitUntilAsync(Func<IReadOnlyList<ReceivedRequest>, bool> satisfied)
    {
        for (var seen = Requests; !satisfied(seen); seen = await WaitForAsync(seen.Count + 1))
        {
        }
    }

    public static Func<HttpContext, Task> Status(int status, string? body = null, params (string Name, string Value)[] headers) => async context =>
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }
        if (body is not null)
        {
            await context.Response.WriteAsync(body);
        }
    };

    /// <summary>Answers when the test says so, or when the sender gives up.</summary>
    public static Func<HttpContext, Task> When(Task released, int status = 200) => async context =>
    {
        await Task.WhenAny(released, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        context.Response.StatusCode = status;
    };

    public static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Func<HttpContext, Task> answer;
        lock (_lock)
        {
            _requests.Add(new ReceivedRequest(context.Request.Method, context.Request.Path, context.Request.Protocol, headers, body.ToArray()));
            answer = _script.TryDequeue(out var scripted) ? scripted : _otherwise;
            foreach (var (_, reached) in _waiters.Where(w => _requests.Count >= w.Count))
            {
                reached.TrySetResult();
            }
        }
        await answer(context);
    }
}
