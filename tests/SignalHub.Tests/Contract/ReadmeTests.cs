using System.Diagnostics;
using System.Text.RegularExpressions;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Contract;

/// <summary>What the README tells a newcomer to type works as it stands there.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string _readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [Fact]
    public async Task Its_curl_blocks_work_against_a_fresh_start_with_the_embedded_database()
    {
        using var directory = new TemporaryDirectory();
        await using var service = ServiceProcess.Start(directory.Path, ("Webhooks__AllowHttp", "true"), ("Webhooks__AllowedNetworks__0", "127.0.0.0/8"));
        var url = await service.ReadyAsync();

        var output = await BashAsync(directory.Path, string.Join('\n', Blocks("readme").Concat(Blocks("readme-webhook")))
            .Replace("http://localhost:8080", url.ToString().TrimEnd('/'), StringComparison.Ordinal));

        Assert.Contains("\"status\":\"captured\"", output, StringComparison.Ordinal);
        Assert.Contains("\"icp_code\":\"Mid-market SaaS\"", output, StringComparison.Ordinal);
        Assert.Contains("\"qualified\":true", output, StringComparison.Ordinal);
        Assert.Contains("\"data\":[{\"id\":\"lead_", output, StringComparison.Ordinal);
        Assert.Contains("\"secret\":\"whsec_", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_run_and_test_commands_are_the_two_that_are_promised_and_CI_runs_the_second()
    {
        Assert.Equal("dotnet run -c Release --project src/SignalHub", Blocks("run").Single().Trim());
        Assert.Equal("dotnet test", Blocks("test").Single().Trim());
        Assert.Matches(@"(?m)^dotnet test\b", File.ReadAllText(Path.Combine(Repository.Root, ".ci", "run")));
    }

    [Fact]
    public void Every_setting_of_appsettings_is_in_its_table()
    {
        var table = Settings().Matches(_readme).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        string[] promised =
        [
            "ConnectionStrings__SignalHub", "SignalHub__DataDirectory", "SignalHub__OperatorKey", "SignalHub__Demo", "ASPNETCORE_URLS",
            "Webhooks__AllowedNetworks__0", "Webhooks__AllowHttp", "RateLimits__PerMinute", "RateLimits__PerDay", "SignalTypes__MaxAuto", "SignalHub__EncryptionKey",
            "Roles__Api", "Roles__Dispatcher", "Roles__Jobs",
        ];

        Assert.Empty(promised.Except(table));
    }

    [Fact]
    public void Its_links_lead_somewhere()
    {
        var broken = Links().Matches(_readme).Select(m => m.Groups[1].Value).Where(l => !l.StartsWith("http", StringComparison.Ordinal))
            .Where(l => !Path.Exists(Path.Combine(Repository.Root, l))).ToList();

        Assert.True(broken.Count == 0, string.Join(", ", broken));
    }

    [GeneratedRegex(@"^\| `([A-Za-z_0-9]+)`", RegexOptions.Multiline)]
    private static partial Regex Settings();

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Links();

    private static List<string> Blocks(string tag) =>
        [.. Regex.Matches(_readme, $"^```bash {tag}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline).Select(m => m.Groups[1].Value)];

    private static async Task<string> BashAsync(string directory, string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script])
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(process.ExitCode == 0, $"{await output}\n{await errors}");
        return await output;
    }
}
