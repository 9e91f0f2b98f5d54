using System.Text;
using SignalHub.Leads.Identity;

namespace SignalHub.Tests.Leads.Identity;

public sealed class DomainKeyTests
{
    private static readonly IdentityRules Rules = IdentityRules.Default;

    public static TheoryData<string, string> Vectors => IdentityVectors.Of("company_domain");

    [Theory]
    [MemberData(nameof(Vectors))]
    [InlineData("//acme.com/path", "acme.com")]
    [InlineData("acme.com/path?x=1#y", "acme.com")]
    [InlineData("acme.com?x", "acme.com")]
    [InlineData("https:acme.com", "acme.com")]
    [InlineData("HTTPS://www.acme.com", "acme.com")]
    [InlineData(@"https:\\acme.com\path", "acme.com")]
    [InlineData("acme.com:443", "acme.com")]
    [InlineData("acme.com:", "acme.com")]
    [InlineData("acme.com:http", "!bad_domain")]
    [InlineData("ftp://acme.com", "acme.com")]
    [InlineData("jane@acme.com", "acme.com")]
    [InlineData("Jane <jane@acme.com>", "acme.com")]
    [InlineData("mailto:jane%40acme.com", "acme.com")]
    [InlineData("b%C3%BCcher.de", "xn--bcher-kva.de")]
    [InlineData("ａｃｍｅ。ｃｏｍ", "acme.com")]
    [InlineData("http:///", "!empty_domain")]
    [InlineData("https://", "!empty_domain")]
    [InlineData("https://...", "!placeholder")]
    [InlineData(".", "!placeholder")]
    [InlineData("co.uk", "!public_suffix")]
    [InlineData("com", "!single_label")]
    [InlineData("www.ck", "www.ck")]
    [InlineData("acme.co.ck", "acme.co.ck")]
    [InlineData("co.ck", "!public_suffix")]
    [InlineData("a.b.city.kawasaki.jp", "city.kawasaki.jp")]
    [InlineData("a.b.foo.kawasaki.jp", "b.foo.kawasaki.jp")]
    [InlineData("acme.公司.cn", "acme.xn--55qx5d.cn")]
    [InlineData("intranet.local", "!bad_domain")]
    [InlineData("foo.localhost", "!bad_domain")]
    [InlineData("foo.invalid", "!bad_domain")]
    [InlineData("127.1", "!ip_literal")]
    [InlineData("http://[2001:db8::1]:80/", "!ip_literal")]
    [InlineData("2001:db8::1", "!ip_literal")]
    [InlineData("my_shop.acme.com", "!bad_domain")]
    [InlineData("*.acme.com", "!bad_domain")]
    [InlineData("-acme.com", "!bad_domain")]
    [InlineData("acme..com", "!bad_domain")]
    [InlineData("privaterelay.appleid.com", "!relay")]
    [InlineData("mail.google.com", "google.com")]
    [InlineData("linkedin.com/company/acme", "!social_host")]
    [InlineData("https://www.linkedin.com/?trk=x", "linkedin.com")]
    [InlineData("https://www.facebook.com/acme", "!social_host")]
    [InlineData("undefined.com", "!placeholder")]
    [InlineData("https://n.a/about", "!placeholder")]
    [InlineData("https://{{domain}}/", "!placeholder")]
    [InlineData("\"acme.com\",", "acme.com")]
    [InlineData("\u200bacme.com\u00a0", "acme.com")]
    public void A_company_has_one_key_however_its_domain_is_written(string input, string canonical)
    {
        var result = DomainKey.Parse(input, Rules);
        Assert.Equal(canonical, result.Value?.Domain ?? "!" + result.Code);
    }

    [Fact]
    public void A_top_level_domain_that_the_list_does_not_know_is_accepted_and_marked()
    {
        Assert.True(DomainKey.Parse("shop.acme.newtld2031", Rules).Value!.UnknownSuffix);
        Assert.False(DomainKey.Parse("acme.com", Rules).Value!.UnknownSuffix);
        Assert.False(DomainKey.Parse("acme.com.ck", Rules).Value!.UnknownSuffix);
    }

    [Fact]
    public void A_newer_suffix_list_can_be_loaded()
    {
        var text = new StringBuilder("// comment\nnewtld2031\nhost.newtld2031 trailing words\n*.wild\n!known.wild\n\n");
        for (var i = 0; i < 1_000; i++)
        {
            text.Append("filler").Append(i).Append(".example\r\n");
        }
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        var rules = Rules with { Suffixes = PublicSuffixList.Load(stream) };
        Assert.Equal("acme.host.newtld2031", DomainKey.Parse("www.acme.host.newtld2031", rules).Value!.Domain);
        Assert.Equal("public_suffix", DomainKey.Parse("foo.wild", rules).Code);
        Assert.Equal("known.wild", DomainKey.Parse("www.known.wild", rules).Value!.Domain);
        Assert.Equal("public_suffix", DomainKey.Parse("filler7.example", rules).Code);
    }

    [Fact]
    public void A_file_that_is_no_suffix_list_is_refused()
    {
        using var stream = new MemoryStream("<html>Sign in to the proxy</html>"u8.ToArray());
        var error = Assert.Throws<InvalidDataException>(() => PublicSuffixList.Load(stream));
        Assert.Contains("Public Suffix List", error.Message, StringComparison.Ordinal);
    }
}
