using System.Security.Cryptography;

namespace SignalHub.Storage.Secrets;

/// <summary>Finds out at start, not at the first delivery, that the encryption key is another than the ring was wrapped with.</summary>
internal sealed class KeyRingCheck(KeyRingStore ring, EncryptionKey key, SecretProtector protector)
{
    private const string Probe = "start";

    /// <exception cref="StartException">A key of the ring cannot be unwrapped.</exception>
    public void Run()
    {
        try
        {
            // First of all: Data Protection answers keys it cannot read with a new one, which the right key could not read then.
            foreach (var wrapped in ring.GetAllElements().SelectMany(element => element.Descendants("wrapped")))
            {
                KeyRingDecryptor.Decrypt(wrapped, key);
            }
            // A fresh database gets its first key here, so that another encryption key is noticed from now on.
            _ = protector.Unprotect(protector.Protect(Probe));
        }
        catch (Exception e) when (e is WrongEncryptionKeyException or CryptographicException)
        {
            throw new StartException(
                $"{SettingsReader.Shown(SettingsReader.EncryptionKey)} (or encryption.key in the data directory) is not the key that this database's secrets were encrypted with: give that one.", e);
        }
    }
}
