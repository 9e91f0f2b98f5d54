using SignalHub.Leads.Identity;

namespace SignalHub.Tests.Leads.Identity;

public sealed class LinkedInKeyTests
{
    public static TheoryData<string, string> Vectors => IdentityVectors.Of("linkedin");

    [Theory]
    [MemberData(nameof(Vectors))]
    [InlineData("www.linkedin.com/in/jane-doe", "in/jane-doe")]
    [InlineData("//linkedin.com/in/jane-doe", "in/jane-doe")]
    [InlineData("HTTPS://WWW.LinkedIn.COM/IN/Jane-Doe", "in/jane-doe")]
    [InlineData("linkedin.com:443/in/jane-doe", "in/jane-doe")]
    [InlineData("https://www.linkedin.com./in/jane-doe", "in/jane-doe")]
    [InlineData("/in/jane-doe/", "in/jane-doe")]
    [InlineData("https://www.linkedin.com//in//jane-doe", "in/jane-doe")]
    [InlineData("https://www.linkedin.com/in/jane-doe/detail/contact-info/", "in/jane-doe")]
    [InlineData("https://www.linkedin.com/comm/in/jane-doe", "in/jane-doe")]
    [InlineData("https://de.linkedin.com/de/in/jane-doe", "in/jane-doe")]
    [InlineData("https://www.linkedin.com/in/j%C3%BCrgen-m%c3%bcller", "in/jürgen-müller")]
    [InlineData("https://www.linkedin.com/in/JU%CC%88RGEN", "in/jürgen")]
    [InlineData("https://www.linkedin.com/in/j%25C3%25BCrgen", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/jane%2Fdoe", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/jane%FF", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/jane doe", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/jane-doe%20", "in/jane-doe")]
    [InlineData("https://www.linkedin.com/in/jane-doe\u200b", "in/jane-doe")]
    [InlineData("https://www.linkedin.com/pub/jane-doe/12/345/678", "in/jane-doe-67834512")]
    [InlineData("https://www.linkedin.com/pub/jane-doe/1/2b3/4c5/de", "in/jane-doe-4c52b31")]
    [InlineData("https://www.linkedin.com/pub/dir/Jane/Doe", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/ACoAABcDeFgHiJkLmNoP", "urn/ACoAABcDeFgHiJkLmNoP")]
    [InlineData("https://www.linkedin.com/sales/people/ACwAAAbCdEfGhIjK%2CNAME_SEARCH", "urn/ACwAAAbCdEfGhIjK")]
    [InlineData("https://www.linkedin.com/talent/profile/ACoAABcDeFgHiJkL?trk=x", "urn/ACoAABcDeFgHiJkL")]
    [InlineData("ACwAAAbCdEfGhIjK", "urn/ACwAAAbCdEfGhIjK")]
    [InlineData("urn:li:member:123", "urn/li:member:123")]
    [InlineData("urn:li:person:AbC-dE", "urn/li:person:AbC-dE")]
    [InlineData("URN:LI:fs_salesProfile:(ACwAAAbCdEfGhIjK,NAME_SEARCH,VAKJ)", "urn/ACwAAAbCdEfGhIjK")]
    [InlineData("urn:li:fsd_profile:ACoAABcDeFgHiJkL", "urn/ACoAABcDeFgHiJkL")]
    [InlineData("urn:li:organization:1234", "company/1234")]
    [InlineData("urn:li:", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/company/1234/", "company/1234")]
    [InlineData("https://www.linkedin.com/company-beta/1234/", "company/1234")]
    [InlineData("https://www.linkedin.com/showcase/Acme-Labs/", "showcase/acme-labs")]
    [InlineData("https://www.linkedin.com/sales/company/1234", "company/1234")]
    [InlineData("https://www.linkedin.com/company/ben-%26-jerry's", "company/ben-&-jerry's")]
    [InlineData("https://www.linkedin.com/company/", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/feed/", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/in/https://www.linkedin.com/in/jane", "!bad_linkedin")]
    [InlineData("https://www.linkedin.com/", "!bad_linkedin")]
    [InlineData("https://linkedin.com.evil.com/in/jane", "!not_linkedin")]
    [InlineData("https://evil.com/linkedin.com/in/jane", "!not_linkedin")]
    [InlineData("https://www.linkedin.com@evil.com/in/jane", "!not_linkedin")]
    [InlineData("https://evil.com#linkedin.com/in/jane", "!not_linkedin")]
    [InlineData("LNKD.in/eXyZ12", "!short_link")]
    [InlineData("https://www.linkedin.com/in/undefined", "!placeholder")]
    [InlineData("https://www.linkedin.com/in/{{slug}}", "!placeholder")]
    [InlineData("https://...", "!placeholder")]
    [InlineData("...", "!placeholder")]
    [InlineData("jane@acme.com", "!not_linkedin")]
    public void A_page_has_one_key_however_its_address_is_written(string input, string canonical)
    {
        var result = LinkedInKey.Parse(input);
        Assert.Equal(canonical, result.Value?.Key ?? "!" + result.Code);
    }

    [Theory]
    [InlineData("in/jane", LinkedInKind.Person, "https://www.linkedin.com/in/jane")]
    [InlineData("company/acme", LinkedInKind.Company, "https://www.linkedin.com/company/acme")]
    [InlineData("school/mit", LinkedInKind.Company, "https://www.linkedin.com/school/mit")]
    [InlineData("ACwAAAbCdEfGhIjK", LinkedInKind.PersonUrn, "https://www.linkedin.com/in/ACwAAAbCdEfGhIjK")]
    [InlineData("urn:li:member:123", LinkedInKind.PersonUrn, "urn:li:member:123")]
    public void People_tokens_and_companies_are_told_apart(string input, LinkedInKind kind, string display)
    {
        var key = LinkedInKey.Parse(input).Value!;
        Assert.Equal((kind, display), (key.Kind, key.Display));
    }
}
