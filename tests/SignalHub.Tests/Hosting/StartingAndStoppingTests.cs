using System.Diagnostics;
using Npgsql;
using SignalHub.Storage.Embedded;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Hosting;

/// <summary>The process with its embedded database, started and ended in all the ways it may be.</summary>
public sealed class StartingAndStoppingTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Cluster => Path.Combine(_directory.Path, ".signalhub", "postgres");

    [Fact]
    public async Task What_was_committed_survives_a_kill_of_the_service_and_of_its_database()
    {
        await using (var first = ServiceProcess.Start(_directory.Path))
        {
            await first.ReadyAsync();
            Assert.Equal("on", await AskAsync("show fsync"));
            await AskAsync("insert into workspaces (id, name, created_at) values (gen_random_uuid(), 'kept', now()) returning name");
            await first.KillAsync();
        }

        await using (var adopting = ServiceProcess.Start(_directory.Path))
        {
            await adopting.ReadyAsync();
            Assert.Contains(adopting.Output, line => line.Contains("\"Adopted\":true", StringComparison.Ordinal));
            Assert.Equal("kept", await AskAsync("select name from workspaces where name <> 'Demo'"));
            await adopting.KillAsync();
            using var server = Process.GetProcessById(PostmasterFile.Read(Cluster)!.ProcessId);
            server.Kill();
        }

        await using (var recovering = ServiceProcess.Start(_directory.Path))
        {
            await recovering.ReadyAsync();
            Assert.Equal("kept", await AskAsync("select name from workspaces where name <> 'Demo'"));
            Assert.Equal(0, await recovering.TerminateAsync());
        }
        Assert.Null(PostmasterFile.Read(Cluster));
    }

    [Fact]
    public async Task A_second_start_on_the_same_directory_says_so_and_ends()
    {
        await using var first = ServiceProcess.Start(_directory.Path);
        var url = await first.ReadyAsync();

        await using var second = ServiceProcess.Start(_directory.Path);

        Assert.Equal(1, await second.ExitCodeAsync());
        Assert.Contains($"Another SignalHub is running on {_directory.PathOf(".signalhub")}", Assert.Single(second.Errors), StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Equal("""{"status":"ready"}""", await http.GetStringAsync(new Uri(url, "/health/ready")));
    }

    [Fact]
    public async Task The_log_has_a_request_but_not_its_path()
    {
        await using var service = ServiceProcess.Start(_directory.Path);
        var url = await service.ReadyAsync();
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(url, "/health/ready"));
        using var unknown = await http.GetAsync(new Uri(url, "/s3cr3t"));

        Assert.Equal(0, await service.TerminateAsync());

        var line = Assert.Single(service.Output, text => text.Contains("SignalHub.Http.RequestLog\"", StringComparison.Ordinal));
        Assert.Contains("\"Route\":\"(no route)\"", line, StringComparison.Ordinal);
        Assert.DoesNotContain(service.Output, text => text.Contains("s3cr3t", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Generated_keys_are_for_the_owner_only_and_stay_the_same()
    {
        var keys = new List<string>();
        for (var start = 0; start < 2; start++)
        {
            await using var service = ServiceProcess.Start("/", ("SignalHub__DataDirectory", _directory.PathOf("data")));
            await service.ReadyAsync();
            Assert.Equal(0, await service.TerminateAsync());
            keys.Add(File.ReadAllText(_directory.PathOf("data/encryption.key")) + File.ReadAllText(_directory.PathOf("data/operator.key")));
        }

        Assert.Equal(keys[0], keys[1]);
        Assert.True(_directory.IsOwnersOnly("data/encryption.key"));
        Assert.True(_directory.IsOwnersOnly("data/operator.key"));
    }

    [Theory]
    [InlineData("SignalHub__Demo", "perhaps", "SignalHub__Demo must be true or false")]
    [InlineData("Serilog__MinimumLevel__Default", "loud", "Serilog__MinimumLevel__Default must be one of")]
    [InlineData("SignalHub__PostgresBinaries", "/nowhere", "SignalHub__PostgresBinaries=/nowhere must hold")]
    [InlineData("SignalHub__DataDirectory", "/proc/nowhere", "Cannot write to the data directory /proc/nowhere")]
    public async Task What_the_operator_must_put_right_is_one_line_and_exit_code_1(string name, string value, string expected)
    {
        await using var service = ServiceProcess.Start(_directory.Path, (name, value));

        Assert.Equal(1, await service.ExitCodeAsync());
        Assert.StartsWith($"SignalHub cannot start: {expected}", Assert.Single(service.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_out_of_reach_is_named_without_its_password()
    {
        await using var service = ServiceProcess.Start(_directory.Path,
            ("ConnectionStrings__SignalHub", "Host=127.0.0.1;Port=1;Database=leads;Username=u;Password=hunter2"),
            ("SignalHub__OperatorKey", "op_x"), ("SignalHub__EncryptionKey", Convert.ToBase64String(new byte[32])));

        Assert.Equal(1, await service.ExitCodeAsync());
        var line = Assert.Single(service.Errors);
        Assert.StartsWith("SignalHub cannot start: The database leads at 127.0.0.1:1 (ConnectionStrings__SignalHub) cannot be reached", line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_in_use_is_one_line_and_stops_the_database_again()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();

        await using var service = ServiceProcess.Start(_directory.Path, ("ASPNETCORE_URLS", $"http://{taken.LocalEndpoint}"));

        Assert.Equal(1, await service.ExitCodeAsync());
        Assert.Contains("address already in use", Assert.Single(service.Errors), StringComparison.Ordinal);
        Assert.Null(PostmasterFile.Read(Cluster));
    }

    public void Dispose() => _directory.Dispose();

    private async Task<object?> AskAsync(string sql)
    {
        var server = PostmasterFile.Read(Cluster)!;
        await using var connection = new NpgsqlConnection($"Host={server.SocketDirectory};Port={server.Port};Username=signalhub;Database=signalhub;Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
