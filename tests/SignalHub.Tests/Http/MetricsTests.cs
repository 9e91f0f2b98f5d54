using System.Diagnostics.Metrics;
using SignalHub.Http;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Http;

/// <summary>What the process's meters record, as Prometheus reads it.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void Counters_add_up_by_their_tags()
    {
        using var meter = new Meter("SignalHub.Tests.Counters");
        using var text = new MetricsText();
        var counter = meter.CreateCounter<long>("tests.things", description: "Things.");

        counter.Add(2, Tag("kind", "a"));
        counter.Add(3, Tag("kind", "a"));
        counter.Add(1, Tag("kind", "say \"b\"\\\n"));

        var lines = LinesOf(text, "tests_things");
        Assert.Equal(
            ["# HELP tests_things_total Things.", "# TYPE tests_things_total counter", "tests_things_total{kind=\"a\"} 5", "tests_things_total{kind=\"say \\\"b\\\"\\\\\\n\"} 1"], lines);
    }

    [Fact]
    public void Histograms_are_cumulative_and_end_with_everything()
    {
        using var meter = new Meter("SignalHub.Tests.Histograms");
        using var text = new MetricsText();
        var histogram = meter.CreateHistogram<double>("tests.wait", "s", "Waits.");

        foreach (var seconds in new[] { 0.0005, 0.001, 0.02, 4_000 })
        {
            histogram.Record(seconds);
        }

        var lines = LinesOf(text, "tests_wait");
        Assert.Contains("# TYPE tests_wait_seconds histogram", lines);
        Assert.Contains("tests_wait_seconds_bucket{le=\"0.001\"} 2", lines);
        Assert.Contains("tests_wait_seconds_bucket{le=\"0.025\"} 3", lines);
        Assert.Contains("tests_wait_seconds_bucket{le=\"300\"} 3", lines);
        Assert.Contains("tests_wait_seconds_bucket{le=\"+Inf\"} 4", lines);
        Assert.Contains("tests_wait_seconds_count 4", lines);
    }

    [Fact]
    public void Gauges_show_what_is_now()
    {
        using var meter = new Meter("SignalHub.Tests.Gauges");
        using var text = new MetricsText();
        var depth = 7;
        meter.CreateObservableGauge("tests.depth", () => depth, description: "Depth.");

        text.Write();
        depth = 3;

        Assert.Equal(["# HELP tests_depth Depth.", "# TYPE tests_depth gauge", "tests_depth 3"], LinesOf(text, "tests_depth"));
    }

    [Fact]
    public async Task The_route_is_open_and_shows_intake_and_delivery()
    {
        await using var app = await SignalHubApp.StartAsync();
        using var workspace = await app.NewWorkspaceAsync();
        await workspace.IngestAsync(new { signal_type = "custom_event", source = "tests", event_name = "metrics", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "ada@company.com" }, context = new { } });
        using var anonymous = app.Anonymous();

        using var answer = await anonymous.GetAsync(new Uri("/metrics", UriKind.Relative));

        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal((System.Net.HttpStatusCode.OK, "text/plain"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Contains("signalhub_signals_total{outcome=\"captured\"} ", text, StringComparison.Ordinal);
        Assert.Contains("signalhub_intake_queue_depth 0", text, StringComparison.Ordinal);
        Assert.Contains("signalhub_intake_batch_size_bucket{le=\"1\"} ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("company.com", text, StringComparison.Ordinal);
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static List<string> LinesOf(MetricsText text, string name) =>
        [.. text.Write().Split('\n').Where(line => line.Contains(name, StringComparison.Ordinal))];
}
