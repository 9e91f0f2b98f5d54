using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Contract;

public sealed class QueryParametersInOpenApiTests
{
    [Fact]
    public async Task Filters_are_described_by_the_name_and_type_they_have_on_the_wire()
    {
        await using var app = await SignalHubApp.StartAsync();
        using var client = app.Anonymous();
        var document = JsonNode.Parse(await client.GetStringAsync(new Uri("/swagger/v1/swagger.json", UriKind.Relative)))!;

        var parameters = document["paths"]!["/leads"]!["get"]!["parameters"]!.AsArray()
            .ToDictionary(p => (string)p!["name"]!, p => ((string?)p!["in"], (string?)p["schema"]!["type"], (string?)p["description"]));

        Assert.Equal(
            ["cursor", "icp_code", "kind", "limit", "min_icp_score", "persona_code", "qualified", "since", "source", "until"],
            parameters.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("query", "integer", "Only leads with at least that ICP score, 0–100."), parameters["min_icp_score"]);
        Assert.Equal(("query", "boolean", "Only leads whose newest scored signal qualified (true) or did not (false)."), parameters["qualified"]);
        Assert.All(parameters.Values, p => Assert.False(string.IsNullOrEmpty(p.Item3)));
    }
}
