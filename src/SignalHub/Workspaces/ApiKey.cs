using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;

namespace SignalHub.Workspaces;

/// <summary>
/// The form of a workspace key: <c>sk_live_</c> or <c>sk_test_</c>, 8 public characters that lists show, and 32 random bytes in
/// base62 (43 characters). The database holds only the SHA-256 of the whole key: 256 random bits need no slow hash.
/// </summary>
public static class ApiKey
{
    public const string LivePrefix = "sk_live_";
    public const string TestPrefix = "sk_test_";

    /// <summary>Of the operator's key, which is given or made at the first start and stands in no table.</summary>
    public const string OperatorPrefix = "op_";

    /// <summary>Longer than any key, the operator's included.</summary>
    public const int MaxLength = 256;

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int PublicLength = 8;
    private const int SecretBytes = 32;
    private const int SecretLength = 43; // 62^43 > 2^256
    private const int PrefixLength = 8;
    private const int Length = PrefixLength + PublicLength + SecretLength;

    private static readonly SearchValues<char> _digits = SearchValues.Create(Alphabet);

    public static string New(bool isTest) =>
        (isTest ? TestPrefix : LivePrefix) + RandomNumberGenerator.GetString(Alphabet, PublicLength) + Base62(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>What may be shown of a key: everything before its secret.</summary>
    public static string ShownPart(string key) => key[..(PrefixLength + PublicLength)];

    /// <summary>False for what cannot be a workspace key: no query is spent on it.</summary>
    public static bool IsWellFormed(string text) =>
        text.Length == Length
        && (text.StartsWith(LivePrefix, StringComparison.Ordinal) || text.StartsWith(TestPrefix, StringComparison.Ordinal))
        && text.AsSpan(PrefixLength).IndexOfAnyExcept(_digits) < 0;

    /// <summary>Unsigned big-endian, padded to the length that every 32 bytes fit in.</summary>
    internal static string Base62(ReadOnlySpan<byte> bytes)
    {
        var value = new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
        Span<char> digits = stackalloc char[SecretLength];
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            value = BigInteger.DivRem(value, Alphabet.Length, out var digit);
            digits[i] = Alphabet[(int)digit];
        }
        return new string(digits);
    }
}
