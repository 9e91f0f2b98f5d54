using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace SignalHub.Benchmarks.OpenLoop;

/// <summary>
/// The requests of <c>Load/signals.lua</c> as bytes with holes: somebody of the same crowd each, with an <c>occurred_at</c> of its own. Filling one
/// costs well below a microsecond.
/// </summary>
internal sealed class SignalRequests
{
    private const int People = 5_000;
    private const int Companies = 1_000;
    private const int Workspaces = 200; // the people of a company, and those of a batch, share a workspace
    private const int PerSecond = 1_000_000;
    private const string SecondHole = "2000-01-01T00:00:00";

    private const string Signal = """
        {"signal_type":"custom_event","source":"segment","event_name":"user_invited_teammate","occurred_at":"2000-01-01T00:00:00.MICROSZ","identity":{"email":"personPPPPP@companyCCCC.com","company_domain":"companyCCCC.com","first_name":"Jane","last_name":"Doe","title":"VP Engineering"},"context":{"team_size":12,"plan_tier":"free"}}
        """;

    private readonly byte[][] _keys;
    private readonly byte[] _template;
    private readonly int _key;
    private readonly int _firstSignal;
    private readonly int _batch;
    private readonly long _second;
    private readonly int[] _companies;
    private long _sent;

    /// <param name="batch">Signals in a request; 1: <c>POST /signals</c>.</param>
    public SignalRequests(string keysFile, Uri url, int batch)
    {
        _batch = batch;
        _second = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        _keys = [.. File.ReadLines(keysFile).Select(Encoding.ASCII.GetBytes)];
        var body = batch == 1 ? Signal : $$"""{"signals":[{{string.Join(',', Enumerable.Repeat(Signal, batch))}}]}""";
        var key = new string('K', _keys[0].Length);
        var request = string.Create(CultureInfo.InvariantCulture,
            $"POST /signals{(batch > 1 ? "/batch" : "")} HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        _template = Encoding.ASCII.GetBytes(request);
        _key = request.IndexOf(key, StringComparison.Ordinal);
        _firstSignal = request.IndexOf(Signal, StringComparison.Ordinal);
        _companies = [Signal.IndexOf("CCCC", StringComparison.Ordinal), Signal.LastIndexOf("CCCC", StringComparison.Ordinal)];
    }

    /// <summary>Signals in a request.</summary>
    public int Batch => _batch;

    /// <summary>Room for one request, to be filled as often as wanted.</summary>
    public byte[] New() => (byte[])_template.Clone();

    /// <summary>Makes it a request nobody has sent.</summary>
    public void Fill(byte[] request)
    {
        var number = Interlocked.Add(ref _sent, _batch) - _batch;
        var workspace = (int)(Arrivals.Mix((ulong)number) % Workspaces);
        _keys[workspace % _keys.Length].CopyTo(request, _key);
        for (var i = 0; i < _batch; i++)
        {
            FillSignal(request.AsSpan(_firstSignal + (i * (Signal.Length + 1)), Signal.Length), number + i, workspace);
        }
    }

    private void FillSignal(Span<byte> signal, long number, int workspace)
    {
        var person = workspace + (Workspaces * (int)(Arrivals.Mix(~(ulong)number) % (People / Workspaces)));
        var at = DateTimeOffset.FromUnixTimeSeconds(_second + (number / PerSecond));
        at.TryFormat(signal[Hole(SecondHole)..], out _, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        Write(signal, Hole("MICROS"), (int)(number % PerSecond), 'D', 6);
        Write(signal, Hole("PPPPP"), person, 'D', 5);
        foreach (var company in _companies)
        {
            Write(signal, company, person % Companies, 'D', 4);
        }
    }

    private static int Hole(string name) => Signal.IndexOf(name, StringComparison.Ordinal);

    private static void Write(Span<byte> signal, int at, int value, char format, byte digits) =>
        Utf8Formatter.TryFormat(value, signal[at..], out _, new System.Buffers.StandardFormat(format, digits));
}
