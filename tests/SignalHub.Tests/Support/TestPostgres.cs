using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SignalHub.Storage;
using SignalHub.Storage.Embedded;

namespace SignalHub.Tests.Support;

/// <summary>
/// The PostgreSQL server of this test run: private, started with the first database that is asked for, without durability,
/// removed when the run ends, however it ends. <c>SIGNALHUB_TEST_POSTGRES</c> (a connection string of a superuser or of a role
/// that may create databases) names an existing server to use instead.
/// </summary>
internal static class TestPostgres
{
    public const string OverrideVariable = "SIGNALHUB_TEST_POSTGRES";

    private const string DirectoryPrefix = "signalhub-test-";

    private static readonly Lazy<Task<string>> _template = new(PrepareAsync);
    private static readonly string _run = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
    private static int _databases;

    // Held open as long as this process lives; see Reap.
    private static Process? _reaper;

    /// <summary>A database of its own with the whole schema and no rows; answers its connection string.</summary>
    public static async Task<string> CreateDatabaseAsync() => await CreateAsync(TemplateName);

    /// <summary>A database without our schema, for tests of the migrations.</summary>
    public static async Task<string> CreateEmptyDatabaseAsync() => await CreateAsync("template0");

    private static string TemplateName => $"signalhub_test_{_run}_template";

    private static async Task<string> CreateAsync(string template)
    {
        var server = await _template.Value;
        var name = $"signalhub_test_{_run}_{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(server, $"create database {name} template {template}");
        return Named(server, name);
    }

    /// <summary>Answers the connection string of the server's maintenance database, the template being ready.</summary>
    private static async Task<string> PrepareAsync()
    {
        var given = Environment.GetEnvironmentVariable(OverrideVariable);
        var server = string.IsNullOrEmpty(given) ? await StartServerAsync() : given;
        if (!string.IsNullOrEmpty(given))
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => DropDatabases(server);
        }
        await ExecuteAsync(server, $"create database {TemplateName} template template0");
        // Without a pool: a template may have no sessions when it is copied.
        await using var template = new Database(new NpgsqlConnectionStringBuilder(Named(server, TemplateName)) { Pooling = false }.ConnectionString);
        await new Migrator(template, NullLogger<Migrator>.Instance, Migration.Embedded).RunAsync(CancellationToken.None);
        return server;
    }

    private static async Task<string> StartServerAsync()
    {
        RemoveStale();
        var account = ServerAccount.Choose();
        var directory = Path.Combine(Path.GetTempPath(), $"{DirectoryPrefix}{_run}-{Environment.TickCount64:x}");
        Directory.CreateDirectory(directory);
        Reap(directory);
        await account.TakeOverAsync(directory, CancellationToken.None);
        var binaries = await PostgresBinaries.InstalledAsync(CancellationToken.None) is [var first, ..] ? first
            : await NpmBinaries.GetAsync(directory, NullLogger.Instance, CancellationToken.None)
            ?? throw new InvalidOperationException($"The tests need PostgreSQL {Migrator.OldestServer} or newer: install it (apt-get install postgresql) or set {OverrideVariable}.");
        var cluster = new Cluster(Path.Combine(directory, "postgres"), binaries, account, Durability.None, TimeProvider.System);
        await cluster.CreateAsync(CancellationToken.None);
        var address = await cluster.StartAsync(CancellationToken.None);
        return cluster.ConnectionString(address, "postgres");
    }

    /// <summary>
    /// A shell that waits for the end of its input, which comes when this process is gone for whatever reason, then stops the
    /// server and removes its files. Runners give a test process too little time to do that at its exit.
    /// </summary>
    private static void Reap(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAndRemove(directory);
            return;
        }
        const string Script = """
            trap '' INT TERM HUP; exec >/dev/null 2>&1
            cat
            pid=$(head -n 1 "$0/postgres/postmaster.pid") && sockets=$(sed -n 5p "$0/postgres/postmaster.pid") && kill -QUIT "$pid"
            while [ -n "$pid" ] && kill -0 "$pid"; do sleep 0.1; done
            case "$sockets" in */signalhub-*) rm -rf "$sockets";; esac
            rm -rf "$0"
            """;
        _reaper = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, directory]) { RedirectStandardInput = true, WorkingDirectory = "/" });
    }

    /// <summary>What runs left behind whose process and reaper were both killed.</summary>
    private static void RemoveStale()
    {
        foreach (var directory in Directory.EnumerateDirectories(Path.GetTempPath(), DirectoryPrefix + "*"))
        {
            var owner = Path.GetFileName(directory)[DirectoryPrefix.Length..].Split('-')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && !IsAlive(pid))
            {
                StopAndRemove(directory);
            }
        }
    }

    private static void StopAndRemove(string directory)
    {
        try
        {
            if (PostmasterFile.Read(Path.Combine(directory, "postgres")) is { } server && server.IsAlive)
            {
                using var process = Process.GetProcessById(server.ProcessId);
                process.Kill();
                process.WaitForExit();
            }
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            // Another run removes it at the same time, or it belongs to another user: not ours to worry about.
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void DropDatabases(string server)
    {
        using var connection = new NpgsqlConnection(server);
        connection.Open();
        foreach (var name in Enumerable.Range(1, _databases).Select(n => $"signalhub_test_{_run}_{n}").Append(TemplateName))
        {
            using var drop = new NpgsqlCommand($"drop database if exists {name} with (force)", connection);
            drop.ExecuteNonQuery();
        }
    }

    private static string Named(string server, string database) => new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;

    private static async Task ExecuteAsync(string server, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
