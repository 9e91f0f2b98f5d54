using System.Diagnostics;
using System.Globalization;

namespace SignalHub.Storage.Embedded;

/// <summary>
/// What a running server writes into <c>postmaster.pid</c> of its data directory (one value a line: process id, data
/// directory, start time, port, socket directory, listen address).
/// </summary>
internal sealed record PostmasterFile(int ProcessId, int Port, string SocketDirectory, string ListenAddress)
{
    private const int Lines = 6;

    /// <summary>The file of that cluster, or null when there is none or it is not written in full.</summary>
    public static PostmasterFile? Read(string cluster)
    {
        try
        {
            var lines = File.ReadAllLines(PathOf(cluster));
            return lines.Length >= Lines
                && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && int.TryParse(lines[3], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? new PostmasterFile(pid, port, lines[4], lines[5])
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static string PathOf(string cluster) => Path.Combine(cluster, "postmaster.pid");

    /// <summary>
    /// Whether that process is there and is a PostgreSQL server. Names of processes may be read by every account.
    /// </summary>
    public bool IsAlive => ProcessName is { } name && IsServer(name);

    /// <summary>
    /// Whether something else has the number now: after the restart of a container that may be any process, even a thread of
    /// ours. PostgreSQL looks at the number only and would refuse to start.
    /// </summary>
    public bool IsReused => ProcessName is { } name && !IsServer(name);

    private string? ProcessName
    {
        get
        {
            try
            {
                using var process = Process.GetProcessById(ProcessId);
                return process.ProcessName;
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                return null;
            }
        }
    }

    private static bool IsServer(string name) => name.StartsWith("postgres", StringComparison.OrdinalIgnoreCase);
}
