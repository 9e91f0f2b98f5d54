using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// The connections of the process: a pool for everything, and one for the writers of signals. It exists before its address is known
/// (the embedded server has to be started first), so that services can hold it; using it before the start step connected it is a bug and throws.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    // A node is bound by PostgreSQL's cores, not by connections: dispatcher and readers share these, writers and dry runs as many others.
    private const int PoolSize = 16;

    /// <summary>Writers of signals, each with a connection that it keeps: they come on top of what the pool of the writers lends.</summary>
    public static readonly int Writers = Math.Max(2, Environment.ProcessorCount / 2);

    // A peer that vanished without a word is noticed within a minute.
    private const int KeepAliveSeconds = 30;

    // Reaching the server takes milliseconds; a client waiting for its 503 should not wait for the driver's 15 s.
    private const int ConnectTimeoutSeconds = 5;

    // A batch is 5 KB a signal. With the driver's 8 KB each piece was a system call and woke the backend, which then waited for the next one.
    private const int WriteBufferBytes = 64 * 1024;

    // Behind a pooler in transaction mode prepared statements are lost between transactions: this in the connection string says so.
    private const string PoolerKeyword = "Max Auto Prepare";

    // As start-up options: set in each transaction they cost a statement, and undoing them at its end.
    private const string WriterOptions =
        $"{NoJit} -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c lock_timeout={WriterPatience}";

    private const string NoJit = "-c jit=off";

    /// <summary>
    /// How long a writer waits for a lock, as PostgreSQL reads it. Batches that rely on what they remember do not lock everything in one order,
    /// so two of them could wait for each other. Before PostgreSQL looks for that (after a second), they give up, and start again in the order
    /// that everybody keeps.
    /// </summary>
    internal const string WriterPatience = "200ms";

    private NpgsqlDataSource? _source;
    private NpgsqlDataSource? _writers;
    private string? _connectionString;

    /// <summary>Not connected: the start step does that.</summary>
    public Database()
    {
    }

    /// <summary>A pool for that address; no connection is opened yet.</summary>
    public Database(string connectionString) => Connect(connectionString);

    /// <summary>
    /// Whether hot statements are prepared on each connection. By hand: the driver's automatic preparation (Npgsql 10.0.0) loses
    /// the protocol's thread when a statement fails while it is being prepared, and ours fail on purpose when another node was first.
    /// </summary>
    public bool Prepares { get; private set; }

    public NpgsqlDataSource Source => _source ?? throw new InvalidOperationException("The database was used before the start step connected it.");

    /// <summary>
    /// A connection for what writes signals. Where statements are prepared, its plans only probe by key: made on small tables, they would be
    /// hash joins over scans, and stay so when the tables have grown. And it waits for locks no longer than <see cref="WriterPatience"/>.
    /// Elsewhere each transaction has to say so itself.
    /// </summary>
    internal ValueTask<NpgsqlConnection> OpenWriterAsync(CancellationToken cancellationToken) =>
        _writers is null ? OpenAsync(cancellationToken) : _writers.OpenConnectionAsync(cancellationToken);

    /// <summary>Whether the writers' settings arrive: some poolers drop start-up options without a word.</summary>
    internal async Task<bool> CheckWritersAsync(CancellationToken cancellationToken)
    {
        if (_writers is null)
        {
            return true;
        }
        await using var command = _writers.CreateCommand("select current_setting('lock_timeout')");
        return (string)(await command.ExecuteScalarAsync(cancellationToken))! == WriterPatience;
    }

    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => Source.OpenConnectionAsync(cancellationToken);

    internal bool IsConnected => _source is not null;

    internal void Connect(string connectionString)
    {
        if (_source is not null)
        {
            throw new InvalidOperationException("The database is connected already.");
        }
        var settings = WithDefaults(connectionString);
        Prepares = !(settings.ShouldSerialize(PoolerKeyword) && settings.MaxAutoPrepare == 0);
        if (Prepares)
        {
            // Start-up options, which poolers refuse as well. Our statements take a millisecond; compiling one that looks dear on
            // a long queue took seventy.
            var writers = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
            {
                Options = $"{settings.Options} {WriterOptions}".TrimStart(), MinPoolSize = 0, MaxPoolSize = settings.MaxPoolSize + Writers,
            };
            _writers = NpgsqlDataSource.Create(writers);
            settings.Options ??= NoJit;
        }
        _connectionString = settings.ConnectionString;
        _source = NpgsqlDataSource.Create(_connectionString);
    }

    /// <summary>
    /// A connection outside the pool, for what needs a session for long (to listen): closing it ends the session on the
    /// server, whatever happened before.
    /// </summary>
    internal async Task<NpgsqlConnection> OpenUnpooledAsync(CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString) { Pooling = false };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in (NpgsqlDataSource?[])[_writers, _source])
        {
            await (source?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    /// <summary>What the operator wrote wins; what was left at the driver's default gets ours.</summary>
    private static NpgsqlConnectionStringBuilder WithDefaults(string connectionString)
    {
        var drivers = new NpgsqlConnectionStringBuilder();
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // Our SQL leaves no session state behind, and the reset costs a third of the throughput of small statements.
            NoResetOnClose = true,
        };
        settings.ApplicationName ??= "SignalHub";
        if (settings.MaxPoolSize == drivers.MaxPoolSize)
        {
            settings.MaxPoolSize = Math.Max(PoolSize, settings.MinPoolSize);
        }
        if (settings.WriteBufferSize == drivers.WriteBufferSize)
        {
            settings.WriteBufferSize = WriteBufferBytes;
        }
        if (settings.KeepAlive == drivers.KeepAlive)
        {
            settings.KeepAlive = KeepAliveSeconds;
        }
        if (settings.Timeout == drivers.Timeout)
        {
            settings.Timeout = ConnectTimeoutSeconds;
        }
        return settings;
    }
}
