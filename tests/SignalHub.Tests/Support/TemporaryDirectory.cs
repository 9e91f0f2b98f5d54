namespace SignalHub.Tests.Support;

/// <summary>A directory for one test that every account may enter, as the server of a root's test run is another account.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory()
    {
        Path = Directory.CreateTempSubdirectory("signalhub-files-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
    }

    public string Path { get; }

    public string PathOf(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Whether nobody but its owner may read or write the file (mode 0600).</summary>
    public bool IsOwnersOnly(string file) =>
        OperatingSystem.IsWindows() || File.GetUnixFileMode(PathOf(file)) == (UnixFileMode.UserRead | UnixFileMode.UserWrite);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
