using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace SignalHub.Storage.Secrets;

/// <summary>Encrypts what has to be stored and shown to nobody: webhook secrets, refused bodies.</summary>
public sealed class SecretProtector(IDataProtectionProvider provider)
{
    private readonly IDataProtector _protector = provider.CreateProtector("SignalHub.Secrets.v1");

    public byte[] Protect(string secret) => _protector.Protect(Encoding.UTF8.GetBytes(secret));

    /// <exception cref="System.Security.Cryptography.CryptographicException">The bytes are not what <see cref="Protect"/> made.</exception>
    public string Unprotect(byte[] bytes) => Encoding.UTF8.GetString(_protector.Unprotect(bytes));
}
