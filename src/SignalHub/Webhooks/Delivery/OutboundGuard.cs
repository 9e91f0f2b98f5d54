using System.Net;
using Microsoft.Extensions.Options;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Keeps receivers out of our own network (server-side request forgery). A URL is checked as written when it is saved and
/// before each send, because settings change; the addresses behind its name are checked when a connection is made, because
/// DNS changes. Pure: knows the settings, asks nobody.
/// </summary>
public sealed class OutboundGuard
{
    /// <summary>What servers and proxies accept at least (RFC 9110 section 4.1 asks for 8,000 octets; 2,048 is common).</summary>
    public const int MaxUrlLength = 2_048;

    private readonly IReadOnlyList<IPNetwork> _allowed;
    private readonly bool _allowHttp;

    public OutboundGuard(IOptions<WebhookOptions> options)
        : this(options.Value.Networks(), options.Value.AllowHttp)
    {
    }

    internal OutboundGuard(IReadOnlyList<IPNetwork> allowed, bool allowHttp)
    {
        _allowed = allowed;
        _allowHttp = allowHttp;
    }

    /// <summary>
    /// What is wrong with a receiver's URL, in a sentence for its owner, or null. Does not look the name up.
    /// </summary>
    public string? CheckUrl(string url)
    {
        if (url.Length is 0 or > MaxUrlLength)
        {
            return $"The URL has to have 1 to {MaxUrlLength} characters.";
        }
        // Uri reads a backslash as a slash and drops surrounding space; other programs do not, and a check must not depend on it.
        if (url.Any(c => c is '\\' or ' ' || char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            return "The URL must not contain spaces, control characters or backslashes.";
        }
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            return "The URL has to be absolute, such as https://example.com/hook.";
        }
        if (uri.Scheme != Uri.UriSchemeHttps && !(_allowHttp && uri.Scheme == Uri.UriSchemeHttp))
        {
            return _allowHttp ? "The URL has to begin with https:// or http://." : "The URL has to begin with https://.";
        }
        if (HostAsWritten(url) is not { } written)
        {
            return "The URL must not contain a user name or password.";
        }
        return CheckHost(written, uri);
    }

    /// <summary>What is wrong with an address that a name resolved to, or null. The detail names the kind, not the address.</summary>
    public string? CheckAddress(IPAddress address)
    {
        var plain = AddressRules.Plain(address);
        return AddressRules.Refusal(plain) is { } kind && !IsAllowed(plain) ? $"The host's address is {kind}, which is not allowed." : null;
    }

    /// <summary>
    /// Of the addresses that a host has, those to connect to. One refused address among them refuses the host: a name with
    /// a public and a private answer is an attack or a mistake. Only <c>localhost</c>, whose answers nobody chose, keeps
    /// those that are allowed.
    /// </summary>
    /// <returns>The addresses, or none and the reason.</returns>
    public (IReadOnlyList<IPAddress> Addresses, string? Problem) Admit(string host, IReadOnlyList<IPAddress> addresses)
    {
        var problem = addresses.Select(CheckAddress).FirstOrDefault(p => p is not null);
        if (problem is null)
        {
            return (addresses, null);
        }
        var admitted = IsLocalhost(host) ? addresses.Where(a => CheckAddress(a) is null).ToArray() : [];
        return admitted.Length > 0 ? (admitted, null) : ([], problem);
    }

    private string? CheckHost(string written, Uri uri)
    {
        var host = uri.IdnHost.ToLowerInvariant();
        if (host.EndsWith('.') || written.EndsWith('.'))
        {
            return "The host must not end with a dot.";
        }
        if (uri.HostNameType == UriHostNameType.IPv6)
        {
            return host.Contains('%', StringComparison.Ordinal) || written.Contains('%', StringComparison.Ordinal)
                ? "An IPv6 host must not name a zone."
                : CheckAddress(IPAddress.Parse(host.Trim('[', ']')));
        }
        // Decimal, octal, hex, short and full-width forms all read as an address here and are no plain way to write one.
        var lastLabel = host[(host.LastIndexOf('.') + 1)..];
        if (uri.HostNameType == UriHostNameType.IPv4 || IsNumber(lastLabel))
        {
            return IPAddress.TryParse(host, out var address) && address.ToString() == written
                ? CheckAddress(address)
                : "An IPv4 host has to be written as four decimal numbers, such as 93.184.215.14.";
        }
        if (uri.HostNameType != UriHostNameType.Dns || Uri.CheckHostName(host) != UriHostNameType.Dns)
        {
            return "The host is not a valid name.";
        }
        if (IsLocalhost(host) && !IsAllowed(IPAddress.Loopback) && !IsAllowed(IPAddress.IPv6Loopback))
        {
            return "The host is this machine, which is not allowed.";
        }
        return null;
    }

    private bool IsAllowed(IPAddress address) => _allowed.Any(network => network.Contains(address));

    private static bool IsLocalhost(string host) => host is "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal);

    private static bool IsNumber(string label) => label.StartsWith("0x", StringComparison.Ordinal)
        ? label[2..].All(char.IsAsciiHexDigit)
        : label.Length > 0 && label.All(char.IsAsciiDigit);

    /// <summary>The host between scheme and port exactly as it stands in the URL; null when there is a user part before it.</summary>
    private static string? HostAsWritten(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = url.AsSpan(start).IndexOfAny('/', '?', '#');
        var authority = end < 0 ? url[start..] : url[start..(start + end)];
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            return null;
        }
        var port = authority.LastIndexOf(':');
        return port > authority.LastIndexOf(']') ? authority[..port] : authority;
    }
}
