using System.Text.Json.Nodes;
using SignalHub.Http;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Contract;

/// <summary>The contract is committed; a change to it is a change somebody made on purpose.</summary>
public sealed class OpenApiDocumentTests : IAsyncLifetime
{
    // Open to everybody: health and metrics are for machines that watch and hold numbers only.
    private static readonly string[] _open = ["/health/live", "/health/ready", "/metrics"];

    private SignalHubApp _app = null!;
    private JsonNode _document = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        using var client = _app.Anonymous();
        _document = JsonNode.Parse(await client.GetStringAsync(new Uri("/swagger/v1/swagger.json", UriKind.Relative)))!;
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task The_committed_document_is_what_the_service_serves()
    {
        var served = _document.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
        var path = Path.Combine(Repository.Root, "src", "SignalHub", "openapi.v1.json");
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            await File.WriteAllTextAsync(path, served);
        }

        var committed = File.Exists(path) ? await File.ReadAllTextAsync(path) : "";

        Assert.True(committed == served,
            "src/SignalHub/openapi.v1.json is not what the service serves. If the change is meant: UPDATE_SNAPSHOTS=1 dotnet test --filter OpenApiDocumentTests");
    }

    [Fact]
    public void Every_operation_has_a_summary_and_its_status_codes()
    {
        var bare = Operations().Where(o => string.IsNullOrWhiteSpace((string?)o.Operation["summary"]) || o.Operation["responses"]!.AsObject().Count < 2)
            .Where(o => !_open.Contains(o.Path)).Select(o => $"{o.Method} {o.Path}").ToList();

        Assert.True(bare.Count == 0, "Without a summary or with a single status: " + string.Join(", ", bare));
    }

    [Fact]
    public void Every_operation_that_takes_a_body_has_an_example()
    {
        var bare = Operations().Where(o => o.Operation["requestBody"] is { } body && body["content"]!.AsObject().Any(c => c.Value!["example"] is null))
            .Select(o => $"{o.Method} {o.Path}").ToList();

        Assert.True(bare.Count == 0, "Without an example: " + string.Join(", ", bare));
    }

    [Fact]
    public void The_problem_codes_are_published()
    {
        var published = _document["components"]!["schemas"]!["ProblemBody"]!["properties"]!["code"]!["enum"]!.AsArray().Select(c => (string)c!);

        Assert.Equal(ProblemCodes.All.Keys.Order(StringComparer.Ordinal), published);
    }

    private IEnumerable<(string Path, string Method, JsonNode Operation)> Operations() =>
        _document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject(), (p, o) => (p.Key, o.Key, o.Value!));
}
