using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using SignalHub.Automations;
using SignalHub.Conditions;
using SignalHub.Storage;

namespace SignalHub.Benchmarks.Micro;

/// <summary>What holding one signal against a workspace's automations costs, conditions of three comparisons each of which none is true.</summary>
[MemoryDiagnoser]
public class AutomationBenchmarks
{
    private readonly List<Automation> _matched = [];
    private AutomationSet _ofOneType = null!;
    private AutomationSet _ofManyTypes = null!;
    private ConditionInput _input = null!;

    [Params(200)]
    public int Automations { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _ofOneType = Set(_ => "custom_event");
        _ofManyTypes = Set(i => i % 20 == 0 ? "custom_event" : string.Create(CultureInfo.InvariantCulture, $"type_{i % 20}"));
        _input = new ConditionInput
        {
            Signal = Fields("""{"signal_type":"custom_event","source":"segment","event_name":"invited","context":{"team_size":12,"plan_tier":"free","country":"DE"}}"""),
            Person = Fields("""{"email_class":"work","seniority":"vp","function":"engineering"}"""),
            Company = Fields("""{"domain":"acme.com","employees":320,"industry":"software","country":"DE"}"""),
            Lead = Fields("""{"signal_count":3,"qualified":true}"""),
        };
    }

    /// <summary>The worst case: all are triggered by the signal's type.</summary>
    [Benchmark]
    public int AllOfTheSignalsType() => Match(_ofOneType);

    /// <summary>Automations over twenty types.</summary>
    [Benchmark]
    public int OfTwentyTypes() => Match(_ofManyTypes);

    private int Match(AutomationSet set)
    {
        _matched.Clear();
        set.Match("custom_event", _input, _matched);
        return _matched.Count;
    }

    private AutomationSet Set(Func<int, string> typeOf) => new([.. Enumerable.Range(0, Automations).Select(i => new Automation(
        new StoredAutomation
        {
            Id = Ids.New(DateTimeOffset.UnixEpoch),
            Name = "n",
            SignalTypes = [typeOf(i)],
            When = ConditionOf(i),
            EndpointId = Guid.Empty,
            OwnsEndpoint = false,
            Headers = new Dictionary<string, string>(),
            Enabled = true,
            CreatedAt = default,
            UpdatedAt = default,
        }, null))]);

    /// <summary>Three comparisons; the last one looked at is false.</summary>
    internal static string ConditionOf(int number) => string.Create(CultureInfo.InvariantCulture,
        $"signal.context.plan_tier == 'free' and signal.source in ['segment', 'rudderstack'] and signal.context.team_size > {1000 + number}");

    private static JsonFields Fields(string json) => new(JsonDocument.Parse(json).RootElement);

    private sealed class JsonFields(JsonElement json) : IFields
    {
        public ConditionValue Get(string name) => json.TryGetProperty(name, out var value) ? ConditionValue.Of(value) : ConditionValue.Missing;
    }
}
