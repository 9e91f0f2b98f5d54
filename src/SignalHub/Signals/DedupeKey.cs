using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SignalHub.Signals;

/// <summary>
/// What makes two requests the same signal (spec: Idempotency). Either the key the client chose, or the natural key: type, source,
/// identity as sent, and time. Parts are length-prefixed, so no two lists of parts have the same bytes.
/// </summary>
public readonly record struct DedupeKey(byte[] Hash, bool IsClientKey)
{
    /// <summary>Of the key the client chose: replaces the natural key.</summary>
    public static DedupeKey FromClient(Guid workspaceId, string mode, string idempotencyKey)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Start(hash, "client", workspaceId, mode);
        Append(hash, idempotencyKey);
        return new DedupeKey(hash.GetHashAndReset(), true);
    }

    /// <summary>Of type, source, sorted canonical identity keys and the microsecond.</summary>
    public static DedupeKey Natural(
        Guid workspaceId, string mode, string typeKey, string source, IEnumerable<string> sortedIdentityKeys, DateTimeOffset occurredAt)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Start(hash, "natural", workspaceId, mode);
        Append(hash, typeKey);
        Append(hash, source);
        Append(hash, occurredAt.UtcTicks / TimeSpan.TicksPerMicrosecond);
        foreach (var key in sortedIdentityKeys)
        {
            Append(hash, key);
        }
        return new DedupeKey(hash.GetHashAndReset(), false);
    }

    /// <summary>Equal to nothing: for a signal without any canonical key.</summary>
    public static DedupeKey Unique() => new(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes), false);

    private static void Start(IncrementalHash hash, string kind, Guid workspaceId, string mode)
    {
        Span<byte> id = stackalloc byte[16];
        workspaceId.TryWriteBytes(id, bigEndian: true, out _);
        Append(hash, kind);
        hash.AppendData(id);
        Append(hash, mode);
    }

    private static void Append(IncrementalHash hash, string text)
    {
        Span<byte> small = stackalloc byte[512];
        var count = Encoding.UTF8.GetByteCount(text);
        var bytes = count <= small.Length ? small[..count] : new byte[count];
        Encoding.UTF8.GetBytes(text, bytes);
        Append(hash, (long)count);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        hash.AppendData(bytes);
    }
}

/// <summary>
/// What a request said, field by field, as 8-byte hashes: tells a retry from a key that was used again for something else, and
/// names the fields that differ.
/// </summary>
public readonly record struct ContentHash(byte[] Bytes)
{
    private static readonly string[] Fields = ["signal_type", "source", "occurred_at", "identity", "event_name", "context", "backfill"];

    /// <summary>Absent fields count as absent, not as their defaults: a retry without <c>occurred_at</c> is the same content, and so is one
    /// without a context where the first had an empty one.</summary>
    public static ContentHash Of(SignalRequest request, string typeKey)
    {
        var bytes = new byte[Fields.Length * 8];
        Set(bytes, 0, CanonicalJson.Hash(typeKey));
        Set(bytes, 1, CanonicalJson.Hash(request.Source));
        Set(bytes, 2, request.OccurredAt is { } at ? at.UtcTicks : 0);
        Set(bytes, 3, CanonicalJson.Hash(request.IdentityAsRead));
        Set(bytes, 4, CanonicalJson.Hash(request.EventName));
        Set(bytes, 5, IsEmpty(request.Context) ? 0 : CanonicalJson.Hash(request.Context));
        Set(bytes, 6, request.Backfill ? 1 : 0);
        return new ContentHash(bytes);
    }

    /// <summary>Of event name and context only: what a natural key leaves open.</summary>
    public long Payload => BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(32)) ^ (BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(40)) * 31);

    /// <summary>Names of the fields in which the two differ.</summary>
    public IReadOnlyList<string> DifferingFields(ReadOnlySpan<byte> other)
    {
        var differing = new List<string>();
        for (var i = 0; i < Fields.Length; i++)
        {
            if (other.Length < (i + 1) * 8 || !other.Slice(i * 8, 8).SequenceEqual(Bytes.AsSpan(i * 8, 8)))
            {
                differing.Add(Fields[i]);
            }
        }
        return differing;
    }

    private static bool IsEmpty(JsonElement context) => context.ValueKind == JsonValueKind.Undefined || !context.EnumerateObject().Any();

    private static void Set(byte[] bytes, int field, long value) => BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(field * 8), value);
}
