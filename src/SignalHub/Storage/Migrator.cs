using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>One numbered step of the schema. <paramref name="Sha256"/> is of the file's bytes, in lower-case hex.</summary>
public sealed record Migration(int Version, string Name, string Sql, string Sha256)
{
    private const string Prefix = "Migrations/";

    /// <summary>The steps compiled into this binary, in order: the files <c>Migrations/NNNN_name.sql</c>.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = [.. Read(typeof(Migration).Assembly).OrderBy(m => m.Version)];

    private static IEnumerable<Migration> Read(Assembly assembly)
    {
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            var name = Path.GetFileNameWithoutExtension(resource[Prefix.Length..]);
            var version = int.Parse(name.AsSpan(0, name.IndexOf('_', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
            yield return new Migration(version, name, System.Text.Encoding.UTF8.GetString(memory.ToArray()),
                Convert.ToHexStringLower(SHA256.HashData(memory.ToArray())));
        }
    }
}

/// <summary>What a run found and did: the version the schema has now and how many steps this run applied.</summary>
public sealed record MigrationOutcome(int Version, int Applied);

/// <summary>
/// Brings the schema to the version of this binary. Each step is one transaction together with its row in <c>schema_migrations</c>, so a crash
/// leaves whole steps only. Nodes that start together take turns step by step under an advisory lock of the transaction: one of the session would,
/// behind a pooler, stay with a session that others go on using.
/// </summary>
public sealed class Migrator(Database database, ILogger<Migrator> log, IReadOnlyList<Migration> migrations)
{
    public const int OldestServer = 15;

    // Any constant of ours does; it must only differ from the keys of other advisory locks in this database.
    private const long LockKey = 0x5369_676E_616C_0001;

    // A step may rewrite a large table, and another node may be in the middle of one.
    private const int NoTimeout = 0;

    /// <exception cref="StartException">The server is too old, the schema is newer than the binary, or an applied file changed.</exception>
    public async Task<MigrationOutcome> RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenUnpooledAsync(cancellationToken);
        if (connection.PostgreSqlVersion.Major < OldestServer)
        {
            throw new StartException($"PostgreSQL {connection.PostgreSqlVersion} is too old: SignalHub needs version {OldestServer} or newer.");
        }
        var steps = 0;
        while (await ApplyNextAsync(connection, cancellationToken))
        {
            steps++;
        }
        var version = migrations.Count == 0 ? 0 : migrations.Max(m => m.Version);
        log.LogInformation("Schema is at version {Version}; steps applied now: {Applied}", version, steps);
        return new MigrationOutcome(version, steps);
    }

    /// <summary>The first step that is missing; false: none is.</summary>
    private async Task<bool> ApplyNextAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({LockKey})", cancellationToken);
        await ExecuteAsync(connection, """
            create table if not exists schema_migrations (
                version     integer primary key,
                name        text not null,
                sha256      text not null,
                applied_at  timestamptz not null default clock_timestamp()
            )
            """, cancellationToken);
        var applied = await AppliedAsync(connection, cancellationToken);
        Check(applied);
        var next = migrations.Where(m => !applied.ContainsKey(m.Version)).MinBy(m => m.Version);
        if (next is not null)
        {
            await ApplyAsync(connection, next, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return next is not null;
    }

    private void Check(Dictionary<int, (string Name, string Sha256)> applied)
    {
        var newest = migrations.Count == 0 ? 0 : migrations.Max(m => m.Version);
        if (applied.Count > 0 && applied.Keys.Max() > newest)
        {
            throw new StartException(
                $"The database has schema version {applied.Keys.Max()}, this SignalHub knows {newest}: start the newer release, or restore a backup made with this one.");
        }
        foreach (var migration in migrations)
        {
            if (applied.TryGetValue(migration.Version, out var row) && row.Sha256 != migration.Sha256)
            {
                throw new StartException(
                    $"Schema step {row.Name} was applied to this database in another form than this SignalHub contains: use the release that made the database, or a fresh database.");
            }
        }
    }

    private static async Task<Dictionary<int, (string Name, string Sha256)>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, (string, string)>();
        await using var command = new NpgsqlCommand("select version, name, sha256 from schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            applied.Add(reader.GetInt32(0), (reader.GetString(1), reader.GetString(2)));
        }
        return applied;
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, migration.Sql, cancellationToken);
        await using var record = new NpgsqlCommand("insert into schema_migrations (version, name, sha256) values ($1, $2, $3)", connection)
        {
            Parameters = { new() { Value = migration.Version }, new() { Value = migration.Name }, new() { Value = migration.Sha256 } },
        };
        await record.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = NoTimeout };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
