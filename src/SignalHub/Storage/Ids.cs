using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SignalHub.Storage;

/// <summary>
/// Public ids: a prefix and 26 characters of lower-case Crockford base32 over the 128 bits of a time-ordered UUID
/// (RFC 9562: version 7 for rows, version 8 for what is derived from its content). Opaque to clients; sorting the text
/// sorts by time.
/// </summary>
public static class Ids
{
    public const string Workspace = "ws_";
    public const string ApiKey = "key_";
    public const string Signal = "sig_";
    public const string Contact = "con_";
    public const string Account = "acc_";
    public const string Lead = "lead_";
    public const string Definition = "def_";
    public const string DefinitionVersion = "ver_";
    public const string Endpoint = "ep_";
    public const string Event = "evt_";
    public const string Delivery = "dlv_";
    public const string Job = "job_";
    public const string Automation = "auto_";
    public const string Project = "prj_";

    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int TextLength = 26;
    private const ulong Odd = 0x9E3779B97F4A7C15;

    /// <summary>A new version 7 UUID of that instant.</summary>
    public static Guid New(DateTimeOffset now) => Guid.CreateVersion7(now);

    /// <summary>
    /// A version 8 UUID: 48 bits of Unix milliseconds, then the first bits of <paramref name="hash"/>. The same instant and
    /// hash give the same id, which makes the id itself the deduplication key.
    /// </summary>
    public static Guid Derive(DateTimeOffset instant, ReadOnlySpan<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[16];
        var ms = instant.ToUnixTimeMilliseconds();
        BinaryPrimitives.WriteInt32BigEndian(bytes, (int)(ms >> 16));
        BinaryPrimitives.WriteInt16BigEndian(bytes[4..], (short)ms);
        hash[..10].CopyTo(bytes[6..]);
        bytes[6] = (byte)(0x80 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>A derived id whose hash is the SHA-256 of the ids it is made of.</summary>
    public static Guid Derive(DateTimeOffset instant, string kind, Guid first, Guid second, Guid? third = null)
    {
        var idBytes = third is null ? 32 : 48;
        Span<byte> parts = stackalloc byte[idBytes + kind.Length];
        first.TryWriteBytes(parts, bigEndian: true, out _);
        second.TryWriteBytes(parts[16..], bigEndian: true, out _);
        third?.TryWriteBytes(parts[32..], bigEndian: true, out _);
        System.Text.Encoding.ASCII.GetBytes(kind, parts[idBytes..]);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(parts, hash);
        return Derive(instant, hash);
    }

    /// <summary>
    /// The id of what one thing is to another: of the first one's instant. The first is derived from a hash, so its bits are as good as
    /// random, and stay so however the second one's are mixed in.
    /// </summary>
    public static Guid Combine(Guid derived, Guid other)
    {
        Span<byte> first = stackalloc byte[16];
        Span<byte> second = stackalloc byte[16];
        derived.TryWriteBytes(first, bigEndian: true, out _);
        other.TryWriteBytes(second, bigEndian: true, out _);
        var (high, low) = (BinaryPrimitives.ReadUInt64BigEndian(second), BinaryPrimitives.ReadUInt64BigEndian(second[8..]));
        Span<byte> hash = stackalloc byte[10];
        BinaryPrimitives.WriteUInt64BigEndian(hash, Mix(low + (Mix(high) * Odd)));
        BinaryPrimitives.WriteUInt16BigEndian(hash[8..], (ushort)Mix(high ^ low));
        for (var i = 0; i < hash.Length; i++)
        {
            hash[i] ^= first[6 + i];
        }
        return Derive(InstantOf(derived), hash);
    }

    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which each bit depends on all.
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>No id of that millisecond or a later one sorts before it, and all earlier ones do: turns a time into a place among ids.</summary>
    public static Guid Lowest(DateTimeOffset instant)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var ms = Math.Clamp(instant.ToUnixTimeMilliseconds(), 0, (1L << 48) - 1);
        BinaryPrimitives.WriteInt32BigEndian(bytes, (int)(ms >> 16));
        BinaryPrimitives.WriteInt16BigEndian(bytes[4..], (short)ms);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>The millisecond that a version 7 or 8 id of ours carries.</summary>
    public static DateTimeOffset InstantOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        var ms = ((long)BinaryPrimitives.ReadUInt32BigEndian(bytes) << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        return ms <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : DateTimeOffset.MaxValue;
    }

    public static string Text(string prefix, Guid id) => string.Create(prefix.Length + TextLength, (prefix, id), static (span, state) =>
    {
        state.prefix.CopyTo(span);
        Span<byte> bytes = stackalloc byte[16];
        state.id.TryWriteBytes(bytes, bigEndian: true, out _);
        var value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        for (var i = span.Length - 1; i >= state.prefix.Length; i--)
        {
            span[i] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }
    });

    public static string? Text(string prefix, Guid? id) => id is { } value ? Text(prefix, value) : null;

    /// <summary>Reads an id of that kind; anything else (other prefix, other length, bad digit) is false. Case does not matter.</summary>
    public static bool TryParse(string prefix, string? text, out Guid id)
    {
        id = default;
        if (text is null || text.Length != prefix.Length + TextLength || !text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        UInt128 value = 0;
        foreach (var c in text.AsSpan(prefix.Length))
        {
            var digit = Alphabet.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (digit < 0 || value >> 123 != 0)
            {
                return false;
            }
            value = (value << 5) | (uint)digit;
        }
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        id = new Guid(bytes, bigEndian: true);
        return true;
    }
}
