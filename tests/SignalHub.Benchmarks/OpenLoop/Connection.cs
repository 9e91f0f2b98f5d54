using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>What came back.</summary>
/// <param name="SaysWhen">It has <c>Retry-After</c>.</param>
/// <param name="Captured">Signals that a 207 says are stored.</param>
internal readonly record struct Answer(int Status, bool SaysWhen, int Captured)
{
    /// <summary>The status of a connection that broke.</summary>
    public const int Broken = -1;
}

/// <summary>One HTTP/1.1 connection that is kept open: sends a request, reads its answer, is free again.</summary>
internal sealed class Connection(IPEndPoint address, byte[] request, Action<Connection, Answer> answered) : IDisposable
{
    private const int Partly = 207;
    private const int FirstRead = 4096;

    private Socket _socket = NewSocket();
    private byte[] _received = new byte[FirstRead];

    /// <summary>Bytes of the request that is sent next.</summary>
    public byte[] Request => request;

    /// <summary>What it was sent for.</summary>
    public int Arrival { get; set; }

    public void Open() => _socket.Connect(address);

    /// <summary>Sends and answers later through the callback.</summary>
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
                if (TryRead(_received.AsSpan(0, length), out var answer))
                {
                    answered(this, answer);
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
        answered(this, new Answer(Answer.Broken, SaysWhen: false, Captured: 0));
    }

    /// <summary>Whether the answer is there to its end: by its length, by its last chunk, or because it has no body.</summary>
    private static bool TryRead(ReadOnlySpan<byte> received, out Answer answer)
    {
        answer = default;
        var head = received.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }
        var headers = received[..(head + 2)];
        var body = received[(head + 4)..];
        var length = headers.IndexOf("Content-Length: "u8);
        var isWhole = length < 0
            ? headers.IndexOf("chunked"u8) < 0 || body.EndsWith("0\r\n\r\n"u8)
            : body.Length >= Number(headers[(length + "Content-Length: ".Length)..]);
        if (isWhole)
        {
            var status = Number(headers["HTTP/1.1 ".Length..]);
            var captured = status == Partly ? Number(body[(body.IndexOf("\"captured\":"u8) + "\"captured\":".Length)..]) : 0;
            answer = new Answer(status, headers.IndexOf("Retry-After: "u8) >= 0, captured);
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
