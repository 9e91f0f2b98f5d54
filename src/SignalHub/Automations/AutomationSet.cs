using System.Collections.Frozen;
using SignalHub.Conditions;

namespace SignalHub.Automations;

/// <summary>All automations of a workspace at one moment, disabled ones included, indexed by what triggers them. Immutable.</summary>
public sealed class AutomationSet
{
    public static readonly AutomationSet Empty = new([]);

    private readonly Automation[] _live;
    private readonly ConditionSet _conditions;

    // Places in _live.
    private readonly FrozenDictionary<string, int[]> _byType;
    private readonly int[] _ofAnyType;

    /// <param name="automations">In the order in which they fire.</param>
    public AutomationSet(IReadOnlyList<Automation> automations)
    {
        All = automations;
        _live = [.. automations.Where(a => a.IsLive)];
        _conditions = new ConditionSet([.. _live.Select(a => a.When)]);
        _ofAnyType = PlacesOf(a => a.SignalTypes is null);
        _byType = _live.SelectMany(a => a.SignalTypes ?? Enumerable.Empty<string>()).Distinct(StringComparer.Ordinal).ToFrozenDictionary(
            type => type, type => PlacesOf(a => a.SignalTypes is null || a.SignalTypes.Contains(type)), StringComparer.Ordinal);
    }

    public IReadOnlyList<Automation> All { get; }

    /// <summary>Adds those that a signal sets off. Allocates nothing of its own: it runs for each signal.</summary>
    /// <param name="typeKey">Of the signal's type.</param>
    public void Match(string typeKey, ConditionInput facts, List<Automation> into)
    {
        var triggered = _byType.TryGetValue(typeKey, out var ofType) ? ofType : _ofAnyType;
        if (triggered.Length == 0)
        {
            return;
        }
        // Not a using declaration: its variable would be copied for each call.
        var pass = _conditions.Begin(facts);
        try
        {
            foreach (var place in triggered)
            {
                if (pass.Matches(place))
                {
                    into.Add(_live[place]);
                }
            }
        }
        finally
        {
            pass.Dispose();
        }
    }

    private int[] PlacesOf(Func<Automation, bool> wanted) => [.. Enumerable.Range(0, _live.Length).Where(place => wanted(_live[place]))];
}
