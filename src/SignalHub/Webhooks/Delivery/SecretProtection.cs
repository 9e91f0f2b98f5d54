using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Secrets at rest: <c>webhook_endpoints.secret</c> and <c>previous_secret</c> hold what <see cref="Protect"/> returns, and
/// nothing else turns them back.
/// </summary>
public sealed class SecretProtection(IDataProtectionProvider provider)
{
    // Decrypting costs as much as signing; a few thousand endpoints' secrets are a megabyte. Beyond that the memory starts anew.
    private const int MaxRemembered = 5_000;

    private readonly IDataProtector _protector = provider.CreateProtector("SignalHub.Webhooks.EndpointSecret");
    private readonly ConcurrentDictionary<string, WebhookSecret> _known = new(StringComparer.Ordinal);

    public byte[] Protect(WebhookSecret secret) => _protector.Protect(Encoding.UTF8.GetBytes(secret.Text));

    /// <exception cref="System.Security.Cryptography.CryptographicException">The key ring does not hold the key.</exception>
    public WebhookSecret Unprotect(byte[] stored)
    {
        // The stored form is salted, so it stands for one secret of one endpoint.
        var key = Convert.ToBase64String(stored);
        if (_known.TryGetValue(key, out var secret))
        {
            return secret;
        }
        secret = WebhookSecret.Parse(Encoding.UTF8.GetString(_protector.Unprotect(stored)));
        if (_known.Count >= MaxRemembered)
        {
            _known.Clear();
        }
        return _known[key] = secret;
    }
}
