using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHub.Tests.Support;

/// <summary>
/// A bare socket that answers any number of connections: the first part of the answer at once, the second one byte a second, until the
/// sender hangs up.
/// </summary>
internal sealed class DrippingReceiver : IAsyncDisposable
{
    private static readonly TimeSpan _drop = TimeSpan.FromSeconds(1);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _connections = [];
    private readonly (byte[] AtOnce, byte[] Slowly) _answer;
    private Task _accepting = Task.CompletedTask;

    private DrippingReceiver(string atOnce, string slowly) => _answer = (Encoding.ASCII.GetBytes(atOnce), Encoding.ASCII.GetBytes(slowly));

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/hook";

    public static DrippingReceiver Start(string atOnce, string slowly)
    {
        var receiver = new DrippingReceiver(atOnce, slowly);
        receiver._listener.Start();
        receiver._accepting = receiver.AcceptAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _connections.Add(AnswerAsync(await _listener.AcceptSocketAsync(_over.Token)));
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using var _ = socket;
        await socket.ReceiveAsync(new byte[8_192], _over.Token);
        await socket.SendAsync(_answer.AtOnce, _over.Token);
        using var drops = new PeriodicTimer(_drop, TimeProvider.System);
        foreach (var drop in _answer.Slowly)
        {
            await drops.WaitForNextTickAsync(_over.Token);
            await socket.SendAsync(new[] { drop }, _over.Token);
        }
    }
}
