using System.Globalization;
using System.Text;

namespace SignalHub.Benchmarks.Report;

/// <summary>Bars of events per second: the median of the rounds' best, a line from their minimum to their maximum. Light and dark.</summary>
internal static class LoadChart
{
    private const int Width = 720;
    private const int Left = 170;
    private const int Right = 130;   // room for the number behind the longest bar
    private const int Top = 56;
    private const int RowHeight = 44;
    private const int BarHeight = 24;
    private const int Bottom = 34;

    private const string Style = """
        text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
        .title { font-weight: 600; font-size: 16px } .note { font-size: 12px; fill: #59636e }
        .bar { fill: #8c959f } .own { fill: #0969da } .range { stroke: #1f2328; stroke-width: 2 } .axis { stroke: #d1d9e0 }
        @media (prefers-color-scheme: dark) {
          text { fill: #f0f6fc } .note { fill: #9198a1 } .bar { fill: #656c76 } .own { fill: #4493f8 } .range { stroke: #f0f6fc } .axis { stroke: #3d444d }
        }
        """;

    public static string Draw(LoadResult result)
    {
        var rows = Contenders.All.Select(name => (Name: name, Rate: Figure.Of(result.Measurements.Where(m => m.Contender == name)
            .GroupBy(m => m.Round).Select(round => round.Max(m => m.PerSecond))))).ToList();
        var height = Top + (rows.Count * RowHeight) + Bottom;
        var scale = (Width - Left - Right) / rows.Max(r => r.Rate.Max);
        var title = "Durable signals per second, one per request and commit answered";
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-labelledby=\"title\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<title id=\"title\">{title}</title>\n<style>\n{Style}\n</style>\n<text class=\"title\" x=\"16\" y=\"30\">{title}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Left}\" y1=\"{Top - 6}\" y2=\"{height - Bottom}\"/>\n");
        for (var i = 0; i < rows.Count; i++)
        {
            AppendRow(svg, rows[i].Name, rows[i].Rate, Top + (i * RowHeight), scale);
        }
        svg.Append(CultureInfo.InvariantCulture,
            $"<text class=\"note\" x=\"16\" y=\"{height - 10}\">Median and range of {result.Rounds} rounds; {result.Machine.Processor}, {result.Machine.Cores} cores for generator, service and PostgreSQL {result.Machine.PostgreSql["server_version"].Split(' ')[0]} (fsync on)</text>\n</svg>\n");
        return svg.ToString();
    }

    private static void AppendRow(StringBuilder svg, string name, Figure rate, int top, double scale)
    {
        var middle = top + (BarHeight / 2);
        var own = name == Contenders.Service ? "own" : "bar";
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 12}\" y=\"{middle + 5}\" text-anchor=\"end\">{name}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{own}\" x=\"{Left}\" y=\"{top}\" width=\"{rate.Median * scale:0.#}\" height=\"{BarHeight}\" rx=\"3\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"range\" x1=\"{Left + (rate.Min * scale):0.#}\" x2=\"{Left + (rate.Max * scale):0.#}\" y1=\"{middle}\" y2=\"{middle}\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + (rate.Max * scale) + 10:0.#}\" y=\"{middle + 5}\">{rate.Median:N0}/s</text>\n");
    }
}
