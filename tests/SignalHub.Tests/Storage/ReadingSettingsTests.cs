using System.Net;
using Microsoft.Extensions.Configuration;
using SignalHub.Storage;

namespace SignalHub.Tests.Storage;

public sealed class ReadingSettingsTests
{
    private const string Postgres = "Host=db;Database=signalhub;Username=u;Password=hunter2";
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public void Nothing_given_means_an_embedded_database_with_a_demo()
    {
        var options = Read();

        Assert.True(options.Embedded);
        Assert.True(options.Demo);
        Assert.Equal(Path.GetFullPath(".signalhub"), options.DataDirectory);
        Assert.Null(options.OperatorKey);
        Assert.Equal(new RateLimitOptions(500, 50_000), options.RateLimits);
        Assert.Equal(new SignalTypeOptions(1_000), options.SignalTypes);
        Assert.Equal(new RoleOptions(Api: true, Dispatcher: true, Jobs: true), options.Roles);
        Assert.Equal(new RetentionOptions(30, 90, 30, 1_000_000), options.Retention);
        Assert.Empty(options.Webhooks.AllowedNetworks);
        Assert.False(options.Webhooks.AllowHttp);
    }

    [Fact]
    public void The_file_with_the_defaults_says_the_same_as_the_code()
    {
        var file = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).Build();

        var fromFile = new SettingsReader(file).Read();
        var fromCode = Read();

        Assert.Equal(fromCode with { Webhooks = fromFile.Webhooks }, fromFile);
        Assert.Equal((fromCode.Webhooks.AllowHttp, 0), (fromFile.Webhooks.AllowHttp, fromFile.Webhooks.AllowedNetworks.Count));
        Assert.Equal("http://localhost:8080", file["Urls"]);
    }

    [Fact]
    public void A_connection_string_switches_the_demo_off()
    {
        var options = Read(("ConnectionStrings:SignalHub", Postgres), ("SignalHub:OperatorKey", "op_x"), ("SignalHub:EncryptionKey", Key));

        Assert.False(options.Embedded);
        Assert.False(options.Demo);
        Assert.Equal(Convert.FromBase64String(Key), options.EncryptionKey);
    }

    [Fact]
    public void Given_values_are_taken()
    {
        var options = Read(("SignalHub:Demo", "False"), ("Webhooks:AllowedNetworks:0", "10.0.0.0/8"), ("Webhooks:AllowedNetworks:1", "fd00::/8"),
            ("Webhooks:AllowHttp", "true"), ("RateLimits:PerMinute", "0"), ("RateLimits:PerDay", "7"), ("Roles:Jobs", "false"),
            ("SignalTypes:MaxAuto", "50"));

        Assert.False(options.Demo);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")], options.Webhooks.AllowedNetworks);
        Assert.True(options.Webhooks.AllowHttp);
        Assert.Equal(new RateLimitOptions(0, 7), options.RateLimits);
        Assert.Equal(new SignalTypeOptions(50), options.SignalTypes);
        Assert.Equal(new RoleOptions(Api: true, Dispatcher: true, Jobs: false), options.Roles);
    }

    [Theory]
    [InlineData("SignalHub:Demo", "maybe")]
    [InlineData("SignalHub:Demo", "1\nSecond line")]
    [InlineData("SignalHub:OperatorKey", "sk_live_abc")]
    [InlineData("SignalHub:OperatorKey", "op_")]
    [InlineData("SignalHub:OperatorKey", "op_a b")]
    [InlineData("SignalHub:EncryptionKey", "not base64")]
    [InlineData("SignalHub:EncryptionKey", "c2hvcnQ=")]
    [InlineData("SignalHub:EncryptionKey", Key + "AAAA")]
    [InlineData("ConnectionStrings:SignalHub", "postgres://u:hunter2@db/signalhub")]
    [InlineData("ConnectionStrings:SignalHub", "Host=db;Port=many;Password=hunter2")]
    [InlineData("ConnectionStrings:SignalHub", "Database=signalhub;Password=hunter2")]
    [InlineData("Webhooks:AllowedNetworks:0", "10.0.0.0/33")]
    [InlineData("Webhooks:AllowedNetworks:0", "10.0.0.0")]
    [InlineData("Webhooks:AllowedNetworks:3", "localhost")]
    [InlineData("Webhooks:AllowedNetworks", "10.0.0.0/8")]
    [InlineData("Webhooks:AllowHttp", "yes")]
    [InlineData("RateLimits:PerMinute", "-1")]
    [InlineData("RateLimits:PerMinute", "many")]
    [InlineData("RateLimits:PerDay", "1.5")]
    [InlineData("RateLimits:PerDay", "99999999999")]
    [InlineData("Retention:AttemptDays", "a month")]
    [InlineData("Retention:DeliveryDays", "36501")]
    [InlineData("Retention:SkippedDays", "-1")]
    [InlineData("Retention:SkippedPerWorkspace", "1e6")]
    [InlineData("SignalTypes:MaxAuto", "few")]
    [InlineData("Roles:Api", "on")]
    [InlineData("Roles:Dispatcher", "2")]
    [InlineData("Serilog:MinimumLevel:Default", "loud")]
    [InlineData("Serilog:MinimumLevel:Override:Microsoft", "7")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nowhere")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "file:///tmp/metrics")]
    public void A_bad_value_is_refused_with_one_line_that_names_the_setting_and_no_secret(string name, string value)
    {
        var refused = Assert.Throws<StartException>(() => Read((name, value)));

        Assert.Contains(name.Replace(":", "__", StringComparison.Ordinal), refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("http://localhost:99999")]
    [InlineData("ftp://localhost:1")]
    public void A_bad_address_is_refused(string urls) =>
        Assert.StartsWith("ASPNETCORE_URLS", Assert.Throws<StartException>(() => Read(("urls", urls))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("SignalHub:OperatorKey", "SignalHub:EncryptionKey", Key)]
    [InlineData("SignalHub:EncryptionKey", "SignalHub:OperatorKey", "op_x")]
    public void With_a_connection_string_both_keys_are_required(string missing, string given, string value)
    {
        var refused = Assert.Throws<StartException>(() => Read(("ConnectionStrings:SignalHub", Postgres), (given, value)));

        Assert.StartsWith($"{SettingsReader.Shown(missing)} is required with ConnectionStrings__SignalHub", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Printing_the_settings_shows_no_secret() =>
        Assert.Equal("SignalHubOptions", Read(("SignalHub:OperatorKey", "op_secret")).ToString());

    private static SignalHubOptions Read(params (string Name, string Value)[] settings) =>
        new SettingsReader(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))).Build()).Read();
}
