using System.Collections.Frozen;
using SignalHub.Conditions;

namespace SignalHub.Automations;

/// <summary>All automations of a workspace at one moment, disabled ones included, indexed by what triggers them. Immutable.</summary>
public sealed class AutomationSet
{
    public static readonly AutomationSet Empty = new([]);

    private readonly FrozenDictionary<string, Automation[]> _byType;
    private readonly Automation[] _ofAnyType;

    /// <param name="automations">In the order in which they fire.</param>
    public AutomationSet(IReadOnlyList<Automation> automations)
    {
        All = automations;
        var live = automations.Where(a => a.IsLive).ToList();
        _ofAnyType = [.. live.Where(a => a.SignalTypes is null)];
        _byType = live.SelectMany(a => a.SignalTypes ?? Enumerable.Empty<string>()).Distinct(StringComparer.Ordinal).ToFrozenDictionary(
            type => type, type => live.Where(a => a.SignalTypes is null || a.SignalTypes.Contains(type)).ToArray(), StringComparer.Ordinal);
    }

    public IReadOnlyList<Automation> All { get; }

    /// <summary>Adds those that a signal sets off. Allocates nothing of its own: it runs for each signal.</summary>
    /// <param name="typeKey">Of the signal's type.</param>
    public void Match(string typeKey, ConditionInput facts, List<Automation> into)
    {
        foreach (var automation in _byType.TryGetValue(typeKey, out var triggered) ? triggered : _ofAnyType)
        {
            if (automation.When is null || automation.When.Matches(facts))
            {
                into.Add(automation);
            }
        }
    }
}
