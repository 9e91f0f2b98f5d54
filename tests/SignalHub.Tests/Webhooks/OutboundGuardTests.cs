using System.Globalization;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class OutboundGuardTests
{
    private static readonly OutboundGuard Strict = new([], allowHttp: false);

    private static readonly string[] RefusedNetworks =
    [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ];

    private static readonly Arbitrary<byte[]> RefusedV4 = Gen.Elements(RefusedNetworks.Select(IPNetwork.Parse).ToArray())
        .SelectMany(network => Gen.Choose(0, 255).ArrayOf(4).Select(random => Inside(network, random)))
        .ToArbitrary();

    [Fact]
    public void No_spelling_of_a_private_ipv4_address_passes() => Prop.ForAll(RefusedV4, address =>
    {
        var passed = Spellings(address).Where(host => Strict.CheckUrl($"https://{host}/hook") is null).ToArray();
        Assert.True(passed.Length == 0, $"passed: {string.Join(" ", passed)}");
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_ipv6_form_of_a_private_ipv4_address_passes_at_connect_time() => Prop.ForAll(RefusedV4, address =>
    {
        var passed = Forms(address).Append(new IPAddress(address)).Where(form => Strict.CheckAddress(form) is null).ToArray();
        Assert.True(passed.Length == 0, $"passed: {string.Join(" ", passed.Select(p => p.ToString()))}");
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("ff02::1")]
    [InlineData("2001:db8::1")]
    [InlineData("3fff::1")]
    [InlineData("2001::1")]
    [InlineData("2001:2::1")]
    [InlineData("100::1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("168.63.129.16")]
    [InlineData("255.255.255.255")]
    public void Special_addresses_are_refused(string address) => Assert.NotNull(Strict.CheckAddress(IPAddress.Parse(address)));

    [Theory]
    [InlineData("93.184.215.14")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:2800:21f:cb07:6820:80da:af6b:8b2c")]
    [InlineData("::ffff:93.184.215.14")]
    [InlineData("64:ff9b::5db8:d70e")]
    public void Public_addresses_pass(string address) => Assert.Null(Strict.CheckAddress(IPAddress.Parse(address)));

    [Theory]
    [InlineData("https://example.com")]
    [InlineData("https://example.com:8443/a/b?c=d#e")]
    [InlineData("https://xn--bcher-kva.example/hook")]
    [InlineData("https://bücher.example/hook")]
    [InlineData("https://93.184.215.14/hook")]
    [InlineData("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:444/")]
    [InlineData("https://example.com/p@th")]
    [InlineData("HTTPS://EXAMPLE.COM/")]
    [InlineData("https://1.example.com/")]
    public void Ordinary_urls_pass(string url) => Assert.Null(Strict.CheckUrl(url));

    [Theory]
    [InlineData("")]
    [InlineData("hook")]
    [InlineData("/hook")]
    [InlineData("//example.com/hook")]
    [InlineData("http://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://example.com/")]
    [InlineData("gopher://example.com/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("https://")]
    [InlineData("https:///hook")]
    [InlineData("https://user@example.com/")]
    [InlineData("https://user:secret@example.com/")]
    [InlineData("https://@example.com/")]
    [InlineData("https://example.com\\@127.0.0.1/")]
    [InlineData("https://localhost/")]
    [InlineData("https://LOCALHOST:8080/")]
    [InlineData("https://a.localhost/")]
    [InlineData("https://localhost./")]
    [InlineData("https://example.com./")]
    [InlineData("https://127.0.0.1./")]
    [InlineData("https://example.com。/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::127.0.0.1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c%25eth0]/")]
    [InlineData("https://127.1/")]
    [InlineData("https://0/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://134744072/")]
    [InlineData("https://010.8.8.8/")]
    [InlineData("https://①②⑦.⓪.⓪.①/")]
    [InlineData("https://１２７.0.0.1/")]
    [InlineData("https://127。0。0。1/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://exa mple.com/")]
    [InlineData(" https://example.com/")]
    [InlineData("https://example.com/\r\nHost: x")]
    [InlineData("https://example.com:99999/")]
    [InlineData("https://256.256.256.256/")]
    [InlineData("https://1.2.3.4.5/")]
    public void Other_urls_are_refused(string url) => Assert.NotNull(Strict.CheckUrl(url));

    [Fact]
    public void A_url_has_at_most_2048_characters()
    {
        Assert.Null(Strict.CheckUrl("https://example.com/".PadRight(2_048, 'x')));
        Assert.NotNull(Strict.CheckUrl("https://example.com/".PadRight(2_049, 'x')));
        Assert.NotNull(Strict.CheckUrl("https://example.com/".PadRight(5_000, 'x')));
    }

    [Fact]
    public void Checking_is_total() => Prop.ForAll(ArbMap.Default.ArbFor<string>().Filter(s => s is not null), text =>
    {
        _ = Strict.CheckUrl(text);
        Assert.Null(Record.Exception(() => Strict.CheckUrl("https://" + text)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Allowed_networks_open_exactly_themselves()
    {
        var guard = new OutboundGuard([IPNetwork.Parse("10.1.0.9/16"), IPNetwork.Parse("127.0.0.0/8")], allowHttp: true);

        Assert.Null(guard.CheckUrl("http://10.1.2.3:8080/hook"));
        Assert.Null(guard.CheckAddress(IPAddress.Parse("::ffff:10.1.2.3")));
        Assert.Null(guard.CheckUrl("http://localhost:5000/hook"));
        Assert.NotNull(guard.CheckUrl("http://10.2.0.1/"));
        Assert.NotNull(guard.CheckUrl("http://[::1]/"));
        Assert.NotNull(guard.CheckUrl("http://0x7f.1/"));
    }

    [Fact]
    public void A_name_with_a_public_and_a_private_answer_is_refused()
    {
        var (addresses, problem) = Strict.Admit("example.com", [IPAddress.Parse("93.184.215.14"), IPAddress.Parse("10.0.0.1")]);

        Assert.Empty(addresses);
        Assert.Contains("private", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Localhost_keeps_the_answers_that_are_allowed()
    {
        var guard = new OutboundGuard([IPNetwork.Parse("127.0.0.0/8")], allowHttp: true);

        var (addresses, problem) = guard.Admit("localhost", [IPAddress.IPv6Loopback, IPAddress.Loopback]);

        Assert.Null(problem);
        Assert.Equal([IPAddress.Loopback], addresses);
    }

    [Theory]
    [InlineData("10.0.0.0", "00:01:30", "AllowedNetworks")]
    [InlineData("somewhere", "00:01:30", "AllowedNetworks")]
    [InlineData("10.0.0.0/8", "00:01:20", "Lease")]
    [InlineData("10.0.0.0/8", "00:01:21", null)]
    public void Settings_are_checked_at_start(string network, string lease, string? named)
    {
        var options = new WebhookOptions { AllowedNetworks = [network], Lease = TimeSpan.Parse(lease, CultureInfo.InvariantCulture) };

        Assert.Equal(named is null, options.Problem() is null);
        Assert.Contains(named ?? "", options.Problem() ?? "", StringComparison.Ordinal);
    }

    private static byte[] Inside(IPNetwork network, int[] random)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < 32; bit++)
        {
            bytes[bit / 8] |= (byte)(random[bit / 8] & (0x80 >> (bit % 8)));
        }
        return bytes;
    }

    /// <summary>Ways to write the address that some resolver understands (inet_aton's, IDNA's, IPv6's).</summary>
    private static IEnumerable<string> Spellings(byte[] a)
    {
        var number = ((uint)a[0] << 24) | ((uint)a[1] << 16) | ((uint)a[2] << 8) | a[3];
        var tail = number & 0xFFFFFF;
        var dotted = string.Join('.', a);
        var invariant = CultureInfo.InvariantCulture;
        yield return dotted;
        yield return dotted + ".";
        yield return number.ToString(invariant);
        yield return "0x" + number.ToString("x", invariant);
        yield return "0X" + number.ToString("X8", invariant);
        yield return "0" + Convert.ToString(number, 8);
        yield return $"{a[0]}.{tail}";
        yield return $"{a[0]}.{a[1]}.{tail & 0xFFFF}";
        yield return string.Join('.', a.Select(b => "0x" + b.ToString("x", invariant)));
        yield return string.Join('.', a.Select(b => "0" + Convert.ToString(b, 8)));
        yield return string.Join('.', a.Select(b => b.ToString("D3", invariant)));
        yield return string.Concat(dotted.Select(c => c == '.' ? '。' : (char)(c - '0' + '０')));
        yield return string.Concat(dotted.Select(c => c == '.' ? '．' : c));
        foreach (var form in Forms(a))
        {
            yield return $"[{form}]";
        }
        yield return $"[::ffff:{dotted}]";
    }

    /// <summary>IPv6 addresses that carry it: mapped, compatible, NAT64, 6to4, Teredo.</summary>
    private static IEnumerable<IPAddress> Forms(byte[] a)
    {
        yield return new IPAddress(a).MapToIPv6();
        yield return new IPAddress((byte[])[.. new byte[12], .. a]);
        yield return new IPAddress((byte[])[0, 0x64, 0xff, 0x9b, .. new byte[8], .. a]);
        yield return new IPAddress((byte[])[0x20, 0x02, .. a, .. new byte[10]]);
        yield return new IPAddress((byte[])[0x20, 0x01, 0, 0, .. new byte[8], .. a.Select(b => (byte)~b)]);
    }
}
