using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SignalHub.Benchmarks.Load;

/// <summary>A contender that serves HTTP in a process of its own, its log going to a file.</summary>
internal sealed class HostedProcess : IAsyncDisposable
{
    // A start on a busy machine takes seconds; this is for one that will never be ready.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(5);

    private readonly Process _process;
    private readonly string _log;

    private HostedProcess(Process process, string log, Uri url)
    {
        _process = process;
        _log = log;
        Url = url;
    }

    public Uri Url { get; }

    public int Id => _process.Id;

    /// <summary>From the start of the process to its first 200 for <c>/health/ready</c>.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <summary>Starts <c>dotnet {arguments}</c>, the first of which is a dll beside this one, and waits until it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended, or is not ready after a minute.</exception>
    public static async Task<HostedProcess> StartAsync(string[] arguments, string log, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        // The shell only opens the log, with an offset that follows its end when it is emptied, and becomes the process.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$LOG\" 2>&1", "sh", dotnet, Path.Combine(AppContext.BaseDirectory, arguments[0]), .. arguments[1..]])
        {
            WorkingDirectory = Path.GetDirectoryName(log),
        };
        foreach (var inherited in start.Environment.Keys.Where(IsSetting).ToList())
        {
            start.Environment.Remove(inherited);
        }
        start.Environment["LOG"] = log;
        start.Environment["ASPNETCORE_URLS"] = url.ToString();
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }
        var hosted = new HostedProcess(Process.Start(start)!, log, url);
        await hosted.WaitUntilReadyAsync(cancellationToken);
        return hosted;
    }

    /// <summary>Half a gigabyte of request log a run is nothing to keep.</summary>
    public void EmptyLog() => File.WriteAllText(_log, "");

    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync();
            await _process.WaitForExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Url };
        var started = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(client, cancellationToken))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > _patience)
            {
                throw new InvalidOperationException($"A contender did not start:\n{string.Join('\n', File.ReadLines(_log).TakeLast(10))}");
            }
            await Task.Delay(_poll, TimeProvider.System, cancellationToken);
        }
        ReadyAfter = Stopwatch.GetElapsedTime(started);
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private static bool IsSetting(string name) =>
        name.Contains("__", StringComparison.Ordinal) || name.StartsWith("ASPNETCORE", StringComparison.Ordinal) || name.StartsWith("DOTNET_ENVIRONMENT", StringComparison.Ordinal);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
