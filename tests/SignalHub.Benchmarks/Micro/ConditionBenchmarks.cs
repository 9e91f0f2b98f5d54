using System.Text.Json;
using BenchmarkDotNet.Attributes;
using SignalHub.Conditions;

namespace SignalHub.Benchmarks.Micro;

/// <summary>Targets of spec/conditions.md on this class of machine: parse at most 20 µs, evaluate three comparisons at most 1 µs.</summary>
[MemoryDiagnoser]
public class ConditionBenchmarks : IDisposable
{
    private const string Text =
        "signals.context.team_size > 10 && signals.context.plan_tier == 'free' && signals.context.country in ['DE', 'AT', 'CH']";

    private readonly JsonDocument _context = JsonDocument.Parse(
        """{"plan_tier":"free","country":"CH","tags":["trial","sso"],"nested":{"a":{"b":3}},"team_size":12}""");

    private readonly Condition _condition = Condition.Compile(Text, ConditionScopes.SubRule).Condition!;
    private readonly ConditionInput _input;

    public ConditionBenchmarks() => _input = new ConditionInput { Signal = new ContextOnly(_context.RootElement) };

    [Benchmark]
    public ConditionResult Parse() => Condition.Compile(Text, ConditionScopes.SubRule);

    [Benchmark]
    public bool EvaluateThreeComparisons() => _condition.Matches(_input);

    public void Dispose()
    {
        _context.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class ContextOnly(JsonElement context) : IFields
    {
        public ConditionValue Get(string name) => name == "context" ? ConditionValue.Of(context) : ConditionValue.Missing;
    }
}
