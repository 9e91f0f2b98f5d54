using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SignalHub.Benchmarks.Delivery;

/// <summary>Kestrel on a loopback port in this process: counts, remembers when which event arrived first, answers 200.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private const string SlowPath = "/slow";

    // Just inside the ten seconds that an answer may take.
    private static readonly TimeSpan _slowness = TimeSpan.FromSeconds(9);

    private readonly WebApplication _app;
    private long _received;

    private Receiver(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    public string SlowUrl => new Uri(new Uri(Url), SlowPath).ToString();

    public long Received => Interlocked.Read(ref _received);

    /// <summary>By <c>webhook-id</c>, as <see cref="Stopwatch"/> ticks; null: arrivals are counted only.</summary>
    public ConcurrentDictionary<string, long>? Arrivals { get; set; }

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var receiver = new Receiver(app);
        app.Run(receiver.HandleAsync);
        await app.StartAsync();
        receiver.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hook";
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var at = Stopwatch.GetTimestamp();
        if (context.Request.Path == SlowPath)
        {
            await Task.Delay(_slowness, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        await context.Request.Body.CopyToAsync(Stream.Null);
        Arrivals?.TryAdd(context.Request.Headers["webhook-id"].ToString(), at);
        Interlocked.Increment(ref _received);
    }
}
