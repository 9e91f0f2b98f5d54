using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>Clients that send a byte a second, half of them in the headers and half in the body; they come back when they are thrown out.</summary>
internal sealed class SlowClients : IAsyncDisposable
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _clients;

    public SlowClients(Uri url, string key, int count)
    {
        var address = new IPEndPoint(IPAddress.Parse(url.Host), url.Port);
        var head = Encoding.ASCII.GetBytes($"POST /signals HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n");
        byte[] body = [.. head, .. "\r\n{"u8];
        _clients = [.. Enumerable.Range(0, count).Select(i => DripAsync(address, i % 2 == 0 ? head : body))];
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_clients);
        _end.Dispose();
    }

    private async Task DripAsync(IPEndPoint address, byte[] begin)
    {
        using var timer = new PeriodicTimer(_second);
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(address, _end.Token);
                await socket.SendAsync(begin, _end.Token);
                while (await timer.WaitForNextTickAsync(_end.Token))
                {
                    await socket.SendAsync("x"u8.ToArray(), _end.Token);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // thrown out: once more; or the end
            }
        }
    }
}
