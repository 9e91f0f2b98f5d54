using System.ComponentModel;
using System.Diagnostics;

namespace SignalHub.Tests.Support;

/// <summary>A test that runs JavaScript; where Node or npm is missing it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    private static readonly string? _missing = Array.Find(["node", "npm"], tool => !Exists(tool));

    public NodeFactAttribute() => Skip = _missing is null ? null : $"{_missing} is not installed here: the packages that receivers use were not asked.";

    private static bool Exists(string tool)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(tool, "--version") { RedirectStandardOutput = true, RedirectStandardError = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
