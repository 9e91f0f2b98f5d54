using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace SignalHub.Storage.Secrets;

/// <summary>Wraps the keys of the Data Protection ring before they are stored.</summary>
internal sealed class KeyRingEncryptor(EncryptionKey key) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) => new(
        new XElement("wrapped",
            new XComment(" AES-256-GCM with SignalHub__EncryptionKey: nonce, tag, ciphertext "),
            new XElement("value", Convert.ToBase64String(key.Encrypt(Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting)))))),
        typeof(KeyRingDecryptor));
}

/// <summary>Data Protection makes it by the type name it stored with the key, handing it the services.</summary>
internal sealed class KeyRingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => Decrypt(encryptedElement, services.GetRequiredService<EncryptionKey>());

    public static XElement Decrypt(XElement encryptedElement, EncryptionKey key) =>
        XElement.Parse(Encoding.UTF8.GetString(key.Decrypt(Convert.FromBase64String((string?)encryptedElement.Element("value") ?? ""))));
}
