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

    public void Dispose() => _directory.Dispose();

    private async Task<Cluster> CreateAsync()
    {
        var binaries = (await PostgresBinaries.InstalledAsync(CancellationToken.None))[0];
        var cluster = new Cluster(_directory.PathOf("postgres"), binaries, ServerAccount.Choose(), Durability.None, TimeProvider.System);
        await cluster.CreateAsync(CancellationToken.None);
        return cluster;
    }
}
