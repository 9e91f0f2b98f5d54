using System.Net;

namespace SignalHub.Http;

/// <summary>
/// <c>SignalHub --health [url]</c>: asks the service of this container whether it is ready, for the image's HEALTHCHECK, which
/// has no curl. Exit code 0: ready; 1: not, or no answer.
/// </summary>
internal static class HealthProbe
{
    private const string DefaultUrl = "http://localhost:8080";

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(4); // less than the 5 s of the HEALTHCHECK

    public static async Task<int> RunAsync(string? url)
    {
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = _timeout };
            using var answer = await http.GetAsync(Target(url ?? Environment.GetEnvironmentVariable("ASPNETCORE_URLS")));
            return answer.StatusCode == HttpStatusCode.OK ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or FormatException)
        {
            await Console.Error.WriteLineAsync($"No answer: {e.Message}");
            return 1;
        }
    }

    /// <summary>The first address of the list the service listens on, as it is reached from here.</summary>
    internal static Uri Target(string? urls)
    {
        var first = urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();
        var address = BindingAddress.Parse(first ?? DefaultUrl);
        var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        return new Uri($"{address.Scheme}://{host}:{address.Port}/health/ready");
    }
}
