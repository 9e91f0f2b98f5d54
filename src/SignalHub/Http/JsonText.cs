using System.Buffers;
using System.Text.Json;

namespace SignalHub.Http;

/// <summary>
/// A writer of small JSON texts, with its buffer kept by the thread for the next one: every signal writes several. To be disposed
/// where it was rented, without an await in between.
/// </summary>
public sealed class JsonText : IDisposable
{
    private const int Usual = 4 * 1024;

    // What a rare large text needed is not kept for the small ones.
    private const int LargestKept = 64 * 1024;

    [ThreadStatic]
    private static JsonText? _kept;

    private readonly ArrayBufferWriter<byte> _buffer = new(Usual);

    private JsonText() => Writer = new Utf8JsonWriter(_buffer, Json.WriterOptions);

    public Utf8JsonWriter Writer { get; }

    /// <summary>What was written, until the next write.</summary>
    public ReadOnlySpan<byte> Utf8
    {
        get
        {
            Writer.Flush();
            return _buffer.WrittenSpan;
        }
    }

    public static JsonText Rent()
    {
        var rented = _kept ?? new JsonText();
        _kept = null;
        return rented;
    }

    /// <summary>Sends it as the whole answer: with its length, in one piece. When this returns, its bytes are copied: it may be disposed before the task ends.</summary>
    public Task SendAsync(HttpResponse response, string contentType)
    {
        var utf8 = Utf8;
        response.ContentType = contentType;
        response.ContentLength = utf8.Length;
        response.BodyWriter.Write(utf8);
        return response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted).AsTask();
    }

    public void Dispose()
    {
        if (_buffer.Capacity > LargestKept)
        {
            Writer.Dispose();
            return;
        }
        _buffer.ResetWrittenCount();
        Writer.Reset();
        _kept = this;
    }
}
