using System.Globalization;

namespace SignalHub.Benchmarks.Load;

/// <summary>Processor time and memory of other processes, from /proc (Linux, proc(5)).</summary>
internal static class ProcessCpu
{
    private const int TicksPerSecond = 100; // USER_HZ of every Linux that .NET runs on

    // Fields of /proc/[pid]/stat, counted from the one after the command's closing parenthesis.
    private const int Parent = 1;
    private const int User = 11;
    private const int Kernel = 12;
    private const int EndedChildrenUser = 13;
    private const int EndedChildrenKernel = 14;

    public static TimeSpan Of(int processId) => Sum(Fields($"/proc/{processId}/stat"), User, Kernel);

    /// <summary>A PostgreSQL server: the postmaster, its back ends, and those that have ended.</summary>
    public static TimeSpan OfServer(int postmaster)
    {
        while (true)
        {
            var own = Sum(Fields($"/proc/{postmaster}/stat"), User, Kernel, EndedChildrenUser, EndedChildrenKernel);
            var living = TimeSpan.Zero;
            foreach (var directory in Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
            {
                var fields = Fields(Path.Combine(directory, "stat"));
                if (fields.Length > Parent && fields[Parent] == Text(postmaster))
                {
                    living += Sum(fields, User, Kernel);
                }
            }
            // A back end that ended in between may be in neither sum, or in both.
            if (own == Sum(Fields($"/proc/{postmaster}/stat"), User, Kernel, EndedChildrenUser, EndedChildrenKernel))
            {
                return own + living;
            }
        }
    }

    /// <summary>What our own children that have ended took: wrk and pgbench are run one at a time.</summary>
    public static TimeSpan OfEndedChildren() => Sum(Fields("/proc/self/stat"), EndedChildrenUser, EndedChildrenKernel);

    /// <summary>The largest resident size the process has had, in MB of 10⁶ bytes.</summary>
    public static double PeakResidentMegabytes(int processId) => Megabytes(processId, "VmHWM:");

    /// <summary>Its resident size now.</summary>
    public static double ResidentMegabytes(int processId) => Megabytes(processId, "VmRSS:");

    private static double Megabytes(int processId, string name)
    {
        var line = File.ReadLines($"/proc/{processId}/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        var kibibytes = long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        return kibibytes * 1024 / 1e6;
    }

    private static string[] Fields(string path)
    {
        try
        {
            var text = File.ReadAllText(path);
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return []; // it ended while we looked
        }
    }

    private static TimeSpan Sum(string[] fields, params int[] indexes) => fields.Length == 0 ? TimeSpan.Zero
        : TimeSpan.FromSeconds((double)indexes.Sum(i => long.Parse(fields[i], CultureInfo.InvariantCulture)) / TicksPerSecond);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
