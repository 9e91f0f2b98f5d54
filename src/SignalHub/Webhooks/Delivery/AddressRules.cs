using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Which addresses are public. Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its
/// updates); everything that is not globally reachable there is refused, and so are the transition forms that carry an IPv4
/// address, unless they carry a public one and are in use (NAT64).
/// </summary>
internal static class AddressRules
{
    private static readonly (IPNetwork Network, string Name)[] RefusedV4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "unspecified"),
        (IPNetwork.Parse("10.0.0.0/8"), "private"),
        (IPNetwork.Parse("100.64.0.0/10"), "shared (carrier-grade NAT)"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("168.63.129.16/32"), "cloud metadata"),                 // Azure's, in a public range
        (IPNetwork.Parse("169.254.0.0/16"), "link-local or cloud metadata"),
        (IPNetwork.Parse("172.16.0.0/12"), "private"),
        (IPNetwork.Parse("192.0.0.0/24"), "reserved"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"),
        (IPNetwork.Parse("192.88.99.0/24"), "reserved"),                         // 6to4 relays, deprecated by RFC 7526
        (IPNetwork.Parse("192.168.0.0/16"), "private"),
        (IPNetwork.Parse("198.18.0.0/15"), "benchmark"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
    ];

    /// <summary>Outside of it nothing is globally reachable: loopback, unique-local, link-local, multicast, IPv4-compatible…</summary>
    private static readonly IPNetwork GlobalUnicastV6 = IPNetwork.Parse("2000::/3");

    private static readonly (IPNetwork Network, string Name)[] RefusedV6 =
    [
        (IPNetwork.Parse("2001::/23"), "reserved or Teredo"),                    // with ORCHID and benchmark
        (IPNetwork.Parse("2001:db8::/32"), "documentation"),
        (IPNetwork.Parse("2002::/16"), "6to4"),
        (IPNetwork.Parse("3fff::/20"), "documentation"),
    ];

    /// <summary>The well-known NAT64 prefix (RFC 6052): how a network without IPv4 reaches public IPv4 addresses.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>What is wrong with the address ("loopback", "private"…), or null when it is public.</summary>
    public static string? Refusal(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return NameIn(RefusedV4, address);
        }
        if (address.IsIPv4MappedToIPv6)
        {
            return NameIn(RefusedV4, address.MapToIPv4());
        }
        if (Nat64.Contains(address))
        {
            return NameIn(RefusedV4, LastFourBytes(address));
        }
        return GlobalUnicastV6.Contains(address) ? NameIn(RefusedV6, address) : "local or reserved";
    }

    /// <summary>The address as CIDR lists mean it: without a mapped form around it and without a zone.</summary>
    public static IPAddress Plain(IPAddress address) => address switch
    {
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4(),
        { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } => new IPAddress(address.GetAddressBytes()),
        _ => address,
    };

    private static string? NameIn((IPNetwork Network, string Name)[] refused, IPAddress address)
    {
        foreach (var (network, name) in refused)
        {
            if (network.Contains(address))
            {
                return name;
            }
        }
        return null;
    }

    private static IPAddress LastFourBytes(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return new IPAddress(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)));
    }
}
