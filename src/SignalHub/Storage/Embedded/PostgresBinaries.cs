using System.Globalization;
using System.Text.RegularExpressions;

namespace SignalHub.Storage.Embedded;

/// <summary>A directory with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c>, and the major version they have.</summary>
internal sealed partial record PostgresBinaries(string Directory, int Major)
{
    public string Initdb => Tool("initdb");

    public string PgCtl => Tool("pg_ctl");

    public string Postgres => Tool("postgres");

    private static string Suffix => OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>Where packages put the servers that are not on the PATH; each has a directory per version below.</summary>
    private static readonly (string Root, string Pattern)[] _installations =
    [
        ("/usr/lib/postgresql", "*"),                     // Debian, Ubuntu
        ("/usr", "pgsql-*"),                              // RPM
        ("/usr/libexec", "postgresql*"),                  // Alpine
        ("/opt/homebrew/opt", "postgresql@*"),            // Homebrew on Apple silicon
        ("/usr/local/opt", "postgresql@*"),               // Homebrew on Intel
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql@*"),
        (@"C:\Program Files\PostgreSQL", "*"),
    ];

    /// <summary>The usable servers of this machine, those on the PATH first, then the newest first.</summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> InstalledAsync(CancellationToken cancellationToken)
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var found = new List<PostgresBinaries>();
        foreach (var directory in onPath.Concat(Installations()).Distinct())
        {
            if (await ProbeAsync(directory, cancellationToken) is { Major: >= Migrator.OldestServer } binaries)
            {
                found.Add(binaries);
            }
        }
        var first = found.FirstOrDefault(b => onPath.Contains(b.Directory));
        return [.. found.OrderByDescending(b => b == first).ThenByDescending(b => b.Major)];
    }

    /// <summary>The binaries in that directory, or null when it does not hold all three or they do not run.</summary>
    public static async Task<PostgresBinaries?> ProbeAsync(string directory, CancellationToken cancellationToken)
    {
        if (!Path.IsPathFullyQualified(directory) || !Array.TrueForAll(["initdb", "pg_ctl", "postgres"], tool => File.Exists(Path.Combine(directory, tool + Suffix))))
        {
            return null;
        }
        var result = await ToolProcess.RunAsync(Path.Combine(directory, "postgres" + Suffix), ["--version"], account: null, cancellationToken);
        var match = VersionPattern().Match(result.Output);
        return result.Succeeded && match.Success
            ? new PostgresBinaries(directory, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture))
            : null;
    }

    private string Tool(string name) => Path.Combine(Directory, name + Suffix);

    private static IEnumerable<string> Installations() =>
        from place in _installations
        where System.IO.Directory.Exists(place.Root)
        from version in System.IO.Directory.EnumerateDirectories(place.Root, place.Pattern)
        from bin in new[] { Path.Combine(version, "bin"), version }
        select bin;

    // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "postgres (PostgreSQL) 18beta1"
    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex VersionPattern();
}
