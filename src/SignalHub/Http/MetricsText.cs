using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace SignalHub.Http;

/// <summary>
/// Sums up what the process's own meters record and writes it in Prometheus' text form (version 0.0.4,
/// https://prometheus.io/docs/instrumenting/exposition_formats/). Names: dots become underscores, seconds and counters get their
/// suffix. The OpenTelemetry package for it is not available where this is built, and this is a page.
/// </summary>
public sealed class MetricsText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string OwnMeters = "SignalHub.";

    /// <summary>Upper bounds for durations, in seconds: from a loopback answer to a schedule's first retries.</summary>
    private static readonly double[] _seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    /// <summary>Upper bounds for numbers of things.</summary>
    private static readonly double[] _numbers = [1, 2, 5, 10, 20, 50, 100, 200, 500];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(Instrument Instrument, string Tags), Series> _series = new();

    // A measurement has one tag at most where it is made for each signal; the values are ours, so they are few.
    private readonly ConcurrentDictionary<(string Name, object? Value), string> _single = new();

    public MetricsText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith(OwnMeters, StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _series.GroupBy(s => NameOf(s.Key.Instrument)).OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            var instrument = family.First().Key.Instrument;
            text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Key} {instrument.Description}\n# TYPE {family.Key} {TypeOf(instrument)}\n");
            foreach (var (key, series) in family.OrderBy(s => s.Key.Tags, StringComparer.Ordinal))
            {
                series.WriteTo(text, family.Key, key.Tags);
            }
        }
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = _series.GetOrAdd((instrument, TextOf(tags)), key => new Series(
            key.Instrument is Histogram<double> or Histogram<int> or Histogram<long> ? key.Instrument.Unit == "s" ? _seconds : _numbers : null));
        series.Add(value, replaces: instrument.IsObservable);
    }

    private static string NameOf(Instrument instrument) =>
        instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "") + (IsCounter(instrument) ? "_total" : "");

    private static string TypeOf(Instrument instrument) => IsCounter(instrument) ? "counter" : instrument.IsObservable ? "gauge" : "histogram";

    private static bool IsCounter(Instrument instrument) => instrument is Counter<long> or Counter<int> or Counter<double>;

    private string TextOf(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.Length switch
    {
        0 => "",
        1 => _single.GetOrAdd((tags[0].Key, tags[0].Value), static tag => NewTextOf([new(tag.Name, tag.Value)])),
        _ => NewTextOf(tags),
    };

    private static string NewTextOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "," : "")}{name}=\"{Escaped(value)}\"");
        }
        return text.ToString();
    }

    private static string Escaped(object? value) => (Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>One line of a counter or gauge, or the lines of one histogram.</summary>
    private sealed class Series(double[]? bounds)
    {
        private readonly Lock _lock = new();
        private readonly long[] _buckets = new long[(bounds?.Length ?? 0) + 1];
        private double _sum;
        private long _count;

        public void Add(double value, bool replaces)
        {
            lock (_lock)
            {
                _sum = replaces ? value : _sum + value;
                _count++;
                if (bounds is not null)
                {
                    var index = Array.BinarySearch(bounds, value);
                    _buckets[index >= 0 ? index : ~index]++;
                }
            }
        }

        public void WriteTo(StringBuilder text, string name, string tags)
        {
            lock (_lock)
            {
                if (bounds is null)
                {
                    Line(text, name, tags, _sum);
                    return;
                }
                var cumulated = 0L;
                var separator = tags.Length > 0 ? "," : "";
                for (var i = 0; i <= bounds.Length; i++)
                {
                    cumulated += _buckets[i];
                    var bound = i == bounds.Length ? "+Inf" : bounds[i].ToString(CultureInfo.InvariantCulture);
                    Line(text, name + "_bucket", $"{tags}{separator}le=\"{bound}\"", cumulated);
                }
                Line(text, name + "_sum", tags, _sum);
                Line(text, name + "_count", tags, _count);
            }
        }

        private static void Line(StringBuilder text, string name, string tags, double value) =>
            text.Append(CultureInfo.InvariantCulture, $"{name}{(tags.Length > 0 ? $"{{{tags}}}" : "")} {value}\n");
    }
}
