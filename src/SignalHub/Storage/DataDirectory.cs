using System.Globalization;
using System.Security.Cryptography;

namespace SignalHub.Storage;

/// <summary>
/// The directory with what the process keeps outside the database: generated keys, <c>keys.txt</c>, the embedded cluster.
/// Files are for our account only (mode 0600).
/// </summary>
public sealed class DataDirectory(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Root's server runs under another account and has to pass through to its cluster; the files are closed to it.
    private const UnixFileMode Private = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public string Path => path;

    public string PathOf(string file) => System.IO.Path.Combine(path, file);

    /// <summary>Makes the directory if need be; one that exists keeps its mode.</summary>
    /// <exception cref="StartException">The directory cannot be made or written.</exception>
    public void Prepare()
    {
        try
        {
            if (Directory.Exists(path))
            {
                return;
            }
            Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, Environment.IsPrivilegedProcess ? Passable : Private);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>The content of a file of ours without surrounding space, or null when there is none.</summary>
    public string? Read(string file)
    {
        try
        {
            return File.ReadAllText(PathOf(file)).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"Cannot read {PathOf(file)}: {e.Message}", e);
        }
    }

    /// <summary>Writes a file whole or not at all, readable by our account only.</summary>
    public void Write(string file, string content)
    {
        var unfinished = PathOf(file) + ".new";
        try
        {
            File.Delete(unfinished);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }
            using (var stream = new FileStream(unfinished, options))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
                stream.Flush(flushToDisk: true); // a lost encryption key is lost secrets
            }
            File.Move(unfinished, PathOf(file), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>The secret in that file; the first call makes it.</summary>
    public string ReadOrCreate(string file, Func<string> make)
    {
        if (Read(file) is { Length: > 0 } kept)
        {
            return kept;
        }
        var made = make();
        Write(file, made + "\n");
        return made;
    }

    /// <summary>
    /// Claims the directory for this process until the answer is disposed or the process is gone: the lock is the kernel's, so
    /// none is left behind by a crash.
    /// </summary>
    /// <exception cref="StartException">Another process has it.</exception>
    public IDisposable Lock()
    {
        const string Name = "lock";
        try
        {
            var file = new FileStream(PathOf(Name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
            return file;
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unwritable(e);
        }
        catch (IOException e) when (File.Exists(PathOf(Name)))
        {
            throw new StartException($"Another SignalHub is running on {path}: stop it, or give this one its own directory with {SettingsReader.Shown(SettingsReader.DataDirectory)}.", e);
        }
        catch (IOException e)
        {
            throw Unwritable(e);
        }
    }

    private StartException Unwritable(Exception e) =>
        new($"Cannot write to the data directory {path} ({SettingsReader.Shown(SettingsReader.DataDirectory)}): {e.Message}", e);

    /// <summary>A new operator key: 256 random bits.</summary>
    internal static string NewOperatorKey() => SettingsReader.OperatorKeyPrefix + RandomNumberGenerator.GetHexString(64, lowercase: true);

    internal static string NewEncryptionKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(SettingsReader.EncryptionKeyBytes));
}
