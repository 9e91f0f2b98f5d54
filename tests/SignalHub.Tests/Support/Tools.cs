using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace SignalHub.Tests.Support;

/// <summary>Programs of others that tests run: Node, npm, Python, curl.</summary>
internal static class Tools
{
    // npm looks at a registry, on a machine that runs the other tests too.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>The first that is not installed here; null: all are.</summary>
    public static string? Missing(params string[] tools) => Array.Find(tools, tool => !Succeeds(tool, "--version"));

    /// <summary>Whether the command can be run here, and ends well.</summary>
    public static bool Succeeds(string tool, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Arguments of npm. Impatient: a registry that does not answer is asked again soon, not after a minute.</summary>
    public static string[] NpmInstall(params string[] packages) =>
        ["install", "--no-audit", "--no-fund", "--silent", "--fetch-timeout=15000", "--fetch-retry-mintimeout=500", .. packages];

    /// <summary>What the command prints; a failure shows its errors.</summary>
    public static async Task<string> RunAsync(string directory, string tool, string[] arguments, string input = "", params (string Name, string Value)[] environment)
    {
        using var process = Start(directory, tool, arguments, environment);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: {await output}{await errors}");
        return await output;
    }

    internal static Process Start(string directory, string tool, string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = directory, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // What is sent to this machine must not go by a proxy.
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }
}

/// <summary>A program that listens, and prints its port as its first line.</summary>
internal sealed class ToolServer : IAsyncDisposable
{
    private readonly Process _process;

    private ToolServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<ToolServer> StartAsync(string directory, string tool, string[] arguments, params (string Name, string Value)[] environment)
    {
        var process = Tools.Start(directory, tool, arguments, environment);
        var errors = process.StandardError.ReadToEndAsync();
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Tools.Patience);
        Assert.True(int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var port), line is null ? await errors : line);
        // Its log would otherwise fill the pipe.
        _ = process.StandardOutput.ReadToEndAsync();
        return new ToolServer(process, port);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
