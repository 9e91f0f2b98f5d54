using System.Buffers;
using System.IO.Compression;
using Microsoft.Net.Http.Headers;

namespace SignalHub.Http;

/// <summary>Reads a whole body within a limit that counts after decompression.</summary>
public static class RequestBody
{
    /// <summary>1 MB: the limit of every JSON body but a batch.</summary>
    public const int DefaultLimit = 1024 * 1024;

    // Some .NET and Windows tools begin their UTF-8 with it; it says nothing.
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private static readonly string[] JsonTypes = ["application/json", "application/merge-patch+json", "text/json"];

    /// <summary>
    /// The body's bytes, or the problem: 415 for a content type that is not JSON (an absent one is taken as JSON) or an
    /// encoding other than gzip and br, 413 over the limit, 400 for a broken compressed stream.
    /// </summary>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, Problem? Problem)> ReadAsync(
        HttpContext context, int limit = DefaultLimit, params string[] alsoAccepted)
    {
        var request = context.Request;
        if (CheckContentType(request, alsoAccepted) is { } wrongType)
        {
            return (default, wrongType);
        }
        if (request.ContentLength > limit && request.Headers.ContentEncoding.Count == 0)
        {
            return (default, TooLarge(limit));
        }
        Stream source;
        switch (request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant())
        {
            case "" or "identity": source = request.Body; break;
            case "gzip" or "x-gzip": source = new GZipStream(request.Body, CompressionMode.Decompress); break;
            case "br": source = new BrotliStream(request.Body, CompressionMode.Decompress); break;
            default:
                return (default, new Problem(ProblemCodes.UnsupportedEncoding, "Content-Encoding must be gzip, br or absent."));
        }
        try
        {
            return await ReadToLimitAsync(source, request.ContentLength, limit, context.RequestAborted);
        }
        // BrotliStream has its own word for a broken stream.
        catch (Exception e) when (e is InvalidDataException || (source is BrotliStream && e is InvalidOperationException))
        {
            return (default, new Problem(ProblemCodes.MalformedJson, "The compressed body is broken: it does not match its Content-Encoding."));
        }
        finally
        {
            if (source != request.Body)
            {
                await source.DisposeAsync();
            }
        }
    }

    private static Problem? CheckContentType(HttpRequest request, string[] alsoAccepted)
    {
        if (string.IsNullOrWhiteSpace(request.ContentType))
        {
            return null;
        }
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !(JsonTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
                || alsoAccepted.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)))
        {
            return new Problem(ProblemCodes.UnsupportedMediaType, "Send the body as JSON with Content-Type: application/json.");
        }
        return type.Charset.HasValue && !type.Charset.Value!.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            ? new Problem(ProblemCodes.UnsupportedMediaType, "Send the body in UTF-8: another charset is not supported.")
            : null;
    }

    private static async ValueTask<(ReadOnlyMemory<byte>, Problem?)> ReadToLimitAsync(Stream source, long? declared, int limit, CancellationToken ct)
    {
        const int FirstBuffer = 4096;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp((declared ?? 0) + 1, FirstBuffer, limit + 1));
        try
        {
            var length = 0;
            while (true)
            {
                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 2, Math.Max(limit + 1, buffer.Length + 1)));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
                var read = await source.ReadAsync(buffer.AsMemory(length), ct);
                if (read == 0)
                {
                    var body = buffer.AsSpan(0, length);
                    return ((body.StartsWith(ByteOrderMark) ? body[ByteOrderMark.Length..] : body).ToArray(), null);
                }
                length += read;
                if (length > limit)
                {
                    return (default, TooLarge(limit));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Problem TooLarge(int limit) =>
        new(ProblemCodes.BodyTooLarge, $"The body is larger than {limit / 1024 / 1024} MB (counted after decompression): send less.");
}
