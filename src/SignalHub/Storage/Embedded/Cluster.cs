using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace SignalHub.Storage.Embedded;

/// <summary>Where a server listens: a directory with its socket, or a loopback address.</summary>
internal sealed record ServerAddress(string Host, int Port);

/// <summary>How a cluster treats its files. Tests give up durability for speed; nothing else may.</summary>
internal enum Durability
{
    Full,
    None,
}

/// <summary>
/// A PostgreSQL data directory and the server that runs on it. Access is by Unix socket in a directory that only the server's
/// account can enter; where there are none (Windows), by a loopback port and a password that lies in the cluster.
/// </summary>
internal sealed class Cluster(string directory, PostgresBinaries binaries, ServerAccount account, Durability durability, TimeProvider clock)
{
    public const string Superuser = "signalhub";

    // Crash recovery replays up to four gigabytes of write-ahead log; ten minutes is the point where waiting is no help.
    private const int StartSeconds = 600;

    // A fast shutdown writes a checkpoint. Whatever is left after this is recovered at the next start.
    private const int StopSeconds = 60;

    private const int SocketPort = 5432; // part of the socket's name only
    private const int MaxSocketPathBytes = 107; // sun_path of struct sockaddr_un, less its final zero
    private const string SocketName = "/.s.PGSQL.5432";
    private const string TemporaryPrefix = "signalhub-";

    private static readonly TimeSpan _orphansLeave = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);

    public string Directory => directory;

    private string LogFile => directory + ".log";

    private string PasswordFile => Path.Combine(directory, "signalhub.password");

    /// <summary>The major version that wrote a data directory, or null when there is none.</summary>
    public static int? MajorOf(string directory)
    {
        var file = Path.Combine(directory, "PG_VERSION");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : null;
    }

    /// <summary>
    /// Makes the cluster. It appears under its name only when it is whole: a crash in between leaves a directory that the next
    /// try removes.
    /// </summary>
    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        if (System.IO.Directory.Exists(directory))
        {
            throw new StartException($"{directory} exists and is no PostgreSQL cluster that {account.Name} can read: it may belong to another account, or move it away.");
        }
        var unfinished = directory + ".new";
        if (System.IO.Directory.Exists(unfinished))
        {
            System.IO.Directory.Delete(unfinished, recursive: true);
        }
        System.IO.Directory.CreateDirectory(unfinished);
        await account.TakeOverAsync(unfinished, cancellationToken);

        List<string> arguments = ["-D", unfinished, "-U", Superuser, "-E", "UTF8", .. Locale(), .. Authentication(unfinished)];
        arguments.Add(durability == Durability.Full ? "--data-checksums" : "--no-sync");
        var result = await ToolProcess.RunAsync(binaries.Initdb, arguments, account, cancellationToken);
        if (!result.Succeeded)
        {
            throw new StartException($"{binaries.Initdb} failed: {result.LastLine}");
        }
        await File.AppendAllTextAsync(Path.Combine(unfinished, "postgresql.conf"), await SettingsAsync(unfinished, cancellationToken), cancellationToken);
        System.IO.Directory.Move(unfinished, directory);
        if (File.Exists(unfinished + ".password"))
        {
            File.Move(unfinished + ".password", PasswordFile);
        }
    }

    /// <summary>Starts the server in a session of its own, so that a Ctrl-C in our terminal reaches us only.</summary>
    public async Task<ServerAddress> StartAsync(CancellationToken cancellationToken)
    {
        RemoveLeftovers();
        var address = OperatingSystem.IsWindows() ? new ServerAddress(IPAddress.Loopback.ToString(), FreePort()) : await NewSocketAsync(cancellationToken);
        var where = OperatingSystem.IsWindows()
            ? $"-c listen_addresses={address.Host}"
            : $"-c listen_addresses='' -c unix_socket_directories='{address.Host}' -c unix_socket_permissions=0700";
        var log = await PrepareLogAsync(cancellationToken);
        string[] arguments = ["start", "-D", directory, "-w", "-s", "-t", Text(StartSeconds), "-l", log, "-o", $"{where} -p {Text(address.Port)}"];
        var deadline = clock.GetUtcNow() + _orphansLeave;
        while (true)
        {
            var result = await ToolProcess.RunAsync(binaries.PgCtl, arguments, account, cancellationToken);
            if (result.Succeeded)
            {
                return address;
            }
            var reason = LastLogLine() ?? result.LastLine;
            // The back ends of a killed server go by themselves, a moment after it; until then PostgreSQL refuses to start.
            if (!reason.Contains("shared memory block", StringComparison.Ordinal) || clock.GetUtcNow() > deadline)
            {
                RemoveSocketDirectory(address.Host);
                throw new StartException($"PostgreSQL did not start on {directory}: {reason} (log: {log})");
            }
            await Task.Delay(_poll, clock, cancellationToken);
        }
    }

    /// <summary>The address of the server that a former process of ours left running, or null when none is.</summary>
    public async Task<ServerAddress?> FindRunningAsync(CancellationToken cancellationToken)
    {
        var deadline = clock.GetUtcNow() + TimeSpan.FromSeconds(StartSeconds);
        while (PostmasterFile.Read(directory) is { } server && server.IsAlive)
        {
            var address = server.SocketDirectory.Length > 0
                ? new ServerAddress(server.SocketDirectory, server.Port)
                : new ServerAddress(server.ListenAddress, server.Port);
            if (server.SocketDirectory.Length > 0 && !File.Exists(server.SocketDirectory + SocketName))
            {
                // Somebody cleaned the temporary directory: nobody can reach this server any more.
                await StopAsync(cancellationToken);
                continue;
            }
            // It may be recovering, or on its way out: one of both ends.
            if (await AnswersAsync(address, cancellationToken))
            {
                return address;
            }
            if (clock.GetUtcNow() > deadline)
            {
                throw new StartException($"A PostgreSQL server (process {server.ProcessId}) runs on {directory} and does not answer: stop it and try again.");
            }
            await Task.Delay(_poll, clock, cancellationToken);
        }
        return null;
    }

    /// <summary>Ends the server: open sessions are cut, everything committed is on disk.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var socketDirectory = PostmasterFile.Read(directory)?.SocketDirectory;
        var mode = durability == Durability.Full ? "fast" : "immediate";
        await ToolProcess.RunAsync(binaries.PgCtl, ["stop", "-D", directory, "-m", mode, "-w", "-s", "-t", Text(StopSeconds)], account, cancellationToken);
        RemoveSocketDirectory(socketDirectory);
    }

    public string ConnectionString(ServerAddress address, string database)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Username = Superuser,
            Database = database,
        };
        if (File.Exists(PasswordFile))
        {
            settings.Password = File.ReadAllText(PasswordFile).Trim();
        }
        return settings.ConnectionString;
    }

    // Sorted by code point, so that an index means the same on every system; letters of all languages have upper and lower case.
    private IEnumerable<string> Locale() => binaries.Major >= 17
        ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        : OperatingSystem.IsLinux() ? ["--locale=C.UTF-8"] : ["--locale=C"];

    private IEnumerable<string> Authentication(string unfinished)
    {
        if (!OperatingSystem.IsWindows())
        {
            return ["--auth=trust"]; // whoever can enter the socket's directory is the server's account or root
        }
        var file = unfinished + ".password"; // beside it: initdb wants an empty directory
        File.WriteAllText(file, System.Security.Cryptography.RandomNumberGenerator.GetHexString(64));
        return ["--auth=scram-sha-256", "--pwfile", file];
    }

    private async Task<string> SettingsAsync(string unfinished, CancellationToken cancellationToken) => durability == Durability.None
        ? "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 400\nautovacuum = off\n"
        : $"\nshared_buffers = {SharedBuffers(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)}MB\nwal_compression = {await WalCompressionAsync(unfinished, cancellationToken)}"
            + $"\nmax_wal_size = {MaxWal(new DriveInfo(Path.GetFullPath(unfinished)).AvailableFreeSpace)}MB\nmin_wal_size = 512MB\nlog_checkpoints = off\nlog_timezone = 'UTC'\ntimezone = 'UTC'\n";

    /// <summary>
    /// Megabytes. PostgreSQL's own 128 MB are too few for the pages of the people and months that signals touch once millions are stored;
    /// the eighth of a machine that it shares with us is half of what PostgreSQL's manual advises for one of its own.
    /// </summary>
    internal static long SharedBuffers(long memory) => Math.Clamp(memory / 8 / (1024 * 1024), 128, 1024);

    /// <summary>
    /// Megabytes of write-ahead log between two checkpoints: PostgreSQL's own gigabyte is half a minute of full load, and after each checkpoint the first
    /// change of every page is written whole. At most an eighth of what is free.
    /// </summary>
    internal static long MaxWal(long free) => Math.Clamp(free / 8 / (1024 * 1024), 1024, 4096);

    /// <summary>lz4 writes a third less log than none and costs a fraction of PostgreSQL's own method; not every build has it, and only the server itself knows.</summary>
    private async Task<string> WalCompressionAsync(string unfinished, CancellationToken cancellationToken)
    {
        var check = await ToolProcess.RunAsync(binaries.Postgres, ["-C", "wal_compression", "-D", unfinished, "-c", "wal_compression=lz4"], account, cancellationToken);
        return check.Succeeded ? "lz4" : "on";
    }

    private async Task<ServerAddress> NewSocketAsync(CancellationToken cancellationToken)
    {
        // A fresh name nobody could have prepared, with mode 0700; where the configured place makes it too long, the usual one.
        var socketDirectory = System.IO.Directory.CreateTempSubdirectory(TemporaryPrefix).FullName;
        if (socketDirectory.Length + SocketName.Length > MaxSocketPathBytes || !await account.CanEnterAsync(Path.GetTempPath(), cancellationToken))
        {
            System.IO.Directory.Delete(socketDirectory);
            socketDirectory = ShortTemporaryDirectory();
        }
        await account.TakeOverAsync(socketDirectory, cancellationToken);
        return new ServerAddress(socketDirectory, SocketPort);
    }

    private static string ShortTemporaryDirectory()
    {
        var path = $"/tmp/{TemporaryPrefix}{System.Security.Cryptography.RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        return OperatingSystem.IsWindows()
            ? throw new PlatformNotSupportedException()
            : System.IO.Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
    }

    /// <summary>What a killed server left. The process file of a number nobody has is PostgreSQL's own business.</summary>
    private void RemoveLeftovers()
    {
        if (PostmasterFile.Read(directory) is { IsAlive: false } left)
        {
            RemoveSocketDirectory(left.SocketDirectory);
            if (left.IsReused)
            {
                File.Delete(PostmasterFile.PathOf(directory));
            }
        }
    }

    private static void RemoveSocketDirectory(string? path)
    {
        if (path is not null && Path.GetFileName(path).StartsWith(TemporaryPrefix, StringComparison.Ordinal) && System.IO.Directory.Exists(path))
        {
            System.IO.Directory.Delete(path, recursive: true);
        }
    }

    // The log of one run: what mattered of the former one was shown when it failed.
    private async Task<string> PrepareLogAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(LogFile, "", cancellationToken);
        await account.TakeOverAsync(LogFile, cancellationToken);
        return LogFile;
    }

    private string? LastLogLine()
    {
        try
        {
            return File.ReadLines(LogFile).LastOrDefault(line => line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task<bool> AnswersAsync(ServerAddress address, CancellationToken cancellationToken)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(ConnectionString(address, "postgres")) { Pooling = false };
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
