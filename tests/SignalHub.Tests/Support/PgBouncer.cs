using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using SignalHub.Storage.Embedded;

namespace SignalHub.Tests.Support;

/// <summary>A test behind a pooler; where PgBouncer is missing it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PgBouncerFactAttribute : FactAttribute
{
    private static readonly string? _missing = Tools.Missing("pgbouncer");

    public PgBouncerFactAttribute() => Skip = _missing is null ? null : "PgBouncer is not installed here (apt-get install pgbouncer): what works behind a pooler was not asked.";
}

/// <summary>PgBouncer in transaction mode before a database: two sessions of the server for whoever comes.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private const string IsUp = "process up";

    private readonly TemporaryDirectory _files;
    private readonly Process _process;

    private PgBouncer(TemporaryDirectory files, Process process, string connectionString) =>
        (_files, _process, ConnectionString) = (files, process, connectionString);

    /// <summary>As an operator would write it.</summary>
    public string ConnectionString { get; }

    public static async Task<PgBouncer> StartAsync(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var port = FreePort();
        var files = new TemporaryDirectory();
        var password = string.IsNullOrEmpty(server.Password) ? "" : $" password={server.Password}";
        await File.WriteAllTextAsync(files.PathOf("pgbouncer.ini"), $"""
            [databases]
            {server.Database} = host={server.Host} port={server.Port} user={server.Username}{password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 2
            """);
        var account = ServerAccount.Choose();
        await account.TakeOverAsync(files.Path, CancellationToken.None);
        var process = Tools.Start(files.Path, "pgbouncer", [.. account.Switches ? ["-u", account.Name] : Array.Empty<string>(), "pgbouncer.ini"], []);
        var said = "";
        while (!said.Contains(IsUp, StringComparison.Ordinal) && await process.StandardError.ReadLineAsync().WaitAsync(Tools.Patience) is { } line)
        {
            said += line + "\n";
        }
        Assert.True(said.Contains(IsUp, StringComparison.Ordinal), said);
        // Its log would otherwise fill the pipe.
        _ = process.StandardError.ReadToEndAsync();
        return new PgBouncer(files, process, new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = port, Database = server.Database, Username = server.Username, SslMode = SslMode.Disable,
        }.ConnectionString + ";Max Auto Prepare=0");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _files.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return int.Parse(listener.LocalEndpoint.ToString()!.Split(':')[^1], CultureInfo.InvariantCulture);
    }
}
