using System.Security.Cryptography;
using System.Text;

namespace SignalHub.Storage.Embedded;

/// <summary>Which directory the embedded server's files lie in.</summary>
internal static class ClusterHome
{
    // Holds the place of a cluster that could not lie in the data directory, which itself stays where it was asked for.
    private const string PointerFile = "postgres.location";
    private const string SystemDirectory = "/var/lib/signalhub";
    private const int NameBytes = 8;

    /// <summary>
    /// The data directory; or, when we are root and the server's account cannot get there (a clone under a private home, a
    /// directory of <c>mktemp -d</c>), a directory of its own under /var/lib. The choice is kept in the data directory, so that
    /// a removed data directory means a fresh database.
    /// </summary>
    public static async Task<string> ChooseAsync(DataDirectory data, ServerAccount account, CancellationToken cancellationToken)
    {
        if (data.Read(PointerFile) is { Length: > 0 } kept)
        {
            return Directory.Exists(kept)
                ? kept
                : throw new StartException($"The database of {data.Path} was in {kept}, which is gone: restore it, or remove {data.PathOf(PointerFile)} to begin with an empty one.");
        }
        if (await account.CanEnterAsync(data.Path, cancellationToken))
        {
            return data.Path;
        }
        var home = Path.Combine(SystemDirectory, NewName(data.Path));
        try
        {
            Directory.CreateDirectory(home);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The account {account.Name}, which runs PostgreSQL, cannot enter {data.Path}, and {home} cannot be made: give another {SettingsReader.Shown(SettingsReader.DataDirectory)}.", e);
        }
        if (!await account.CanEnterAsync(home, cancellationToken))
        {
            throw new StartException($"The account {account.Name}, which runs PostgreSQL, can enter neither {data.Path} nor {home}: give another {SettingsReader.Shown(SettingsReader.DataDirectory)}.");
        }
        data.Write(PointerFile, home + "\n");
        return home;
    }

    // Chance as well as the path: a data directory that was removed and made again must not meet its former database.
    private static string NewName(string path)
    {
        var chance = RandomNumberGenerator.GetBytes(NameBytes);
        return Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes(path), .. chance]))[..(2 * NameBytes)];
    }
}
