using System.Text.Json;
using System.Text.RegularExpressions;

namespace SignalHub.Tests.Hosting;

/// <summary>What can be said about image and compose file without an engine: that they agree with the code and each other.</summary>
public sealed partial class PackagingTests
{
    private static readonly string _root = FindRoot();
    private static readonly string _dockerfile = File.ReadAllText(Path.Combine(_root, "Dockerfile"));
    private static readonly string _compose = File.ReadAllText(Path.Combine(_root, "docker-compose.yml"));

    [Fact]
    public void The_image_runs_without_the_sdk_as_an_unprivileged_user()
    {
        var final = _dockerfile[_dockerfile.LastIndexOf("FROM ", StringComparison.Ordinal)..];

        Assert.StartsWith("FROM mcr.microsoft.com/dotnet/aspnet:10.0", final, StringComparison.Ordinal);
        Assert.Equal("$APP_UID", Instructions(final, "USER").Last());
        Assert.DoesNotContain("RUN", final[final.IndexOf("\nUSER", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_listens_where_it_is_exposed_published_and_asked()
    {
        Assert.Contains("ASPNETCORE_URLS=\"http://+:8080\"", _dockerfile, StringComparison.Ordinal);
        Assert.Equal("8080", Instructions(_dockerfile, "EXPOSE").Single());
        Assert.Contains(":8080\"", _compose, StringComparison.Ordinal);
        Assert.EndsWith("""CMD ["dotnet", "SignalHub.dll", "--health"]""", Instructions(_dockerfile, "HEALTHCHECK").Single(), StringComparison.Ordinal);
        Assert.Equal("""["dotnet", "SignalHub.dll"]""", Instructions(_dockerfile, "ENTRYPOINT").Single());
    }

    [Fact]
    public void The_collector_has_the_room_that_was_measured_however_the_service_is_started()
    {
        using var profiles = JsonDocument.Parse(File.ReadAllText(Path.Combine(_root, "src/SignalHub/Properties/launchSettings.json")));
        var setting = profiles.RootElement.GetProperty("profiles").GetProperty("SignalHub").GetProperty("environmentVariables").EnumerateObject().Single();

        Assert.Contains($"{setting.Name}=\"{setting.Value}\"", _dockerfile, StringComparison.Ordinal);
        Assert.Contains($"[\"{setting.Name}\"] = \"{setting.Value}\"", File.ReadAllText(Path.Combine(_root, "tests/SignalHub.Benchmarks/Load/ServiceSetup.cs")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_image_copies_exists_and_is_not_ignored()
    {
        var ignore = File.ReadAllLines(Path.Combine(_root, ".dockerignore"));
        var build = _dockerfile[..Regex.Match(_dockerfile, "^FROM .*aspnet", RegexOptions.Multiline).Index];
        var copied = Instructions(build, "COPY").SelectMany(line => line.Split(' ').SkipLast(1)).ToList();

        Assert.NotEmpty(copied);
        Assert.All(copied, path =>
        {
            Assert.True(Path.Exists(Path.Combine(_root, path)), $"{path} does not exist");
            Assert.Contains($"!{path.Split('/')[0]}", ignore);
        });
    }

    [Fact]
    public void Compose_asks_for_each_secret_and_waits_for_the_database()
    {
        var required = RequiredVariable().Matches(_compose).Select(m => m.Groups[1].Value).Distinct();

        Assert.Equal(["POSTGRES_PASSWORD", "SignalHub__EncryptionKey", "SignalHub__OperatorKey"], required.Order(StringComparer.Ordinal));
        Assert.Contains("condition: service_healthy", _compose, StringComparison.Ordinal);
        Assert.Contains("pg_isready", _compose, StringComparison.Ordinal);
        Assert.Contains("postgres-data:/var/lib/postgresql/data", _compose, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Instructions(string text, string name) =>
        Regex.Matches(text, $"^{name} (.*)$", RegexOptions.Multiline).Select(m => m.Groups[1].Value.Trim());

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "SignalHub.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("SignalHub.sln is not above the tests.");
        }
        return directory.FullName;
    }

    [GeneratedRegex(@"\$\{(\w+):\?")]
    private static partial Regex RequiredVariable();
}
