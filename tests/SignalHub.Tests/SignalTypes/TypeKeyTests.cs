using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.SignalTypes;

namespace SignalHub.Tests.SignalTypes;

public sealed class TypeKeyTests
{
    [Theory]
    [InlineData("Product trial started", "product_trial_started")]
    [InlineData("  Product - trial   started ", "product_trial_started")]
    [InlineData("product_trial_started", "product_trial_started")]
    [InlineData("PRODUCT__TRIAL", "product_trial")]
    [InlineData("Demo (requested)!", "demo_requested_")]
    [InlineData("ÄRGER im Büro", "ärger_im_büro")]
    [InlineData("A\u0308rger", "ärger")]
    [InlineData("订阅 2", "订阅_2")]
    [InlineData("a🙂b", "a_b")]
    [InlineData("v2", "v2")]
    public void A_name_becomes_a_key(string name, string key) => Assert.Equal(key, TypeKey.Normalise(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("...")]
    [InlineData("_")]
    public void A_name_without_letter_or_digit_has_no_key(string? name) => Assert.Null(TypeKey.Normalise(name));

    [Fact]
    public void A_key_has_at_most_100_characters()
    {
        Assert.Equal(100, TypeKey.Normalise(new string('A', 100))!.Length);
        Assert.Null(TypeKey.Normalise(new string('A', 101)));
        Assert.Null(TypeKey.Normalise(new string('a', 10_000)));
    }

    [Fact]
    public void Broken_text_is_no_reason_to_throw() => Assert.Equal("a_b", TypeKey.Normalise("a\uD800b"));

    [Fact]
    public void A_key_is_its_own_key() => Prop.ForAll<string>(text =>
    {
        var key = TypeKey.Normalise(text);
        return key is null || TypeKey.Normalise(key) == key;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_key_consists_of_letters_digits_and_single_underscores() => Prop.ForAll<string>(text =>
        TypeKey.Normalise(text) is not { } key
        || (key.Length is >= 1 and <= TypeKey.MaxLength && key.EnumerateRunes().All(r => Rune.IsLetterOrDigit(r) || r.Value == '_')
            && !key.Contains("__", StringComparison.Ordinal))).QuickCheckThrowOnFailure();

    // Upper case is not the inverse of lower case for every letter, which is why only the frame changes here.
    [Fact]
    public void Case_and_separators_do_not_matter() =>
        Prop.ForAll<string>(text => TypeKey.Normalise($"a {text} z") == TypeKey.Normalise($" A--{text}-Z\t")).QuickCheckThrowOnFailure();
}
