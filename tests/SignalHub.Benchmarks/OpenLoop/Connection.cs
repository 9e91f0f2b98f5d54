using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>One HTTP/1.1 connection that is kept open: sends a request, reads its answer, is free again.</summary>
internal sealed class Connection(IPEndPoint address, byte[] request, Action<Connection, int, bool> answered) : IDisposable
{
    /// <summary>The status of a connection that broke.</summary>
    public const int Broken = -1;

    private const int FirstRead = 4096;

    private Socket _socket = NewSocket();
    private byte[] _received = new byte[FirstRead];

    /// <summary>Bytes of the request that is sent next.</summary>
    public byte[] Request => request;

    /// <summary>What it was sent for.</summary>
    public int Arrival { get; set; }

    public void Open() => _socket.Connect(address);

    /// <summary>Sends and answers later through the callback: status, and whether it told when to try again.</summary>
    public void Send()
    {
        try
        {
            _socket.Send(request);
        }
        catch (SocketException)
        {
            Break();
            return;
        }
        _ = ReceiveAsync();
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAsync()
    {
        var length = 0;
        try
        {
            while (true)
            {
                var read = await _socket.ReceiveAsync(_received.AsMemory(length), SocketFlags.None);
                if (read == 0)
                {
                    break;
                }
                length += read;
                if (TryRead(_received.AsSpan(0, length), out var status, out var saysWhen))
                {
                    answered(this, status, saysWhen);
                    return;
                }
                if (length == _received.Length)
                {
                    Array.Resize(ref _received, length * 2);
                }
            }
        }
        catch (SocketException)
        {
            // counted as broken
        }
        Break();
    }

    private void Break()
    {
        try
        {
            _socket.Dispose();
            _socket = NewSocket();
            _socket.Connect(address);
        }
        catch (SocketException)
        {
            // the next request on it is broken too
        }
        answered(this, Broken, false);
    }

    /// <summary>Whether the answer is there to its end: by its length, by its last chunk, or because it has no body.</summary>
    private static bool TryRead(ReadOnlySpan<byte> answer, out int status, out bool saysWhen)
    {
        (status, saysWhen) = (0, false);
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }
        var headers = answer[..(head + 2)];
        var body = answer[(head + 4)..];
        var length = headers.IndexOf("Content-Length: "u8);
        var isWhole = length < 0
            ? headers.IndexOf("chunked"u8) < 0 || body.EndsWith("0\r\n\r\n"u8)
            : body.Length >= Number(headers[(length + "Content-Length: ".Length)..]);
        if (isWhole)
        {
            status = Number(headers["HTTP/1.1 ".Length..]);
            saysWhen = headers.IndexOf("Retry-After: "u8) >= 0;
        }
        return isWhole;
    }

    private static int Number(ReadOnlySpan<byte> text)
    {
        var digits = text[..text.IndexOfAnyExceptInRange((byte)'0', (byte)'9')];
        return int.Parse(Encoding.ASCII.GetString(digits), CultureInfo.InvariantCulture);
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
}
