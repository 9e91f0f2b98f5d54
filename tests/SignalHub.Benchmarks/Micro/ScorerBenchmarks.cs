using System.Buffers;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Qualification;

namespace SignalHub.Benchmarks.Micro;

/// <summary>What one signal costs in scoring: 3 ICPs with 10 criteria each and 2 personas, as in design/performance.md.</summary>
[MemoryDiagnoser]
public class ScorerBenchmarks
{
    private readonly DefinitionSet _set = DefinitionSet.Build([Icp("A", 100), Icp("B", 200), Icp("C", 300), Persona("P"), Persona("Q")]);
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private ConditionInput _input = null!;
    private Verdict _verdict = null!;

    [GlobalSetup]
    public void Setup()
    {
        _input = new ConditionInput
        {
            Signal = Fields("""{"signal_type":"custom_event","source":"segment","event_name":"invited","context":{"team_size":12,"plan_tier":"free","country":"DE"}}"""),
            Person = Fields("""{"email_class":"work","seniority":"vp","function":"engineering"}"""),
            Company = Fields("""{"domain":"acme.com","employees":320,"industry":"software","country":"DE"}"""),
        };
        _verdict = Scorer.Score(_set, _input, personKnown: true);
    }

    [Benchmark(Baseline = true)]
    public Verdict Score() => Scorer.Score(_set, _input, personKnown: true);

    [Benchmark]
    public int WriteExplanation()
    {
        _buffer.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_buffer, Json.WriterOptions);
        _verdict.WriteCompact(writer);
        writer.Flush();
        return _buffer.WrittenCount;
    }

    private static StoredDefinition Icp(string code, int priority) => Stored(DefinitionKind.Icp,
        $$"""
        {"code":"{{code}}","priority":{{priority}},"criteria":[
          {"mode":"filter","when":"company.employees >= 50 && company.employees <= 1000"},
          {"mode":"exclude","when":"company.domain in ['rival.com','other.com']"},
          {"mode":"score","weight":20,"field":"company.industry","bands":[{"in":["fintech","software"],"points":100},{"in":["it services"],"points":50}]},
          {"mode":"score","weight":15,"field":"signal.context.team_size","bands":[{"from":10,"points":100},{"from":3,"to":9,"points":40}]},
          {"mode":"score","weight":10,"when":"signal.context.plan_tier == 'free'"},
          {"mode":"score","weight":10,"when":"signal.event_name == 'invited'"},
          {"mode":"score","weight":10,"field":"company.country","bands":[{"in":["AT","CH","DE"],"points":80}]},
          {"mode":"score","weight":5,"field":"company.employees","bands":[{"from":200,"points":100},{"from":50,"points":50}]},
          {"mode":"score","weight":5,"when":"signal.source in ['segment','rudderstack']"},
          {"mode":"penalty","weight":10,"when":"person.email_class == 'free_mail'"}]}
        """);

    private static StoredDefinition Persona(string code) => Stored(DefinitionKind.Persona,
        $$"""
        {"code":"{{code}}","icp":"A","criteria":[
          {"mode":"filter","when":"person.seniority in ['vp','head','c_level']"},
          {"mode":"score","weight":50,"field":"person.seniority","bands":[{"in":["vp"],"points":100},{"in":["head"],"points":80}]},
          {"mode":"score","weight":30,"field":"person.function","bands":[{"in":["engineering"],"points":100}]}]}
        """);

    private static StoredDefinition Stored(DefinitionKind kind, string json)
    {
        var body = JsonSerializer.Deserialize<DefinitionBody>(json, Json.Strict)!.Complete(kind);
        return new StoredDefinition(kind, Guid.Empty, body.Code!, Guid.Empty, 1, body, default, default);
    }

    private static JsonFields Fields(string json) => new(JsonDocument.Parse(json).RootElement);

    private sealed class JsonFields(JsonElement json) : IFields
    {
        public ConditionValue Get(string name) => json.TryGetProperty(name, out var value) ? ConditionValue.Of(value) : ConditionValue.Missing;
    }
}
