using BenchmarkDotNet.Attributes;
using SignalHub.Leads.Identity;
using SignalHub.Qualification;

namespace SignalHub.Benchmarks.Micro;

/// <summary>
/// What identity costs on the intake path (target: an ordinary identity below 10 µs) and at start (loading the lists).
/// Run: dotnet run -c Release --project tests/SignalHub.Benchmarks -- --filter *IdentityBenchmarks*
/// </summary>
[MemoryDiagnoser]
public class IdentityBenchmarks
{
    private static readonly IdentityRules Rules = IdentityRules.Default;

    private static readonly IdentityInput Ordinary = new()
    {
        Email = "Jane.Doe@acme.com",
        LinkedInUrl = "https://www.linkedin.com/in/jane-doe-1a2b3c",
        CompanyDomain = "acme.com",
        FirstName = "Jane",
        LastName = "Doe",
        Title = "VP Engineering",
    };

    private static readonly IdentityInput International = new()
    {
        Email = "Jürgen Müller <jürgen@bücher.de>",
        LinkedInUrl = "https://de.linkedin.com/in/j%C3%BCrgen-m%C3%BCller?trk=people-guest",
        CompanyDomain = "https://www.bücher.de/über-uns",
    };

    private byte[] _suffixes = [];

    [GlobalSetup]
    public void ReadSuffixList()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream("Identity/public_suffix_list.dat")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        _suffixes = copy.ToArray();
    }

    [Benchmark]
    public CanonicalIdentity Ordinary_identity() => CanonicalIdentity.From(Ordinary, Rules);

    [Benchmark]
    public CanonicalIdentity International_identity() => CanonicalIdentity.From(International, Rules);

    [Benchmark]
    public KeyResult<EmailKey> Email() => EmailKey.Parse("jane.doe@acme.com", Rules);

    [Benchmark]
    public KeyResult<DomainKey> Company_domain() => DomainKey.Parse("acme.com", Rules);

    [Benchmark]
    public KeyResult<LinkedInKey> LinkedIn() => LinkedInKey.Parse("https://www.linkedin.com/in/jane-doe-1a2b3c");

    [Benchmark]
    public TitleClass Title() => Titles.Classify("Vice President, Engineering");

    [Benchmark]
    public PublicSuffixList Load_the_suffix_list() => PublicSuffixList.Load(new MemoryStream(_suffixes));
}
