using SignalHub.Leads.Identity;

namespace SignalHub.Tests.Leads.Identity;

public sealed class EmailKeyTests
{
    private static readonly IdentityRules Rules = IdentityRules.Default;

    public static TheoryData<string, string> Vectors => IdentityVectors.Of("email");

    public static TheoryData<string, string> CompanyVectors => IdentityVectors.Of("email_company");

    [Theory]
    [MemberData(nameof(Vectors))]
    [InlineData("jane@bücher.de", "jane@xn--bcher-kva.de")]
    [InlineData("jane@XN--BCHER-KVA.DE", "jane@xn--bcher-kva.de")]
    [InlineData("jane@faſs.de", "jane@fass.de")]
    [InlineData("jane@βόλος.gr", "jane@xn--nxasmm1c.gr")]
    [InlineData("jane@acme.com.", "jane@acme.com")]
    [InlineData("jane@acme.com..", "!bad_domain")]
    [InlineData("jane@a..com", "!bad_domain")]
    [InlineData("jane@acme_corp.com", "!bad_domain")]
    [InlineData("jane@acme-.com", "!bad_domain")]
    [InlineData("jane@xn--a.com", "!bad_domain")]
    [InlineData("jane@[IPv6:2001:db8::1]", "!ip_literal")]
    [InlineData("jane@2001:db8::1", "!ip_literal")]
    [InlineData("jane@0x7f.0.0.1", "!ip_literal")]
    [InlineData("jane@acme.123", "!bad_domain")]
    [InlineData("jane@acme.com:25", "!bad_domain")]
    [InlineData("jane@💩.la", "jane@xn--ls8h.la")]
    [InlineData("\u200b\ufeffjane\u00ad@ac\u200bme.com\u2003\u202c", "jane@acme.com")]
    [InlineData("\tjane@acme.com\r\n", "jane@acme.com")]
    [InlineData("MAILTO:Jane@acme.com", "jane@acme.com")]
    [InlineData("mailto:", "!missing")]
    [InlineData("mailto:jane@acme.com,bob@acme.com", "!multiple_addresses")]
    [InlineData("Jane Doe <jane@acme.com>", "jane@acme.com")]
    [InlineData("\"Doe, Jane\" <jane@acme.com>", "jane@acme.com")]
    [InlineData("Doe, Jane <jane@acme.com>", "jane@acme.com")]
    [InlineData("\"bob@acme.com\" <jane@acme.com>", "jane@acme.com")]
    [InlineData("Jane@acme.com <jane@acme.com>", "jane@acme.com")]
    [InlineData("bob@acme.com <jane@acme.com>", "!multiple_addresses")]
    [InlineData("Jane <jane@acme.com>, Bob <bob@acme.com>", "!multiple_addresses")]
    [InlineData("Jane <mailto:jane@acme.com>", "jane@acme.com")]
    [InlineData("jane@acme.com (Jane Doe)", "jane@acme.com")]
    [InlineData("jane@acme.com;", "jane@acme.com")]
    [InlineData("jane@acme.com; bob@acme.com", "!multiple_addresses")]
    [InlineData("jane@acme.com bob@acme.com", "!multiple_addresses")]
    [InlineData("jane@acme.com\nbob@acme.com", "!multiple_addresses")]
    [InlineData("jane@acme@beta.com", "!bad_local")]
    [InlineData("jane＠acme.com", "jane@acme.com")]
    [InlineData("jane.acme.com", "!no_at_sign")]
    [InlineData("@acme.com", "!bad_local")]
    [InlineData("@", "!placeholder")]
    [InlineData(".jane@acme.com", "!bad_local")]
    [InlineData("jane.@acme.com", "!bad_local")]
    [InlineData("\"jane doe\"@acme.com", "!bad_local")]
    [InlineData("\"jane\"\"@acme.com", "!bad_local")]
    [InlineData("\"j\\a\\ne\"@acme.com", "jane@acme.com")]
    [InlineData("\"a@b\"@acme.com", "\"a@b\"@acme.com")]
    [InlineData("\"a\\\"b\"@acme.com", "\"a\\\"b\"@acme.com")]
    [InlineData("\"a\\\\\"b\"@acme.com", "!bad_local")]
    [InlineData("\"a\\\\b\"@acme.com", "\"a\\\\b\"@acme.com")]
    [InlineData("ja(ne@acme.com", "!bad_local")]
    [InlineData("ja\u0007ne@acme.com", "!bad_local")]
    [InlineData("ja\u00a0ne@acme.com", "!bad_local")]
    [InlineData("İstanbul@acme.com", "İstanbul@acme.com")]
    [InlineData("用户@例え.jp", "用户@xn--r8jz45g.jp")]
    [InlineData("jane+a.b@GMail.com", "jane@gmail.com")]
    [InlineData("\"jane\"+x@gmail.com", "!bad_local")]
    [InlineData("+f.oo@gmail.com", "+foo@gmail.com")]
    [InlineData("jane+x@outlook.co.uk", "jane@outlook.co.uk")]
    [InlineData("jane+x@hotmail.fr", "jane@hotmail.fr")]
    [InlineData("jane+x@live.com.au", "jane@live.com.au")]
    [InlineData("jane.d+x@icloud.com", "jane.d@icloud.com")]
    [InlineData("jane+x@yandex.ru", "jane@yandex.ru")]
    [InlineData("+x@proton.me", "+x@proton.me")]
    [InlineData("jane.+x@outlook.com", "jane.+x@outlook.com")]
    [InlineData("jane+x@outlook.acme.com", "jane+x@outlook.acme.com")]
    [InlineData("jane+x@yahoo.com", "jane+x@yahoo.com")]
    [InlineData("undefined@acme.com", "!placeholder")]
    [InlineData("jane@undefined", "!placeholder")]
    [InlineData("null@null", "!placeholder")]
    [InlineData("{{first}}@acme.com", "!placeholder")]
    [InlineData("%EMAIL%", "!placeholder")]
    [InlineData("'jane@acme.com'", "jane@acme.com")]
    [InlineData("\"jane@acme.com\"", "jane@acme.com")]
    [InlineData("n.ull+x@gmail.com", "!placeholder")]
    [InlineData("\"undefined\"@acme.com", "!placeholder")]
    [InlineData("jane@mail.undefined.co.uk", "!placeholder")]
    [InlineData("{{contact.email}}", "!placeholder")]
    [InlineData("[object Object]", "!placeholder")]
    [InlineData("N/A", "!placeholder")]
    [InlineData("...", "!placeholder")]
    [InlineData("\u200b", "!missing")]
    public void An_address_has_one_canonical_form(string input, string canonical) =>
        Assert.Equal(canonical, Text(EmailKey.Parse(input, Rules)));

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        // Not as InlineData: attributes are stored as UTF-8, which cannot hold it.
        Assert.Equal("!bad_local", Text(EmailKey.Parse("ja\udc00ne@acme.com", Rules)));
        Assert.Equal("!bad_domain", Text(EmailKey.Parse("jane@\ud800.com", Rules)));
    }

    [Theory]
    [MemberData(nameof(CompanyVectors))]
    [InlineData("jane@mail.acme.co.uk", "acme.co.uk")]
    [InlineData("jane@proton.me", "-free_mail")]
    [InlineData("jane@yandex.com.tr", "-free_mail")]
    [InlineData("jane@sub.gmail.com", "-free_mail")]
    [InlineData("x@privaterelay.appleid.com", "-relay")]
    [InlineData("x@mozmail.com", "-relay")]
    [InlineData("jane@apple.com", "apple.com")]
    [InlineData("jane@orange.com", "orange.com")]
    [InlineData("jane@github.io", "-public_suffix")]
    [InlineData("jane@server.local", "-bad_domain")]
    public void The_company_behind_an_address_is_its_registrable_domain_or_none(string input, string expected)
    {
        var email = EmailKey.Parse(input, Rules).Value;
        Assert.NotNull(email);
        Assert.Equal(expected, email.CompanyDomain ?? "-" + email.NoCompany);
    }

    [Theory]
    [InlineData("jane@acme.com", EmailClass.Work, true)]
    [InlineData("Info@acme.com", EmailClass.Role, false)]
    [InlineData("support+acme@helpdesk.io", EmailClass.Role, false)]
    [InlineData("sales@gmail.com", EmailClass.FreeMail, false)]
    [InlineData("jane@gmail.com", EmailClass.FreeMail, true)]
    [InlineData("12345+octocat@users.noreply.github.com", EmailClass.Relay, true)]
    public void Role_mailboxes_are_weak(string input, EmailClass expected, bool strong)
    {
        var email = EmailKey.Parse(input, Rules).Value!;
        Assert.Equal((expected, strong), (email.Class, email.Strong));
    }

    [Theory]
    [InlineData("test@test.com", true)]
    [InlineData("jane@test.com", true)]
    [InlineData("asdf@acme.com", true)]
    [InlineData("jane@example.com", false)]
    [InlineData("jane@testarossa.com", false)]
    public void Test_data_is_told_from_people(string input, bool test) =>
        Assert.Equal(test, EmailKey.Parse(input, Rules).Value!.LooksLikeTestData);

    [Fact]
    public void The_form_for_sending_keeps_case_tag_and_dots_but_has_an_ASCII_host()
    {
        var email = EmailKey.Parse(" Jane Doe <Jane.Doe+x@GoogleMail.COM> ", Rules).Value!;
        Assert.Equal("Jane.Doe+x@googlemail.com", email.ForSending);
        Assert.Equal("janedoe@gmail.com", email.Key);
        Assert.Equal(" Jane Doe <Jane.Doe+x@GoogleMail.COM> ", email.AsSent);
    }

    [Theory]
    [InlineData("a", 64, "ok")]
    [InlineData("a", 65, "!bad_local")]
    [InlineData("é", 32, "ok")]
    [InlineData("é", 33, "!bad_local")]
    public void The_local_part_has_at_most_64_bytes(string letter, int times, string expected)
    {
        var result = EmailKey.Parse(string.Concat(Enumerable.Repeat(letter, times)) + "@acme.com", Rules);
        Assert.Equal(expected, result.Usable ? "ok" : "!" + result.Code);
    }

    [Theory]
    [InlineData(253, "ok")]
    [InlineData(254, "!bad_domain")]
    public void The_host_has_at_most_253_characters(int length, string expected)
    {
        var labels = string.Concat(Enumerable.Repeat(new string('a', 49) + ".", 4)) + "com";
        var host = new string('b', length - labels.Length - 1) + "." + labels;
        Assert.Equal(length, host.Length);
        var result = EmailKey.Parse("jane@" + host, Rules);
        Assert.Equal(expected, result.Usable ? "ok" : "!" + result.Code);
    }

    [Fact]
    public void A_workspace_has_the_last_word_on_free_mail()
    {
        var rules = Rules with { Overrides = FreeMailOverrides.From(["Acme.com"], ["gmail.com", "not a domain"]) };
        Assert.Equal("free_mail", EmailKey.Parse("jane@mail.acme.com", rules).Value!.NoCompany);
        Assert.Equal("gmail.com", EmailKey.Parse("jane@gmail.com", rules).Value!.CompanyDomain);
        Assert.Equal("relay", EmailKey.Parse("jane@duck.com", rules).Value!.NoCompany);
    }

    private static string Text(KeyResult<EmailKey> result) => result.Value?.Key ?? "!" + result.Code;
}
