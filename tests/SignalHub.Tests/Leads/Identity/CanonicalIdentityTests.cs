using SignalHub.Leads.Identity;

namespace SignalHub.Tests.Leads.Identity;

public sealed class CanonicalIdentityTests
{
    private static readonly IdentityRules Rules = IdentityRules.Default;

    [Fact]
    public void An_ordinary_signal_has_person_and_company_keys_and_nothing_to_warn_about()
    {
        var identity = From(new IdentityInput { Email = "Jane@Acme.com", LinkedInUrl = "https://linkedin.com/in/Jane", FirstName = " Jane ", Title = "CTO" });
        Assert.Equal(["email jane@acme.com strong", "linkedin in/jane strong", "company_domain acme.com weak"], Shown(identity.Keys));
        Assert.Equal(["email:jane@acme.com", "linkedin:in/jane"], identity.SentKeys);
        Assert.Equal(("acme.com", true, EmailClass.Work), (identity.CompanyDomain, identity.DerivedCompanyDomain, identity.EmailClass));
        Assert.Equal(("Jane", "CTO", null), (identity.FirstName, identity.Title, identity.LastName));
        Assert.Empty(identity.Warnings);
        Assert.Empty(identity.Problems);
    }

    [Fact]
    public void An_explicit_domain_beats_that_of_the_address_and_the_difference_is_told()
    {
        var identity = From(new IdentityInput { Email = "jane@acme.com", CompanyDomain = "https://www.beta.io/about" });
        Assert.Equal(("beta.io", false), (identity.CompanyDomain, identity.DerivedCompanyDomain));
        Assert.Equal(["company_domain beta.io weak"], Shown(identity.AccountKeys));
        Assert.Equal(["company_domain:beta.io", "email:jane@acme.com"], identity.SentKeys);
        Assert.Equal(["domain_mismatch /identity/company_domain"], Shown(identity.Warnings));
    }

    [Fact]
    public void A_free_mail_address_with_an_explicit_domain_is_no_mismatch()
    {
        var identity = From(new IdentityInput { Email = "jane@gmail.com", CompanyDomain = "acme.com" });
        Assert.Equal(["email jane@gmail.com strong", "company_domain acme.com weak"], Shown(identity.Keys));
        Assert.Empty(identity.Warnings);
    }

    [Fact]
    public void The_account_is_found_by_explicit_domain_then_LinkedIn_page_then_domain_of_the_address()
    {
        var page = "https://www.linkedin.com/company/acme/";
        Assert.Equal(
            ["company_domain acme.com weak", "company_linkedin company/acme weak"],
            Shown(From(new IdentityInput { LinkedInUrl = page, CompanyDomain = "acme.com", Email = "jane@beta.io" }).AccountKeys));
        Assert.Equal(
            ["company_linkedin company/acme weak", "company_domain beta.io weak"],
            Shown(From(new IdentityInput { CompanyLinkedInUrl = page, Email = "jane@beta.io" }).AccountKeys));
    }

    [Fact]
    public void A_company_page_in_the_field_for_people_goes_to_the_company()
    {
        var identity = From(new IdentityInput { LinkedInUrl = "https://www.linkedin.com/company/Acme-Inc/about/" });
        Assert.Equal(["company_linkedin company/acme-inc weak"], Shown(identity.Keys));
        Assert.Equal(["company_linkedin:company/acme-inc"], identity.SentKeys);
    }

    [Fact]
    public void A_LinkedIn_page_in_the_domain_field_is_the_companys_LinkedIn_key()
    {
        var identity = From(new IdentityInput { CompanyDomain = "https://www.linkedin.com/company/acme" });
        Assert.Equal(["company_linkedin company/acme weak"], Shown(identity.Keys));
        Assert.Equal(["social_host /identity/company_domain"], Shown(identity.Warnings));
        Assert.Empty(identity.Problems);
    }

    [Fact]
    public void A_profile_in_the_company_field_is_not_taken_for_the_person()
    {
        var identity = From(new IdentityInput { Email = "jane@acme.com", CompanyLinkedInUrl = "https://www.linkedin.com/in/the-founder" });
        Assert.Equal(["email jane@acme.com strong", "company_domain acme.com weak"], Shown(identity.Keys));
        Assert.Equal(["bad_linkedin /identity/company_linkedin_url"], Shown(identity.Warnings));
    }

    [Fact]
    public void The_example_of_the_documentation_is_captured_dots_and_all()
    {
        var identity = From(new IdentityInput
        {
            Email = "person@company.com",
            LinkedInUrl = "https://...",
            CompanyDomain = "company.com",
            FirstName = "...",
            LastName = "...",
            Title = "...",
        });
        Assert.Equal(["email person@company.com strong", "company_domain company.com weak"], Shown(identity.Keys));
        Assert.Equal(
            ["placeholder /identity/linkedin_url", "placeholder /identity/first_name", "placeholder /identity/last_name", "placeholder /identity/title"],
            Shown(identity.Warnings));
        Assert.Equal((null, null, null), (identity.FirstName, identity.LastName, identity.Title));
    }

    [Fact]
    public void Nothing_usable_says_what_was_wrong_with_each_field()
    {
        var identity = From(new IdentityInput { Email = "jane@localhost", LinkedInUrl = "https://lnkd.in/x", CompanyDomain = "gmail.com", FirstName = "null" });
        Assert.False(identity.HasUsableKey);
        Assert.Equal(
            ["single_label /identity/email", "short_link /identity/linkedin_url", "free_mail /identity/company_domain"], Shown(identity.Problems));
        Assert.StartsWith("email has a domain without a dot", identity.Problems[0].Detail, StringComparison.Ordinal);
        Assert.All(identity.Problems, p => Assert.DoesNotContain("jane", p.Detail, StringComparison.Ordinal));
    }

    [Fact]
    public void Empty_fields_are_absent_without_a_word()
    {
        var identity = From(new IdentityInput { Email = "", LinkedInUrl = "", CompanyDomain = "", FirstName = "", Emails = [""] });
        Assert.Empty(identity.Keys);
        Assert.Empty(identity.SentKeys);
        Assert.Empty(identity.Warnings);
        Assert.Empty(identity.Problems);
        Assert.Null(identity.EmailClass);
    }

    [Fact]
    public void Further_addresses_count_once_and_only_five_of_them()
    {
        var identity = From(new IdentityInput
        {
            Email = "jane@gmail.com",
            Emails = ["J.ane@googlemail.com", "jane@acme.com", "b@acme.com", "c@beta.io", "bad", "sixth@acme.com"],
        });
        Assert.Equal(
            ["email jane@gmail.com strong", "email jane@acme.com strong", "email b@acme.com strong", "email c@beta.io strong", "company_domain acme.com weak"],
            Shown(identity.Keys));
        Assert.Equal(["no_at_sign /identity/emails/4", "too_many_emails /identity/emails"], Shown(identity.Warnings));
        Assert.Equal((EmailClass.FreeMail, "jane@gmail.com"), (identity.EmailClass, identity.Email));
    }

    [Fact]
    public void A_company_name_in_the_domain_field_becomes_the_name()
    {
        var identity = From(new IdentityInput { Email = "jane@gmail.com", CompanyDomain = "Acme Inc" });
        Assert.Equal("Acme Inc", identity.CompanyName);
        Assert.Equal(["bad_domain /identity/company_domain"], Shown(identity.Warnings));
    }

    [Fact]
    public void Names_are_trimmed_and_composed()
    {
        var identity = From(new IdentityInput { Email = "jane@acme.com", FirstName = "\u00a0Zoe\u0308 ", LastName = "Nan", CompanyName = "n/a", Phone = " +1 555 " });
        Assert.Equal(("Zoë", "Nan", null, "+1 555"), (identity.FirstName, identity.LastName, identity.CompanyName, identity.Phone));
        Assert.Equal(["placeholder /identity/company_name"], Shown(identity.Warnings));
    }

    [Fact]
    public void An_unknown_suffix_and_test_data_are_used_with_a_warning()
    {
        var identity = From(new IdentityInput { Email = "test@test.com", CompanyDomain = "acme.newtld2031" });
        Assert.Equal("acme.newtld2031", identity.CompanyDomain);
        Assert.Equal(
            ["looks_like_test_data /identity/email", "unknown_suffix /identity/company_domain", "domain_mismatch /identity/company_domain"],
            Shown(identity.Warnings));
    }

    [Fact]
    public void This_process_has_ICU() => Assert.Null(GlobalizationCheck.Verify());

    private static CanonicalIdentity From(IdentityInput input) => CanonicalIdentity.From(input, Rules);

    private static IEnumerable<string> Shown(IEnumerable<IdentityKey> keys) => keys.Select(k => $"{k.KindName} {k.Key} {(k.Strong ? "strong" : "weak")}");

    private static IEnumerable<string> Shown(IEnumerable<IdentityIssue> issues) => issues.Select(i => $"{i.Code} {i.Pointer}");
}
