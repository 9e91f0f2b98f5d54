using System.Globalization;
using System.Text;

namespace SignalHub.Storage;

/// <summary>The keys a start has to show.</summary>
/// <param name="OperatorKey">Null: given by the operator, who has it.</param>
/// <param name="WorkspaceKey">The demo workspace's key; null: there is no demo workspace.</param>
public sealed record StartKeys(string? OperatorKey, string? WorkspaceKey);

/// <summary><c>keys.txt</c> in the data directory: what the first start made, kept because the database holds hashes only.</summary>
public sealed class KeysFile(DataDirectory data)
{
    public const string FileName = "keys.txt";

    private const string Operator = "operator_key";
    private const string Workspace = "workspace_key";

    public string Path => data.PathOf(FileName);

    public void Write(StartKeys keys)
    {
        data.Prepare();
        var text = new StringBuilder();
        foreach (var (name, key) in new[] { (Operator, keys.OperatorKey), (Workspace, keys.WorkspaceKey) })
        {
            if (key is not null)
            {
                text.Append(name).Append('=').Append(key).Append('\n');
            }
        }
        data.Write(FileName, text.ToString());
    }

    /// <summary>The keys of an earlier start; both null when there is no file.</summary>
    public StartKeys Read()
    {
        var lines = (data.Read(FileName) ?? "").Split('\n', StringSplitOptions.TrimEntries);
        return new StartKeys(Find(Operator), Find(Workspace));

        string? Find(string name) => lines.FirstOrDefault(line => line.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
    }
}

/// <summary>What a newcomer needs after the first command: where it listens, the keys, and a line to paste.</summary>
public static class StartBanner
{
    /// <summary>Keys may be shown to a person at a terminal, and where there is a demo workspace; not to a log collector.</summary>
    public static bool MayShowKeys(SignalHubOptions options) => options.Demo || !Console.IsOutputRedirected;

    /// <param name="url">Where the service listens.</param>
    /// <param name="keys">The keys to show.</param>
    /// <param name="keysFile">Where they are kept; null: nowhere.</param>
    /// <param name="now">When the example's signal occurred.</param>
    public static string Render(string url, StartKeys keys, string? keysFile, DateTimeOffset now)
    {
        var root = Reachable(url);
        var text = new StringBuilder("\n");
        text.Append(CultureInfo.InvariantCulture, $"  SignalHub listens on  {root}\n");
        text.Append(CultureInfo.InvariantCulture, $"  API description       {root}/swagger\n");
        if (keys.OperatorKey is { } operatorKey)
        {
            text.Append(CultureInfo.InvariantCulture, $"  Operator key          {operatorKey}\n");
        }
        if (keys.WorkspaceKey is { } workspaceKey)
        {
            text.Append(CultureInfo.InvariantCulture, $"  Demo workspace's key  {workspaceKey}\n");
        }
        if (keysFile is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  Kept in               {keysFile}\n");
        }
        if (keys.WorkspaceKey is not null)
        {
            text.Append("\n  Send a first signal:\n\n").Append(Example(root, keys.WorkspaceKey, now)).Append('\n');
        }
        return text.Append('\n').ToString();
    }

    /// <summary>One line for a POSIX shell; the signal gets a score from the sample definitions of a fresh workspace.</summary>
    internal static string Example(string root, string key, DateTimeOffset now)
    {
        var occurred = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return $"curl -s {root}/signals -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d "
            + $$$"""'{"signal_type":"custom_event","source":"quickstart","event_name":"user_invited_teammate","occurred_at":"{{{occurred}}}","identity":{"email":"jane.doe@acme.com","company_domain":"acme.com","first_name":"Jane","last_name":"Doe","title":"VP Engineering"},"context":{"team_size":12,"plan_tier":"free"}}'""";
    }

    /// <summary>"All addresses" is no place to send a request to; this machine is.</summary>
    private static string Reachable(string url)
    {
        var address = BindingAddress.Parse(url);
        var host = address.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port}{address.PathBase}".TrimEnd('/');
    }
}
