namespace SignalHub.Tests.Support;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>
    /// The material that the project is built from, which is no part of it: <c>SIGNALHUB_SHARED</c>, else a folder <c>shared</c> beside
    /// the checkout. Null where it is not there; what needs it is skipped.
    /// </summary>
    public static string? Shared { get; } =
        new[] { Environment.GetEnvironmentVariable("SIGNALHUB_SHARED"), Path.Combine(Root, "..", "shared") }.FirstOrDefault(Directory.Exists);

    private static string Find(DirectoryInfo? directory) => directory is null ? throw new InvalidOperationException("SignalHub.sln is in no parent folder.")
        : File.Exists(Path.Combine(directory.FullName, "SignalHub.sln")) ? directory.FullName
        : Find(directory.Parent);
}
