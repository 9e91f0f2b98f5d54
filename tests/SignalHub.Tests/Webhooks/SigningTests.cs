using FsCheck;
using FsCheck.Fluent;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Tests.Webhooks;

public sealed class SigningTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);
    private static readonly byte[] Body = """{"test": 2432232314}"""u8.ToArray();

    [Fact]
    public void The_published_vector_of_standard_webhooks_is_met()
    {
        var secrets = new SigningSecrets(WebhookSecret.Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));

        var signature = WebhookSigner.Sign(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", Now, Body);

        Assert.Equal(("1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), (signature.Timestamp, signature.V1));
    }

    [Fact]
    public void The_hex_form_is_keyed_by_the_secret_as_shown()
    {
        var secret = WebhookSecret.Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

        var hex = WebhookSigner.Hex(secret, Body);

        Assert.True(SeedVerification.Node(Body, hex, secret.Text), hex);
        Assert.True(SeedVerification.Python(Body, hex, secret.Text), hex);
        Assert.False(SeedVerification.Node(Body, hex, secret.Text["whsec_".Length..]));
    }

    [Fact]
    public void Any_body_and_any_secret_verify_the_way_receivers_verify() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        Gen.Choose(8, 200).SelectMany(n => Gen.Choose(33, 126).Select(i => (char)i).ArrayOf(n)).Select(c => new string(c))
            .Where(s => WebhookSecret.Validate(s) is null).ToArbitrary(),
        (body, text) =>
        {
            var signature = WebhookSigner.Sign(new SigningSecrets(WebhookSecret.Parse(text)), "evt_1", Now, body);
            return SeedVerification.Node(body, signature.Hex, text) && SeedVerification.Python(body, signature.Hex, text)
                && SeedVerification.StandardWebhooks("evt_1", signature.Timestamp, signature.V1, body, text);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void New_secrets_are_32_random_bytes_and_valid()
    {
        var first = WebhookSecret.New();

        Assert.Null(WebhookSecret.Validate(first.Text));
        Assert.Equal(32, Convert.FromBase64String(first.Text["whsec_".Length..]).Length);
        Assert.NotEqual(first.Text, WebhookSecret.New().Text);
        Assert.DoesNotContain(first.Text, first.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1234567", false)]
    [InlineData("12345678", true)]
    [InlineData("with a space inside", true)]
    [InlineData("ümlaut-secret", false)]
    [InlineData("tab\tinside", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", false)]
    [InlineData("whsec_MfKQ 9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_", false)]
    public void Secrets_given_are_checked(string text, bool valid) => Assert.Equal(valid, WebhookSecret.Validate(text) is null);

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_prefixed_secret_holds_24_to_64_bytes(int bytes, bool valid) =>
        Assert.Equal(valid, WebhookSecret.Validate("whsec_" + Convert.ToBase64String(new byte[bytes])) is null);

    [Fact]
    public void A_secret_has_at_most_256_characters()
    {
        Assert.Null(WebhookSecret.Validate(new string('x', 256)));
        Assert.NotNull(WebhookSecret.Validate(new string('x', 257)));
    }

    [Fact]
    public void During_a_rotation_both_secrets_sign_and_the_hex_form_keeps_the_old_one_until_the_grace_ends()
    {
        var (old, current) = ("the-old-secret", "the-new-secret");
        var secrets = new SigningSecrets(WebhookSecret.Parse(current), WebhookSecret.Parse(old), Now.AddHours(24));

        var during = WebhookSigner.Sign(secrets, "evt_1", Now, Body);
        var after = WebhookSigner.Sign(secrets, "evt_1", Now.AddHours(24), Body);
        var finished = WebhookSigner.Sign(secrets with { PreviousUntil = null }, "evt_1", Now, Body);

        Assert.Equal(2, during.V1.Split(' ').Length);
        Assert.True(SeedVerification.StandardWebhooks("evt_1", during.Timestamp, during.V1, Body, old));
        Assert.True(SeedVerification.StandardWebhooks("evt_1", during.Timestamp, during.V1, Body, current));
        Assert.True(SeedVerification.Node(Body, during.Hex, old));
        Assert.All([after, finished], signature =>
        {
            Assert.DoesNotContain(' ', signature.V1);
            Assert.True(SeedVerification.Node(Body, signature.Hex, current));
            Assert.False(SeedVerification.StandardWebhooks("evt_1", signature.Timestamp, signature.V1, Body, old));
        });
    }

    [Theory]
    [InlineData("X-Stairoids-Signature", true)]
    [InlineData("X_Odd.Token~1", true)]
    [InlineData("", false)]
    [InlineData("Host", false)]
    [InlineData("content-type", false)]
    [InlineData("Proxy-Authorization", false)]
    [InlineData("Webhook-Id", false)]
    [InlineData("X-SignalHub-Event", false)]
    [InlineData("with space", false)]
    [InlineData("X-Line\nBreak", false)]
    public void Header_names_given_are_tokens_that_steer_nothing(string name, bool valid) =>
        Assert.Equal(valid, DeliveryHeaders.ValidateName(name) is null);
}
