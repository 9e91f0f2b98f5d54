using System.Security.Cryptography;

namespace SignalHub.Storage.Secrets;

/// <summary>The text was not encrypted with this key, or was changed since.</summary>
public sealed class WrongEncryptionKeyException(Exception inner) : Exception("The data was not encrypted with this key.", inner);

/// <summary>
/// The key that wraps the Data Protection ring: AES-256-GCM with a fresh nonce each time, written as nonce, tag, ciphertext.
/// Known after the start step, like the database.
/// </summary>
public sealed class EncryptionKey
{
    private const int NonceBytes = 12; // NIST SP 800-38D, 8.2.2: random nonces of 96 bits; a ring holds a handful of them
    private const int TagBytes = 16;

    private byte[]? _key;

    internal void Use(byte[] key) => _key = key;

    public byte[] Encrypt(ReadOnlySpan<byte> text)
    {
        var sealedText = new byte[NonceBytes + TagBytes + text.Length];
        var nonce = sealedText.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = Cipher();
        aes.Encrypt(nonce, text, sealedText.AsSpan(NonceBytes + TagBytes), sealedText.AsSpan(NonceBytes, TagBytes));
        return sealedText;
    }

    /// <exception cref="WrongEncryptionKeyException">Another key wrote it, or it was changed.</exception>
    public byte[] Decrypt(ReadOnlySpan<byte> sealedText)
    {
        try
        {
            var text = new byte[Math.Max(0, sealedText.Length - NonceBytes - TagBytes)];
            using var aes = Cipher();
            aes.Decrypt(sealedText[..NonceBytes], sealedText[(NonceBytes + TagBytes)..], sealedText.Slice(NonceBytes, TagBytes), text);
            return text;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new WrongEncryptionKeyException(e);
        }
    }

    private AesGcm Cipher() => new(_key ?? throw new InvalidOperationException("The encryption key was used before the start step read it."), TagBytes);
}
