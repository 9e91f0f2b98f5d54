using SignalHub.Qualification;

namespace SignalHub.Tests.Qualification;

public sealed class SampleDefinitionsTests
{
    // Seed 000's example, as it looks after resolution: the LinkedIn URL "https://..." is not usable, the domain is a company's.
    private const string Signal =
        """{"signal_type":"custom_event","source":"your-system-name","event_name":"user_invited_teammate","context":{"team_size":12,"plan_tier":"free"}}""";

    private const string Company = """{"domain":"company.com"}""";

    private static readonly DefinitionSet _samples = Defined.Set(SampleDefinitions.Icp, SampleDefinitions.Persona);

    [Fact]
    public void They_are_valid_and_without_warnings()
    {
        Assert.Null(DefinitionValidator.Check(DefinitionKind.Icp, SampleDefinitions.Icp)?.Detail);
        Assert.Null(DefinitionValidator.Check(DefinitionKind.Persona, SampleDefinitions.Persona)?.Detail);
        Assert.Empty(DefinitionView.Of(Defined.Stored(SampleDefinitions.Icp)).Warnings);
        Assert.Empty(DefinitionView.Of(Defined.Stored(SampleDefinitions.Persona)).Warnings);
    }

    [Fact]
    public void The_example_with_a_real_title_qualifies()
    {
        // Seniority and function as the titles table gives them; the table has its own tests.
        const string person = """{"email":"person@company.com","email_class":"work","title":"VP Engineering","seniority":"vp","function":"engineering"}""";

        var verdict = Scorer.Score(_samples, Defined.Input(Signal, person, Company), personKnown: true);

        Assert.Equal(("Mid-market SaaS", 73, "VP Engineering", 81, true),
            (verdict.IcpCode, verdict.IcpScore, verdict.PersonaCode, verdict.PersonaScore, verdict.Qualified));
        Assert.Equal(
            "Qualified: the account fits Mid-market SaaS with 73 of 100 (Team size 12 +45, Company identified company.com +28), "
            + "and the contact fits VP Engineering with 81 of 100 (Seniority vp +50, Function engineering +31).",
            verdict.View().RelevanceExplanation);
    }

    [Fact]
    public void The_example_verbatim_has_an_icp()
    {
        var verdict = Scorer.Score(_samples, Defined.Input(Signal, """{"email":"person@company.com","email_class":"work"}""", Company), personKnown: true);

        Assert.Equal(("Mid-market SaaS", 73, null, 0, false),
            (verdict.IcpCode, verdict.IcpScore, verdict.PersonaCode, verdict.PersonaScore, verdict.Qualified));
    }

    [Fact]
    public void A_private_address_without_a_company_is_ruled_out()
    {
        var verdict = Scorer.Score(_samples, Defined.Input(Signal, """{"email_class":"free_mail"}"""), personKnown: true);

        Assert.Null(verdict.IcpCode);
    }
}
