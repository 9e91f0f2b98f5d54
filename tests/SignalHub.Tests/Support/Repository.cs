namespace SignalHub.Tests.Support;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory) => directory is null ? throw new InvalidOperationException("SignalHub.sln is in no parent folder.")
        : File.Exists(Path.Combine(directory.FullName, "SignalHub.sln")) ? directory.FullName
        : Find(directory.Parent);
}
