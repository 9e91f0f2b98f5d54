using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHub.Tests.Support;

/// <summary>A socket that answers each connection with fixed bytes, whatever it is sent, and then closes, resets or hangs.</summary>
internal sealed class RawReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _serving = Task.CompletedTask;

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/hook";

    public Task Connected => _connected.Task;

    /// <param name="keepOpen">Says nothing more and does not hang up.</param>
    /// <param name="reset">Ends with a reset instead of a proper end.</param>
    /// <param name="endless">Sends the answer again and again.</param>
    public static RawReceiver Start(string answer, bool keepOpen = false, bool reset = false, bool endless = false)
    {
        var receiver = new RawReceiver();
        receiver._listener.Start();
        receiver._serving = receiver.ServeAsync(Encoding.Latin1.GetBytes(answer), keepOpen, reset, endless);
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private async Task ServeAsync(byte[] answer, bool keepOpen, bool reset, bool endless)
    {
        while (true)
        {
            using var socket = await _listener.AcceptSocketAsync(_over.Token);
            _connected.TrySetResult();
            await socket.ReceiveAsync(new byte[8_192], _over.Token);
            do
            {
                await socket.SendAsync(answer, _over.Token);
            }
            while (endless);
            if (keepOpen)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _over.Token);
            }
            if (reset)
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            else
            {
                socket.Shutdown(SocketShutdown.Send);
                // Waits for the peer, so that what it had sent does not turn the end into a reset.
                while (await socket.ReceiveAsync(new byte[8_192], _over.Token) > 0)
                {
                }
            }
        }
    }
}
