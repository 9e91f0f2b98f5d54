using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace SignalHub.Http;

public static class HttpServices
{
    // Above the largest body any route takes (a batch of 5 MB); each route counts its own limit, after decompression.
    private const long LargestBody = 8 * 1024 * 1024;

    /// <summary>JSON as it looks here, and what the server lets through.</summary>
    public static void AddSignalHubHttp(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<JsonOptions>(json => Json.Configure(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        // A request goes on in the thread that found its bytes, up to its first wait. Queued, it stood behind whatever else the pool had to do, twice: a
        // refusal under overload waited four times as long as it took. Nothing on a signal's way blocks a thread, which is what makes this safe.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
        });
    }
}
