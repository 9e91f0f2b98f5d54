using System.Globalization;
using System.Net;
using Npgsql;
using SignalHub.Telemetry;

namespace SignalHub.Storage;

/// <summary>
/// Reads the settings and refuses what cannot be meant, each with one line that names the setting as it is written in the
/// environment. Values of secrets are never repeated. An empty value counts as absent, as compose files produce them.
/// </summary>
public sealed class SettingsReader(IConfiguration configuration)
{
    public const string ConnectionString = "ConnectionStrings:SignalHub";
    public const string DataDirectory = "SignalHub:DataDirectory";
    public const string PostgresBinaries = "SignalHub:PostgresBinaries";
    public const string OperatorKey = "SignalHub:OperatorKey";
    public const string EncryptionKey = "SignalHub:EncryptionKey";
    public const string Demo = "SignalHub:Demo";
    public const string AllowedNetworks = "Webhooks:AllowedNetworks";

    public const string OperatorKeyPrefix = "op_";
    public const int EncryptionKeyBytes = 32; // AES-256

    private const int LongestOperatorKey = 256;
    private const int LongestRetention = 36_500; // days

    private static readonly string[] _collectors =
        [TelemetryExport.Endpoint, TelemetryExport.TracesEndpoint, TelemetryExport.MetricsEndpoint];

    private static readonly string[] _logLevels = ["Verbose", "Debug", "Information", "Warning", "Error", "Fatal"];

    /// <exception cref="StartException">A setting is bad or a required one is missing.</exception>
    public SignalHubOptions Read()
    {
        CheckUrls();
        CheckLogLevels();
        CheckCollectors();
        var connectionString = ReadConnectionString();
        var operatorKey = ReadOperatorKey();
        var encryptionKey = ReadEncryptionKey();
        if (connectionString is not null && operatorKey is null)
        {
            throw new StartException($"{Shown(OperatorKey)} is required with {Shown(ConnectionString)}: give a secret that starts with {OperatorKeyPrefix}, for example {OperatorKeyPrefix}$(openssl rand -hex 32).");
        }
        if (connectionString is not null && encryptionKey is null)
        {
            throw new StartException($"{Shown(EncryptionKey)} is required with {Shown(ConnectionString)}: give {EncryptionKeyBytes} random bytes in base64 and keep them, for example from openssl rand -base64 {EncryptionKeyBytes}.");
        }
        return new SignalHubOptions
        {
            ConnectionString = connectionString,
            DataDirectory = ReadPath(DataDirectory) ?? Path.GetFullPath(".signalhub"),
            PostgresBinaries = ReadPath(PostgresBinaries),
            OperatorKey = operatorKey,
            EncryptionKey = encryptionKey,
            Demo = Flag(Demo, connectionString is null),
            Webhooks = new WebhookNetworkOptions(ReadNetworks(), Flag("Webhooks:AllowHttp", false)),
            RateLimits = new RateLimitOptions(Count("RateLimits:PerMinute", 500), Count("RateLimits:PerDay", 50_000)),
            Retention = new RetentionOptions(
                Count("Retention:AttemptDays", 30, LongestRetention), Count("Retention:DeliveryDays", 90, LongestRetention),
                Count("Retention:SkippedDays", 30, LongestRetention), Count("Retention:SkippedPerWorkspace", 1_000_000)),
            SignalTypes = new SignalTypeOptions(Count("SignalTypes:MaxAuto", SignalTypeOptions.DefaultMaxAuto)),
            Roles = new RoleOptions(Flag("Roles:Api", true), Flag("Roles:Dispatcher", true), Flag("Roles:Jobs", true)),
        };
    }

    /// <summary>A setting as it is written in the environment.</summary>
    public static string Shown(string name) => name.Replace(":", "__", StringComparison.Ordinal);

    private string? Text(string name) => configuration[name]?.Trim() is { Length: > 0 } text ? text : null;

    private string? ReadConnectionString()
    {
        if (Text(ConnectionString) is not { } text)
        {
            return null;
        }
        const string Expected = "expected a form like Host=db;Database=signalhub;Username=signalhub;Password=…";
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(text);
            return string.IsNullOrWhiteSpace(settings.Host)
                ? throw new StartException($"{Shown(ConnectionString)} names no Host: {Expected}.")
                : text;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            throw new StartException($"{Shown(ConnectionString)} is not a PostgreSQL connection string: {Expected}.", e);
        }
    }

    private string? ReadOperatorKey()
    {
        if (Text(OperatorKey) is not { } key)
        {
            return null;
        }
        var usable = key.StartsWith(OperatorKeyPrefix, StringComparison.Ordinal)
            && key.Length > OperatorKeyPrefix.Length && key.Length <= LongestOperatorKey
            && key.All(c => c is > ' ' and < '\x7f');
        return usable ? key : throw new StartException(
            $"{Shown(OperatorKey)} must be {OperatorKeyPrefix} and then visible ASCII characters without spaces, at most {LongestOperatorKey} in all.");
    }

    private byte[]? ReadEncryptionKey() => Text(EncryptionKey) is { } text ? ParseEncryptionKey(text, Shown(EncryptionKey)) : null;

    /// <summary>32 bytes from base64; <paramref name="origin"/> is what the message names.</summary>
    public static byte[] ParseEncryptionKey(string text, string origin)
    {
        var bytes = new byte[EncryptionKeyBytes];
        // The span is exactly as long as a key: longer input does not fit and is refused too.
        return Convert.TryFromBase64String(text, bytes, out var written) && written == EncryptionKeyBytes
            ? bytes
            : throw new StartException($"{origin} must be {EncryptionKeyBytes} bytes in base64 (44 characters), for example from openssl rand -base64 {EncryptionKeyBytes}.");
    }

    private string? ReadPath(string name)
    {
        try
        {
            return Text(name) is { } path ? Path.GetFullPath(path) : null;
        }
        catch (ArgumentException e)
        {
            throw new StartException($"{Shown(name)} is not a path.", e);
        }
    }

    private bool Flag(string name, bool otherwise) => Text(name) switch
    {
        null => otherwise,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw new StartException($"{Shown(name)} must be true or false, not \"{OneLine(text)}\"."),
    };

    private int Count(string name, int otherwise, int most = int.MaxValue) => Text(name) switch
    {
        null => otherwise,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= most => value,
        var text => throw new StartException($"{Shown(name)} must be a whole number from 0 (unlimited) to {most}, not \"{OneLine(text)}\"."),
    };

    private List<IPNetwork> ReadNetworks()
    {
        var section = configuration.GetSection(AllowedNetworks);
        if (Text(AllowedNetworks) is not null)
        {
            throw new StartException($"{Shown(AllowedNetworks)} is a list: write {Shown(AllowedNetworks)}__0, __1 and so on.");
        }
        var networks = new List<IPNetwork>();
        foreach (var item in section.GetChildren().Where(item => !string.IsNullOrWhiteSpace(item.Value)))
        {
            networks.Add(IPNetwork.TryParse(item.Value!.Trim(), out var network)
                ? network
                : throw new StartException($"{Shown(item.Path)} must be a network in CIDR form such as 10.0.0.0/8, with no bits set after the prefix, not \"{OneLine(item.Value)}\"."));
        }
        return networks;
    }

    private void CheckLogLevels()
    {
        var levels = configuration.GetSection("Serilog:MinimumLevel");
        foreach (var level in levels.GetSection("Override").GetChildren().Append(levels.GetSection("Default")))
        {
            if (!string.IsNullOrWhiteSpace(level.Value) && !_logLevels.Contains(level.Value, StringComparer.OrdinalIgnoreCase))
            {
                throw new StartException($"{Shown(level.Path)} must be one of {string.Join(", ", _logLevels)}, not \"{OneLine(level.Value)}\".");
            }
        }
    }

    /// <summary>The exporter would go on with its default instead, and nobody would notice.</summary>
    private void CheckCollectors()
    {
        foreach (var name in _collectors)
        {
            if (Text(name) is { } text && !(Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")))
            {
                throw new StartException($"{name} must be an address such as http://localhost:4317, not \"{OneLine(text)}\".");
            }
        }
    }

    private void CheckUrls()
    {
        foreach (var url in (Text("urls") ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            try
            {
                var address = BindingAddress.Parse(url);
                if (address.Scheme is not ("http" or "https") || address.Port is < 0 or > IPEndPoint.MaxPort)
                {
                    throw new FormatException();
                }
            }
            catch (FormatException e)
            {
                throw new StartException($"ASPNETCORE_URLS must hold addresses such as http://localhost:8080, not \"{OneLine(url)}\".", e);
            }
        }
    }

    // What somebody else wrote must not add lines to ours.
    private static string OneLine(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(100));
}
