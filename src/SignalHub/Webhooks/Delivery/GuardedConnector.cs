using System.Net;
using System.Net.Sockets;

namespace SignalHub.Webhooks.Delivery;

/// <summary>Looks a name up. A seam for tests, which need DNS that lies; production passes the system's resolver.</summary>
public delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>
/// Makes the connections of <see cref="WebhookSender"/>: resolves, has every address checked, and connects to exactly the
/// addresses that were checked, so that an answer of DNS that changes between check and connect changes nothing.
/// </summary>
internal sealed class GuardedConnector(OutboundGuard guard, ResolveHost resolve, TimeSpan timeout, TimeProvider clock)
{
    public static readonly HttpRequestOptionsKey<AttemptTrace> TraceKey = new("SignalHub.AttemptTrace");

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var trace = context.InitialRequestMessage.Options.TryGetValue(TraceKey, out var found) ? found : null;
        using var limit = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var endpoint = context.DnsEndPoint;
            var addresses = await ResolveAsync(endpoint.Host, either.Token);
            var (admitted, problem) = guard.Admit(endpoint.Host, addresses);
            if (problem is not null)
            {
                throw new ConnectFailedException(ErrorClass.BlockedAddress, problem);
            }
            var stream = await ConnectAsync(admitted, endpoint.Port, either.Token);
            trace?.Connected(stream.RemoteAddress, clock.GetElapsedTime(started));
            return stream;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new ConnectFailedException(ErrorClass.ConnectTimeout, $"No connection within {timeout.TotalSeconds:0.#} s.");
        }
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out var literal))
        {
            return [literal];
        }
        try
        {
            var addresses = await resolve(host, cancellationToken);
            return addresses.Length > 0
                ? addresses
                : throw new ConnectFailedException(ErrorClass.DnsError, "The host's name has no address.");
        }
        catch (SocketException e)
        {
            throw new ConnectFailedException(ErrorClass.DnsError, $"The host's name could not be resolved ({e.SocketErrorCode}).");
        }
    }

    private static async Task<TracedStream> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
                return new TracedStream(socket, AddressRules.Plain(address).ToString());
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw last!.SocketErrorCode == SocketError.TimedOut
            ? new ConnectFailedException(ErrorClass.ConnectTimeout, "The host did not answer.")
            : new ConnectFailedException(ErrorClass.ConnectionRefused, $"The host could not be connected to ({last.SocketErrorCode}).");
    }
}

/// <summary>A connection that was not made, with its class of error; the handler wraps it, the sender digs it out.</summary>
internal sealed class ConnectFailedException(string errorClass, string detail) : IOException(detail)
{
    public string ErrorClass { get; } = errorClass;
}

/// <summary>What the layers below a request tell about its connection.</summary>
internal sealed class AttemptTrace
{
    /// <summary>The trace of the request that this flow of control is sending.</summary>
    public static readonly AsyncLocal<AttemptTrace?> Current = new();

    public string? RemoteAddress { get; private set; }

    /// <summary>Null when a pooled connection was used.</summary>
    public TimeSpan? ConnectTime { get; private set; }

    public void Connected(string address, TimeSpan time)
    {
        RemoteAddress = address;
        ConnectTime = time;
    }

    /// <summary>The request went out on that connection: one made for it (its time is known already) or a pooled one.</summary>
    public void SentTo(string address) => RemoteAddress = address;
}

/// <summary>A connection that tells each request that is written to it where it went; HTTP/1.1 writes in the request's own flow.</summary>
internal sealed class TracedStream(Socket socket, string remoteAddress) : NetworkStream(socket, ownsSocket: true)
{
    public string RemoteAddress { get; } = remoteAddress;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        AttemptTrace.Current.Value?.SentTo(RemoteAddress);
        return base.WriteAsync(buffer, cancellationToken);
    }
}
