using System.Net;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SignalHub.Http;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Http;

public sealed class HealthTests
{
    private static readonly Uri _live = new("/health/live", UriKind.Relative);
    private static readonly Uri _ready = new("/health/ready", UriKind.Relative);

    [Fact]
    public async Task Ready_follows_the_database_within_a_second_and_live_does_not()
    {
        var database = await TestPostgres.CreateDatabaseAsync();
        var clock = new StoppedClock();
        await using var factory = Service(database, clock);
        using var http = factory.CreateClient();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, _ready));

        await SetReachableAsync(database, reachable: false);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, _ready)); // an answer of this second
        clock.Advance(TimeSpan.FromSeconds(1));
        using (var answer = await http.GetAsync(_ready))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        }
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, _live));

        await SetReachableAsync(database, reachable: true);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, _ready));
    }

    [Theory]
    [InlineData(null, "http://localhost:8080/health/ready")]
    [InlineData("http://+:9000;https://+:9443", "http://localhost:9000/health/ready")]
    [InlineData("http://0.0.0.0:80", "http://localhost/health/ready")]
    [InlineData("http://10.1.2.3:81", "http://10.1.2.3:81/health/ready")]
    public void The_images_health_command_asks_where_the_service_listens(string? urls, string asked) =>
        Assert.Equal(new Uri(asked), HealthProbe.Target(urls));

    [Fact]
    public async Task The_health_command_fails_when_nothing_answers()
    {
        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        Assert.Equal(1, await HealthProbe.RunAsync($"http://127.0.0.1:{port}"));
    }

    private static WebApplicationFactory<Program> Service(string database, TimeProvider clock) =>
        new WebApplicationFactory<Program>().WithWebHostBuilder(web => web
            .UseSetting("ConnectionStrings:SignalHub", database)
            .UseSetting("SignalHub:OperatorKey", "op_test")
            .UseSetting("SignalHub:EncryptionKey", Convert.ToBase64String(new byte[32]))
            .ConfigureServices(services => services.AddSingleton(clock)));

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, Uri uri)
    {
        using var answer = await http.GetAsync(uri);
        return answer.StatusCode;
    }

    private static async Task SetReachableAsync(string database, bool reachable)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var name = settings.Database!;
        await using var server = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Database = "postgres", Pooling = false }.ConnectionString);
        await server.OpenAsync();
        // Two transactions: the first has to be in force before loops of the service connect again.
        string[] steps =
        [
            $"alter database {name} allow_connections {(reachable ? "true" : "false")}",
            $"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'",
        ];
        foreach (var step in steps)
        {
            await using var command = new NpgsqlCommand(step, server);
            await command.ExecuteNonQueryAsync();
        }
    }

    private sealed class StoppedClock : TimeProvider
    {
        private long _ticks;

        public override long GetTimestamp() => _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
