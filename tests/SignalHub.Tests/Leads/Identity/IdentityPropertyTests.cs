using FsCheck;
using FsCheck.Fluent;
using SignalHub.Leads.Identity;
using SignalHub.Qualification;

namespace SignalHub.Tests.Leads.Identity;

public sealed class IdentityPropertyTests
{
    private const int Cases = 10_000;

    private static readonly IdentityRules Rules = IdentityRules.Default;

    // What breaks canonicalisers: separators, invisible and combining characters, escapes, halves of surrogate pairs, and
    // pieces of the real thing to get past the first checks.
    private static readonly string[] Pieces =
    [
        "jane", "Doe", "acme", "ACME", "gmail", "com", "co.uk", "de", ".", ".", "@", "@", "+", "-", "_", "\"", "\\", "<", ">", "(", ")", ",", ";", ":", "/", "/", "?",
        "#", "%", "%40", "%2F", "%25", "%C3%BC", "%ff", " ", "\u00a0", "\u200b", "\u200d", "\ufeff", "\u00ad", "\t", "\u0000", "\u3002", "\uff20", "ａ", "ß", "ς",
        "İ", "ı", "é", "e\u0301", "\u0301", "Ω", "Å", "ſ", "💩", "\ud800", "\udc00", "xn--", "xn--bcher-kva", "192.0.2.1", "[::1]", "mailto:", "https://", "//",
        "www.", "linkedin.com", "linkedin.com/in/", "in/", "pub/", "company/", "sales/lead/", "urn:li:", "urn/", "member:", "ACwAAAbCdEfGhIjK", "lnkd.in", "undefined",
        "null", "{{", "}}", "outlook.com", "googlemail.com", "a/b/c", "Ǆ", "ﬁ", "\u1fb3", "\u0345",
    ];

    private static Arbitrary<string> Hostile { get; } = Gen.OneOf(
        Gen.Elements(Pieces).ListOf().Select(string.Concat),
        Gen.Elements(Pieces).ListOf().Select(p => "jane@" + string.Concat(p)),
        Gen.Elements(Pieces).ListOf().Select(p => string.Concat(p) + "@acme.com"),
        Gen.Elements(Pieces).ListOf().Select(p => "https://www.linkedin.com/in/" + string.Concat(p)),
        ArbMap.Default.GeneratorFor<string>().Select(s => s ?? "")).ToArbitrary();

    [Fact]
    public void A_canonical_address_is_its_own_canonical_form() => Check(Hostile, text =>
        EmailKey.Parse(text, Rules).Value is not { } email || Same(email.Key, EmailKey.Parse(email.Key, Rules).Value?.Key, text));

    [Fact]
    public void The_form_for_sending_has_the_same_key() => Check(Hostile, text =>
        EmailKey.Parse(text, Rules).Value is not { } email || Same(email.Key, EmailKey.Parse(email.ForSending, Rules).Value?.Key, text));

    [Fact]
    public void A_canonical_domain_is_its_own_canonical_form() => Check(Hostile, text =>
        DomainKey.Parse(text, Rules).Value is not { } domain || Same(domain.Domain, DomainKey.Parse(domain.Domain, Rules).Value?.Domain, text));

    [Fact]
    public void A_canonical_page_is_its_own_canonical_form_and_so_is_its_URL() => Check(Hostile, text =>
        LinkedInKey.Parse(text).Value is not { } page
        || (Same(page.Key, LinkedInKey.Parse(page.Key).Value?.Key, text) && Same(page.Key, LinkedInKey.Parse(page.Display).Value?.Key, text)));

    [Fact]
    public void Case_and_surrounding_space_make_no_other_key()
    {
        var plain = Gen.Elements("jane", "Doe", ".", "+x", "acme", "-", "7", "é", "Ö").ListOf()
            .SelectMany(local => Gen.Elements("acme.com", "Gmail.com", "bücher.de", "outlook.com").Select(host => string.Concat(local) + "@" + host));
        Check(plain.ToArbitrary(), text =>
        {
            var key = EmailKey.Parse(text, Rules).Value?.Key;
            return Same(key, EmailKey.Parse(text.ToUpperInvariant(), Rules).Value?.Key, text)
                && Same(key, EmailKey.Parse(text.ToLowerInvariant(), Rules).Value?.Key, text)
                && Same(key, EmailKey.Parse($"\u00a0{text}\u200b\n", Rules).Value?.Key, text);
        });
    }

    [Fact]
    public void A_code_comes_with_a_sentence_and_a_key_without_a_code() => Check(Hostile, text =>
        Whole(EmailKey.Parse(text, Rules)) && Whole(DomainKey.Parse(text, Rules)) && Whole(LinkedInKey.Parse(text)));

    [Fact]
    public void Any_text_in_any_field_gives_an_identity_whose_text_can_be_stored() => Check(Hostile, text =>
    {
        var identity = CanonicalIdentity.From(
            new IdentityInput
            {
                Email = text,
                Emails = [text, "Bob@acme.com"],
                LinkedInUrl = text,
                CompanyDomain = text,
                CompanyLinkedInUrl = text,
                CompanyName = text,
                FirstName = text,
                LastName = text,
                Title = text,
                Phone = text,
            },
            Rules);
        var texts = identity.Keys.SelectMany(k => new[] { k.Key, k.Display }).Append(identity.FirstName).Append(identity.Title).OfType<string>();
        return texts.All(t => t.IsNormalized()) && identity.SentKeys.Contains("email:bob@acme.com") && identity.Problems.Count == 0;
    });

    [Fact]
    public void Any_title_is_classified_without_harm() => Check(Hostile, text => Titles.Classify(text).TableVersion == Titles.Version);

    private static void Check(Arbitrary<string> texts, Func<string, bool> holds) =>
        Prop.ForAll(texts, holds).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

    private static bool Same(string? expected, string? actual, string text) => expected == actual
        ? true
        : throw new InvalidOperationException($"{text} gives {expected}, which gives {actual ?? "nothing"}");

    private static bool Whole<T>(KeyResult<T> result)
        where T : class => result.Usable == result.Code is null && (result.Code is null || IdentityCodes.Detail(result.Code) != IdentityCodes.Detail(""));
}
