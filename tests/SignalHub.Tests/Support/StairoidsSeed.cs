using System.Text.RegularExpressions;

namespace SignalHub.Tests.Support;

/// <summary>
/// The code samples of the page that describes the Stairoids API, read when the test runs: their text is not ours and stands nowhere in
/// this repository.
/// </summary>
internal static partial class StairoidsSeed
{
    public const string BaseUrl = "https://api.stairoids.com";
    public const string HeaderName = "x-stairoids-signature";
    public const string KeyInCurl = "sk_live_your_api_key_here";

    private static readonly string? _file = Repository.Shared is { } shared && Directory.Exists(Path.Combine(shared, "seeds"))
        ? Directory.EnumerateFiles(Path.Combine(shared, "seeds"), "001_*.txt").FirstOrDefault()
        : null;

    public static bool IsHere => _file is not null;

    /// <summary>The only block of that language which holds the text, without the indentation of its fence.</summary>
    public static string Sample(string language, string containing) =>
        Assert.Single(Fences().Matches(File.ReadAllText(_file!).ReplaceLineEndings("\n"))
            .Where(f => f.Groups["language"].Value == language)
            .Select(f => string.Join('\n', f.Groups["code"].Value.Split('\n').Select(l => l.Length > f.Groups["indent"].Length ? l[f.Groups["indent"].Length..] : ""))),
            code => code.Contains(containing, StringComparison.Ordinal));

    [GeneratedRegex(@"^(?<indent> *)```(?<language>\w+)[^\n]*\n(?<code>.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();
}

/// <summary>A test that runs a sample of the seed; skipped where the seed or a tool is missing, and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SampleFactAttribute : FactAttribute
{
    public SampleFactAttribute(params string[] tools) =>
        Skip = !StairoidsSeed.IsHere ? "The seed is not beside this checkout (../shared, or SIGNALHUB_SHARED): its samples were not run."
            : Tools.Missing(tools) is { } missing ? $"{missing} is not installed here: its sample was not run."
            : null;
}
