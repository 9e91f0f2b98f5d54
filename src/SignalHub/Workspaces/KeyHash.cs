using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace SignalHub.Workspaces;

/// <summary>SHA-256 of a whole key. Two of them are compared in constant time, also when they are keys of a dictionary.</summary>
public readonly struct KeyHash : IEquatable<KeyHash>
{
    private readonly UInt128 _first;
    private readonly UInt128 _second;

    public KeyHash(ReadOnlySpan<byte> sha256)
    {
        _first = MemoryMarshal.Read<UInt128>(sha256);
        _second = MemoryMarshal.Read<UInt128>(sha256[16..]);
    }

    /// <param name="key">At most <see cref="ApiKey.MaxLength"/> characters.</param>
    public static KeyHash Of(string key)
    {
        Span<byte> text = stackalloc byte[Encoding.UTF8.GetMaxByteCount(ApiKey.MaxLength)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(key, text)], hash);
        return new KeyHash(hash);
    }

    public byte[] ToArray() => Bytes(in this).ToArray();

    public bool Equals(KeyHash other) => CryptographicOperations.FixedTimeEquals(Bytes(in this), Bytes(in other));

    public override bool Equals(object? obj) => obj is KeyHash other && Equals(other);

    public override int GetHashCode() => (int)(ulong)_first;

    public static bool operator ==(KeyHash left, KeyHash right) => left.Equals(right);

    public static bool operator !=(KeyHash left, KeyHash right) => !left.Equals(right);

    private static ReadOnlySpan<byte> Bytes(ref readonly KeyHash hash) => MemoryMarshal.AsBytes(new ReadOnlySpan<KeyHash>(in hash));
}
