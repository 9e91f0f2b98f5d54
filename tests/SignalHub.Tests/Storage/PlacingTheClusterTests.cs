using SignalHub.Storage;
using SignalHub.Storage.Embedded;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class PlacingTheClusterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task It_lies_in_the_data_directory_where_the_servers_account_can_go()
    {
        var data = new DataDirectory(_directory.PathOf("data"));
        data.Prepare();

        Assert.Equal(data.Path, await ClusterHome.ChooseAsync(data, ServerAccount.Choose(), CancellationToken.None));
    }

    [Fact]
    public async Task A_remembered_place_that_is_gone_is_not_replaced_by_an_empty_database()
    {
        var data = new DataDirectory(_directory.PathOf("data"));
        data.Prepare();
        data.Write("postgres.location", _directory.PathOf("elsewhere"));

        var refused = await Assert.ThrowsAsync<StartException>(() => ClusterHome.ChooseAsync(data, ServerAccount.Choose(), CancellationToken.None));
        Assert.Contains("which is gone", refused.Message, StringComparison.Ordinal);

        Directory.CreateDirectory(_directory.PathOf("elsewhere"));
        Assert.Equal(_directory.PathOf("elsewhere"), await ClusterHome.ChooseAsync(data, ServerAccount.Choose(), CancellationToken.None));
    }

    [Fact]
    public async Task A_process_id_that_something_else_has_now_does_not_stop_the_start()
    {
        var account = ServerAccount.Choose();
        var binaries = (await PostgresBinaries.InstalledAsync(CancellationToken.None))[0];
        var cluster = new Cluster(_directory.PathOf("postgres"), binaries, account, Durability.None, TimeProvider.System);
        await cluster.CreateAsync(CancellationToken.None);
        // What a container leaves on its volume: after the restart the number belongs to this process.
        await File.WriteAllTextAsync(PostmasterFile.PathOf(cluster.Directory),
            $"{Environment.ProcessId}\n{cluster.Directory}\n1\n5432\n/tmp/signalhub-gone\n\n0 0\nready\n");
        await account.TakeOverAsync(cluster.Directory, CancellationToken.None);

        Assert.Null(await cluster.FindRunningAsync(CancellationToken.None));
        await cluster.StartAsync(CancellationToken.None);
        Assert.NotNull(await cluster.FindRunningAsync(CancellationToken.None));
        await cluster.StopAsync(CancellationToken.None);
        Assert.Null(await cluster.FindRunningAsync(CancellationToken.None));
    }

    public void Dispose() => _directory.Dispose();
}
