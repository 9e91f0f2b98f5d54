using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SignalHub.Webhooks.Delivery;

/// <summary>The values of <c>webhook-timestamp</c>, <c>webhook-signature</c> and the endpoint's own signature header.</summary>
public sealed record Signature(string Timestamp, string V1, string Hex);

/// <summary>
/// Both signature forms of a delivery. Standard Webhooks (https://www.standardwebhooks.com) signs id, time and body and takes
/// one value per live secret; the hex form is that of the Stairoids and Siggnal documents, signs the body alone and has room
/// for one value only, so it keeps the old secret until a rotation's grace is over.
/// </summary>
public static class WebhookSigner
{
    /// <param name="eventId">The event's public id: the value of <c>webhook-id</c>.</param>
    /// <param name="now">The instant of this attempt, to the second.</param>
    public static Signature Sign(SigningSecrets secrets, string eventId, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var previous = secrets.LivePrevious(now);
        var v1 = V1(secrets.Current, eventId, timestamp, body);
        return new Signature(
            timestamp,
            previous is null ? v1 : v1 + " " + V1(previous, eventId, timestamp, body),
            Hex(previous ?? secrets.Current, body));
    }

    /// <summary><c>v1,</c> and the base64 of HMAC-SHA256 over <c>id.timestamp.body</c>.</summary>
    public static string V1(WebhookSecret secret, string eventId, string timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetByteCount(eventId) + Encoding.UTF8.GetByteCount(timestamp) + 2;
        var content = ArrayPool<byte>.Shared.Rent(head + body.Length);
        try
        {
            Encoding.UTF8.GetBytes($"{eventId}.{timestamp}.", content);
            body.CopyTo(content.AsSpan(head));
            Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
            HMACSHA256.HashData(secret.V1Key, content.AsSpan(0, head + body.Length), hash);
            return "v1," + Convert.ToBase64String(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content);
        }
    }

    /// <summary><c>sha256=</c> and the lower-case hex of HMAC-SHA256 over the body.</summary>
    public static string Hex(WebhookSecret secret, ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret.TextKey, body, hash);
        return "sha256=" + Convert.ToHexStringLower(hash);
    }
}
