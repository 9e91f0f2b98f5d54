using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using SignalHub.Http;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Workspaces;

public sealed class KeyFormatTests
{
    [Theory]
    [InlineData(false, "sk_live_")]
    [InlineData(true, "sk_test_")]
    public void A_new_key_says_its_mode_and_shows_eight_characters_before_its_secret(bool isTest, string prefix)
    {
        var key = ApiKey.New(isTest);

        Assert.Matches($"^{prefix}[0-9A-Za-z]{{8}}[0-9A-Za-z]{{43}}$", key);
        Assert.True(ApiKey.IsWellFormed(key));
        Assert.Equal(key[..16], ApiKey.ShownPart(key));
    }

    [Fact]
    public void Secrets_have_one_length_whatever_their_bytes()
    {
        Assert.Equal(new string('0', 43), ApiKey.Base62(new byte[32]));
        Assert.Equal(43, ApiKey.Base62(Enumerable.Repeat((byte)0xFF, 32).ToArray()).Length);
    }

    [Fact]
    public void Different_secret_bytes_give_different_texts() =>
        Prop.ForAll<byte[], byte[]>((a, b) =>
        {
            byte[] first = [.. a, .. new byte[32]], second = [.. b, .. new byte[32]];
            return first.AsSpan(0, 32).SequenceEqual(second.AsSpan(0, 32)) == (ApiKey.Base62(first.AsSpan(0, 32)) == ApiKey.Base62(second.AsSpan(0, 32)));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("sk_live_")]
    [InlineData("sk_live_short")]
    [InlineData("sk_prod_0123456789012345678901234567890123456789012345678901")]
    [InlineData("sk_live_01234567890123456789012345678901234567890123456789-1")]
    [InlineData("sk_live_0123456789012345678901234567890123456789012345678901x")]
    public void What_cannot_be_a_key_is_known_without_a_query(string text) => Assert.False(ApiKey.IsWellFormed(text));

    [Fact]
    public void A_hash_is_equal_only_to_the_hash_of_the_same_whole_key()
    {
        var key = ApiKey.New(isTest: false);

        Assert.Equal(KeyHash.Of(key), KeyHash.Of(key));
        Assert.NotEqual(KeyHash.Of(key), KeyHash.Of(key[..^1] + (key[^1] == 'a' ? 'b' : 'a')));
        Assert.Equal(KeyHash.Of(key), new KeyHash(KeyHash.Of(key).ToArray()));
    }
}

public sealed class PresentingAKeyTests
{
    private const string Key = "sk_live_abc";

    [Theory]
    [InlineData("Authorization", "Bearer sk_live_abc")]
    [InlineData("Authorization", "bearer   sk_live_abc ")]
    [InlineData("api_key", "sk_live_abc")]
    [InlineData("X-Api-Key", " sk_live_abc")]
    [InlineData("x-api-key", "sk_live_abc")]
    public void A_key_is_found_in(string header, string value) => Assert.Equal(Key, Read((header, value)).Key);

    [Theory]
    [InlineData("sk_live_abc:")]
    [InlineData("sk_live_abc:password")]
    [InlineData("sk_live_abc")]
    public void With_basic_the_key_is_the_user(string credentials) =>
        Assert.Equal(Key, Read(("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)))).Key);

    [Fact]
    public void The_same_key_in_two_headers_is_one_key() => Assert.Equal(Key, Read(("Authorization", $"Bearer {Key}"), ("X-Api-Key", Key)).Key);

    [Fact]
    public void Different_keys_in_two_headers_are_refused() =>
        Assert.Equal(ProblemCodes.InvalidKey, Read(("Authorization", $"Bearer {Key}"), ("api_key", "sk_live_other")).Problem?.Code);

    [Fact]
    public void No_header_is_a_missing_key() => Assert.Equal(ProblemCodes.KeyRequired, Read().Problem?.Code);

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void An_empty_header_is_a_missing_key(string value) => Assert.Equal(ProblemCodes.KeyRequired, Read(("Authorization", value)).Problem?.Code);

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer a b")]
    [InlineData("Bearer sk_live_a, Bearer sk_live_b")]
    [InlineData("sk_live_abc")]
    [InlineData("Basic !!!")]
    [InlineData("Basic")]
    [InlineData("Basic Og==")]
    [InlineData("Digest username=\"x\"")]
    [InlineData("\u0001\uFFFF")]
    public void A_garbled_header_is_refused_and_told_what_to_send(string value)
    {
        var problem = Read(("Authorization", value)).Problem;

        Assert.Equal(ProblemCodes.InvalidKey, problem?.Code);
        Assert.Contains("Authorization: Bearer sk_live_", problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_doubled_header_is_refused()
    {
        var headers = new HeaderDictionary { ["Authorization"] = new([$"Bearer {Key}", $"Bearer {Key}"]) };

        Assert.Equal(ProblemCodes.InvalidKey, PresentedKey.Read(headers).Problem?.Code);
    }

    [Fact]
    public void Any_text_gets_a_key_or_a_401() =>
        Prop.ForAll<string?>(text =>
        {
            var (key, problem) = Read(("Authorization", text ?? ""));
            return (key is null) != (problem is null) && problem?.Code.Status is null or 401;
        }).QuickCheckThrowOnFailure();

    private static (string? Key, Problem? Problem) Read(params (string Name, string Value)[] headers)
    {
        var all = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            all[name] = value;
        }
        return PresentedKey.Read(all);
    }
}
