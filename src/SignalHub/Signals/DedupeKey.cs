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
    private const int Usual = 512;

    /// <summary>Of the key the client chose: replaces the natural key.</summary>
    public static DedupeKey FromClient(Guid workspaceId, string mode, string idempotencyKey)
    {
        var parts = new Parts(stackalloc byte[Usual], "client", workspaceId, mode);
        parts.Add(idempotencyKey);
        return new DedupeKey(parts.Hash(), true);
    }

    /// <summary>Of type, source, sorted canonical identity keys and the microsecond.</summary>
    public static DedupeKey Natural(
        Guid workspaceId, string mode, string typeKey, string source, IEnumerable<string> sortedIdentityKeys, DateTimeOffset occurredAt)
    {
        var parts = new Parts(stackalloc byte[Usual], "natural", workspaceId, mode);
        parts.Add(typeKey);
        parts.Add(source);
        parts.Add(occurredAt.UtcTicks / TimeSpan.TicksPerMicrosecond);
        foreach (var key in sortedIdentityKeys)
        {
            parts.Add(key);
        }
        return new DedupeKey(parts.Hash(), false);
    }

    /// <summary>Equal to nothing: for a signal without any canonical key.</summary>
    public static DedupeKey Unique() => new(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes), false);

    /// <summary>The parts in a row: hashing them at once costs a fifth of handing them over one by one.</summary>
    private ref struct Parts
    {
        private Span<byte> _bytes;
        private int _length;

        public Parts(Span<byte> buffer, string kind, Guid workspaceId, string mode)
        {
            _bytes = buffer;
            Add(kind);
            workspaceId.TryWriteBytes(Room(16), bigEndian: true, out _);
            Add(mode);
        }

        public void Add(string text)
        {
            var count = Encoding.UTF8.GetByteCount(text);
            Add((long)count);
            Encoding.UTF8.GetBytes(text, Room(count));
        }

        public void Add(long value) => BinaryPrimitives.WriteInt64BigEndian(Room(8), value);

        public readonly byte[] Hash() => SHA256.HashData(_bytes[.._length]);

        private Span<byte> Room(int count)
        {
            if (_length + count > _bytes.Length)
            {
                var larger = new byte[Math.Max(_bytes.Length * 2, _length + count)];
                _bytes[.._length].CopyTo(larger);
                _bytes = larger;
            }
            _length += count;
            return _bytes.Slice(_length - count, count);
        }
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
    /// <param name="typeKey">Key of the type that was sent.</param>
    /// <param name="isClientKey">False: the natural key has settled the other fields, so that only <see cref="Payload"/> is asked for.</param>
    public static ContentHash Of(SignalRequest request, string typeKey, bool isClientKey)
    {
        var bytes = new byte[Fields.Length * 8];
        if (isClientKey)
        {
            Set(bytes, 0, CanonicalJson.Hash(typeKey));
            Set(bytes, 1, CanonicalJson.Hash(request.Source));
            Set(bytes, 2, request.OccurredAt is { } at ? at.UtcTicks : 0);
            Set(bytes, 3, CanonicalJson.Hash(request.IdentityAsRead));
            Set(bytes, 6, request.Backfill ? 1 : 0);
        }
        Set(bytes, 4, CanonicalJson.Hash(request.EventName));
        Set(bytes, 5, IsEmpty(request.Context) ? 0 : CanonicalJson.Hash(request.Context));
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
