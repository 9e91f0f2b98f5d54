using SignalHub.Storage.Embedded;

namespace SignalHub.Benchmarks.Load;

/// <summary>A command with a PostgreSQL server and a directory of its own, both gone afterwards, also after Ctrl-C.</summary>
internal static class PrivateRun
{
    /// <summary>Answers the exit code; what went wrong is one line on standard error.</summary>
    public static async Task<int> RunAsync(Func<LoadOptions> parse, Func<LoadOptions, LoadServer, string, CancellationToken, Task> measure)
    {
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            interrupted.Cancel();
        };
        try
        {
            await RunAsync(parse(), measure, interrupted.Token);
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    /// <summary>What was measured; "-dirty" where it differs from that, which results of other benchmarks do not.</summary>
    public static async Task<string> CommitAsync(CancellationToken cancellationToken)
    {
        Task<ToolResult> GitAsync(params string[] arguments) =>
            ToolProcess.RunAsync("git", ["-C", Directory.GetCurrentDirectory(), .. arguments], account: null, cancellationToken);
        var commit = await GitAsync("describe", "--always");
        var changed = await GitAsync("status", "--porcelain", "--", ".", ":!docs/benchmarks");
        return commit.Succeeded ? commit.LastLine + (changed.LastLine.Length == 0 ? "" : "-dirty") : "unknown";
    }

    private static async Task RunAsync(LoadOptions options, Func<LoadOptions, LoadServer, string, CancellationToken, Task> measure, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new InvalidOperationException("This needs Linux: it reads processor times from /proc.");
        }
        if ((await ToolProcess.RunAsync("wrk", ["-v"], account: null, cancellationToken)).ExitCode == 127)
        {
            throw new InvalidOperationException("The load generator wrk is missing: apt-get install wrk");
        }
        var directory = Directory.CreateTempSubdirectory("signalhub-load-").FullName;
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute); // PostgreSQL's account passes through
        try
        {
            await using var server = await LoadServer.StartAsync(directory, options.Profile, cancellationToken);
            await measure(options, server, directory, cancellationToken);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
