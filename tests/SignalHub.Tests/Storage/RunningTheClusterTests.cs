using Npgsql;
using SignalHub.Storage;
using SignalHub.Storage.Embedded;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class RunningTheClusterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task A_process_id_that_something_else_has_now_does_not_stop_the_start()
    {
        var cluster = await CreateAsync();
        // What a container leaves on its volume: after the restart the number belongs to this process.
        await File.WriteAllTextAsync(PostmasterFile.PathOf(cluster.Directory),
            $"{Environment.ProcessId}\n{cluster.Directory}\n1\n5432\n/tmp/signalhub-gone\n\n0 0\nready\n");
        await ServerAccount.Choose().TakeOverAsync(cluster.Directory, CancellationToken.None);

        Assert.Null(await cluster.FindRunningAsync(CancellationToken.None));
        await cluster.StartAsync(CancellationToken.None);
        Assert.NotNull(await cluster.FindRunningAsync(CancellationToken.None));
        await cluster.StopAsync(CancellationToken.None);
        Assert.Null(await cluster.FindRunningAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_server_whose_socket_was_cleaned_away_is_stopped_and_started_anew()
    {
        var cluster = await CreateAsync();
        var lost = await cluster.StartAsync(CancellationToken.None);
        Directory.Delete(lost.Host, recursive: true);

        Assert.Null(await cluster.FindRunningAsync(CancellationToken.None));
        var address = await cluster.StartAsync(CancellationToken.None);

        Assert.Equal(address, await cluster.FindRunningAsync(CancellationToken.None));
        await cluster.StopAsync(CancellationToken.None);
        Assert.False(Directory.Exists(address.Host));
    }

    [Fact]
    public async Task A_start_that_fails_gives_the_servers_own_reason()
    {
        var cluster = await CreateAsync();
        await File.AppendAllTextAsync(Path.Combine(cluster.Directory, "postgresql.conf"), "\nmax_connections = 'many'\n");

        var refused = await Assert.ThrowsAsync<StartException>(() => cluster.StartAsync(CancellationToken.None));

        Assert.Matches("did not start on .*FATAL: .*postgresql.conf", refused.Message);
    }

    [Fact]
    public async Task The_log_is_compressed_with_lz4_where_the_build_has_it()
    {
        var cluster = await CreateAsync(Durability.Full);
        var address = await cluster.StartAsync(CancellationToken.None);
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString(address, "postgres"));
        await using var ask = source.CreateCommand("""
            select setting, case when 'lz4' = any (enumvals) then 'lz4' else 'on' end from pg_settings where name = 'wal_compression'
            """);
        await using (var reader = await ask.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            Assert.Equal(reader.GetString(1), reader.GetString(0));
        }

        await cluster.StopAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData(512L << 20, 128)]
    [InlineData(4L << 30, 512)]
    [InlineData(64L << 30, 1024)]
    public void It_keeps_an_eighth_of_the_memory_for_pages(long memory, long megabytes) => Assert.Equal(megabytes, Cluster.SharedBuffers(memory));

    [Theory]
    [InlineData(1L << 30, 1024)]
    [InlineData(16L << 30, 2048)]
    [InlineData(1L << 40, 4096)]
    public void Its_write_ahead_log_takes_an_eighth_of_the_free_disk_between_one_gigabyte_and_four(long free, long megabytes) =>
        Assert.Equal(megabytes, Cluster.MaxWal(free));

    [Fact]
    public async Task A_build_without_lz4_gets_its_own_compression()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // what stands for the server is a shell script
        }
        var installed = (await PostgresBinaries.InstalledAsync(CancellationToken.None))[0];
        var bin = Directory.CreateDirectory(_directory.PathOf("bin")).FullName;
        foreach (var tool in new[] { "initdb", "pg_ctl" })
        {
            File.CreateSymbolicLink(Path.Combine(bin, tool), Path.Combine(installed.Directory, tool));
        }
        // What such a build says: invalid value for parameter "wal_compression".
        var postgres = Path.Combine(bin, "postgres");
        await File.WriteAllTextAsync(postgres, $"#!/bin/sh\ncase \"$*\" in *lz4*) exit 1;; esac\nexec {installed.Postgres} \"$@\"\n");
        File.SetUnixFileMode(postgres, (UnixFileMode)0b111_101_101);
        var cluster = new Cluster(_directory.PathOf("postgres"), new PostgresBinaries(bin, installed.Major), ServerAccount.Choose(), Durability.Full, TimeProvider.System);

        await cluster.CreateAsync(CancellationToken.None);

        Assert.Contains("\nwal_compression = on\n", await File.ReadAllTextAsync(Path.Combine(cluster.Directory, "postgresql.conf")), StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private async Task<Cluster> CreateAsync(Durability durability = Durability.None)
    {
        var binaries = (await PostgresBinaries.InstalledAsync(CancellationToken.None))[0];
        var cluster = new Cluster(_directory.PathOf("postgres"), binaries, ServerAccount.Choose(), durability, TimeProvider.System);
        await cluster.CreateAsync(CancellationToken.None);
        return cluster;
    }
}
