using SignalHub.Qualification;
using SignalHub.Tests.Leads.Identity;

namespace SignalHub.Tests.Qualification;

public sealed class TitlesTests
{
    public static TheoryData<string, string> Vectors => IdentityVectors.Of("title_seniority");

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_seniority_vectors_hold(string title, string seniority) => Assert.Equal(seniority, Titles.Classify(title).Seniority);

    [Theory]
    [InlineData("Vice President, Engineering", "vp", "engineering")]
    [InlineData("VP of Eng", "vp", "engineering")]
    [InlineData("V.P. Sales", "vp", "sales")]
    [InlineData("Senior Vice-President - Customer Success", "vp", "customer_success")]
    [InlineData("SVP Marketing", "vp", "marketing")]
    [InlineData("EVP & CFO", "c_level", "finance")]
    [InlineData("CTO", "c_level", "engineering")]
    [InlineData("C.T.O.", "c_level", "engineering")]
    [InlineData("CRO", "c_level", "sales")]
    [InlineData("CISO", "c_level", "security")]
    [InlineData("Chief People Officer", "c_level", "hr")]
    [InlineData("Chief of Staff to the CEO", "head", "operations")]
    [InlineData("MD", "c_level", "executive")]
    [InlineData("Managing Director", "c_level", "executive")]
    [InlineData("President & CEO", "c_level", "executive")]
    [InlineData("Co-Founder & CTO", "founder", "engineering")]
    [InlineData("Cofounder", "founder", "executive")]
    [InlineData("Founder's Associate", "ic", null)]
    [InlineData("Founding Engineer", "ic", "engineering")]
    [InlineData("Owner", "founder", "executive")]
    [InlineData("Product Owner", "ic", "product")]
    [InlineData("Executive Assistant to the CEO", "ic", null)]
    [InlineData("Assistant Vice President, Risk", "vp", "finance")]
    [InlineData("Assistant to the Regional Manager", "ic", null)]
    [InlineData("CEO's assistant", "ic", null)]
    [InlineData("Director of Student Affairs", "director", null)]
    [InlineData("Marketing Intern", "ic", "marketing")]
    [InlineData("Intern, Office of the CEO", "ic", null)]
    [InlineData("Senior Director, Data", "director", "data")]
    [InlineData("Head of Product Marketing", "head", "marketing")]
    [InlineData("Director, Revenue Operations", "director", "sales")]
    [InlineData("Sales Engineer", "ic", "sales")]
    [InlineData("Senior Data Scientist", "senior", "data")]
    [InlineData("Lead Designer", "senior", "design")]
    [InlineData("Tech Lead", "senior", "engineering")]
    [InlineData("Team Lead Support", "manager", "support")]
    [InlineData("Engineering Lead", "manager", "engineering")]
    [InlineData("Account Executive", "ic", "sales")]
    [InlineData("HR Business Partner", "ic", "hr")]
    [InlineData("Partner", "c_level", null)]
    [InlineData("General Counsel", "c_level", "legal")]
    [InlineData("Head of R&D", "head", "research")]
    [InlineData("Head of IT", "head", "it")]
    [InlineData("QA Engineer", "ic", "engineering")]
    [InlineData("Talent Acquisition Manager", "manager", "hr")]
    [InlineData("Geschäftsführer", "c_level", "executive")]
    [InlineData("Leiterin Vertrieb", "head", "sales")]
    [InlineData("Vertriebsleiter", "head", "sales")]
    [InlineData("Teamleiter Einkauf", "manager", "operations")]
    [InlineData("Assistenz der Geschäftsführung", "ic", "executive")]
    [InlineData("Directeur général", "c_level", "executive")]
    [InlineData("Directrice Marketing", "director", "marketing")]
    [InlineData("Chef de projet", "manager", "operations")]
    [InlineData("Director de Ventas", "director", "sales")]
    [InlineData("Gerente de Operaciones", "manager", "operations")]
    [InlineData("  HEAD   OF   FINANCE  ", "head", "finance")]
    public void A_title_says_rank_and_field(string title, string seniority, string? function)
    {
        var actual = Titles.Classify(title);
        Assert.Equal((seniority, function), (actual.Seniority, actual.Function));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("...")]
    [InlineData("n/a")]
    [InlineData("undefined")]
    [InlineData("12345")]
    [InlineData("💩")]
    [InlineData("Grand Vizier")]
    [InlineData("Office of the CTO")]
    public void A_title_that_says_nothing_gives_nothing(string? title) => Assert.Equal(new TitleClass(null, null, Titles.Version), Titles.Classify(title));

    [Fact]
    public void Every_function_that_the_table_gives_is_listed()
    {
        var given = new[] { TitleTable.FunctionPhrases, TitleTable.Trades, TitleTable.Departments, TitleTable.Executives }
            .SelectMany(t => t.Values).Concat(TitleTable.Stems.Select(s => s.Function)).Distinct();
        Assert.Empty(given.Except(TitleTable.Functions));
    }
}
