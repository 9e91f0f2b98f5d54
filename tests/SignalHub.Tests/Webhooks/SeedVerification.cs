using System.Security.Cryptography;
using System.Text;

namespace SignalHub.Tests.Webhooks;

/// <summary>What receivers do, written from the descriptions they follow and not from our signer.</summary>
internal static class SeedVerification
{
    /// <summary>Seed 001, Node.js: the header against "sha256=" and the hex digest, compared as ASCII buffers of equal length.</summary>
    public static bool Node(byte[] rawBody, string receivedSignature, string secret)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(rawBody);
        var digest = string.Concat(hmac.GetHashAndReset().Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes($"sha256={digest}"), Encoding.ASCII.GetBytes(receivedSignature));
    }

    /// <summary>Seed 001, Python: the same digest with the text forms compared.</summary>
    public static bool Python(byte[] rawBody, string receivedSignature, string secret)
    {
        using var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(secret));
        return $"sha256={Convert.ToHexStringLower(hmac.ComputeHash(rawBody))}" == receivedSignature;
    }

    /// <summary>Standard Webhooks: any of the space-separated values whose version is v1 may match.</summary>
    public static bool StandardWebhooks(string id, string timestamp, string signatures, byte[] rawBody, string secret)
    {
        var key = secret.StartsWith("whsec_", StringComparison.Ordinal) ? Convert.FromBase64String(secret[6..]) : Encoding.ASCII.GetBytes(secret);
        using var hmac = new HMACSHA256(key);
        var expected = Convert.ToBase64String(hmac.ComputeHash([.. Encoding.UTF8.GetBytes(id + "." + timestamp + "."), .. rawBody]));
        return signatures.Split(' ').Select(s => s.Split(',')).Any(s => s[0] == "v1" && s[1] == expected);
    }
}
