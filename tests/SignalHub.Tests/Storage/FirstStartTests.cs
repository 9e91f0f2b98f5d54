using System.Text.Json;
using System.Text.RegularExpressions;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class FirstStartTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 5, 26, 14, 30, 0, TimeSpan.Zero);
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void Keys_are_kept_in_a_file_for_the_owner_only()
    {
        var file = new KeysFile(new DataDirectory(_directory.PathOf("data")));
        Assert.Equal(new StartKeys(null, null), file.Read());

        file.Write(new StartKeys("op_1", "sk_live_2"));

        Assert.Equal("operator_key=op_1\nworkspace_key=sk_live_2\n", File.ReadAllText(_directory.PathOf("data/keys.txt")));
        Assert.True(_directory.IsOwnersOnly("data/keys.txt"));
        Assert.Equal(new StartKeys("op_1", "sk_live_2"), file.Read());
    }

    [Theory]
    [InlineData("http://localhost:8080", "http://localhost:8080")]
    [InlineData("http://+:9000", "http://localhost:9000")]
    [InlineData("http://[::]:8080", "http://localhost:8080")]
    [InlineData("http://127.0.0.1:8081/", "http://127.0.0.1:8081")]
    public void The_banner_shows_addresses_keys_and_a_line_to_paste(string listens, string shown)
    {
        var banner = StartBanner.Render(listens, new StartKeys("op_1", "sk_live_2"), "/data/keys.txt", _now);

        Assert.Contains($"{shown}\n", banner, StringComparison.Ordinal);
        Assert.Contains($"{shown}/swagger\n", banner, StringComparison.Ordinal);
        Assert.Contains("op_1\n", banner, StringComparison.Ordinal);
        Assert.Contains("/data/keys.txt\n", banner, StringComparison.Ordinal);
        Assert.Contains($"\ncurl -s {shown}/signals -H 'Authorization: Bearer sk_live_2' ", banner, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_is_one_line_with_a_body_that_parses()
    {
        var line = StartBanner.Example("http://localhost:8080", "sk_live_2", _now);

        var body = Regex.Match(line, "-d '(.*)'$").Groups[1].Value;
        using var json = JsonDocument.Parse(body);
        Assert.DoesNotContain('\n', line);
        Assert.Equal("2026-05-26T14:30:00Z", json.RootElement.GetProperty("occurred_at").GetString());
    }

    [Fact]
    public void Without_a_demo_workspace_there_is_no_key_to_show()
    {
        var banner = StartBanner.Render("http://localhost:8080", new StartKeys(null, null), null, _now);

        Assert.DoesNotContain("key", banner, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("curl", banner, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();
}
