using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace SignalHub.Storage.Embedded;

/// <summary>How a tool ended: its exit code and what it printed, standard output and error together.</summary>
internal sealed record ToolResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The last line that says something: tools end with the reason.</summary>
    public string LastLine => Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
}

/// <summary>Runs a command-line tool to its end.</summary>
internal static class ToolProcess
{
    // Set by whoever uses psql on this machine; they would point the tools at another server.
    private static readonly string[] _foreignVariables =
        ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS", "PGSERVICE", "PG_COLOR", "LC_ALL", "LANGUAGE"];

    /// <summary>
    /// Runs <paramref name="file"/> as <paramref name="account"/> (null: as ourselves) from the root directory, which every
    /// account can enter. A tool that cannot be started has exit code 127, as in a shell; cancelling kills it.
    /// </summary>
    public static async Task<ToolResult> RunAsync(string file, IEnumerable<string> arguments, ServerAccount? account, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetPathRoot(Environment.SystemDirectory) is { Length: > 0 } root ? root : "/",
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        foreach (var name in _foreignVariables)
        {
            start.Environment.Remove(name);
        }
        start.Environment["LC_MESSAGES"] = "C"; // the reason we print should read like the rest of our output
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        if (account is { Switches: true })
        {
            start.UserName = account.Name;
        }

        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            return new ToolResult(127, e.Message);
        }
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        lock (output)
        {
            return new ToolResult(process.ExitCode, output.ToString());
        }
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }
}
