using System.Globalization;

namespace SignalHub.Tests.Support;

/// <summary>What a process answers at <c>/metrics</c>.</summary>
internal sealed record MetricsPage(string Text)
{
    /// <summary>The value of the series of that name with all of these labels (<c>state="due"</c>), summed up; null: there is none.</summary>
    public double? this[string name, params string[] labels]
    {
        get
        {
            var values = Text.Split('\n')
                .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
                .Where(line => labels.All(label => line.Contains(label, StringComparison.Ordinal)))
                .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))
                .ToList();
            return values.Count == 0 ? null : values.Sum();
        }
    }
}
