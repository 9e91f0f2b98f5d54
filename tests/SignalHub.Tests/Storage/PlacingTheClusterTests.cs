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

    public void Dispose() => _directory.Dispose();
}
