using System.Text.Json;
using SignalHub.Resources;

namespace SignalHub.Leads;

/// <summary>What is known of a company, and which of two sources is believed. Pure.</summary>
public static class AccountFacts
{
    /// <summary>Somebody said so: <c>PUT /accounts/{domain}</c>, an import.</summary>
    public const string Explicit = "explicit";

    /// <summary>Taken from a field of what a system sent.</summary>
    public const string Mapped = "mapped";

    /// <summary>Worked out from something else.</summary>
    public const string Derived = "derived";

    /// <summary>Whether a fact replaces what is known under its name: explicit before mapped before derived, then the newer one.</summary>
    public static bool Replaces(FactView given, FactView? known) =>
        known is null || Rank(given.Source) > Rank(known.Source) || (Rank(given.Source) == Rank(known.Source) && given.At >= known.At);

    /// <summary>
    /// The facts with explicit values applied; null removes a fact, whoever said it. The last request wins, also where an
    /// earlier one came from a node whose clock is ahead.
    /// </summary>
    public static Dictionary<string, FactView> Apply(
        IReadOnlyDictionary<string, FactView> known, IReadOnlyDictionary<string, JsonElement> attributes, DateTimeOffset now)
    {
        var facts = new Dictionary<string, FactView>(known, StringComparer.Ordinal);
        foreach (var (name, value) in attributes)
        {
            if (value.ValueKind == JsonValueKind.Null)
            {
                facts.Remove(name);
                continue;
            }
            var at = known.TryGetValue(name, out var before) && before.Source == Explicit && before.At > now ? before.At : now;
            facts[name] = new FactView(value, Explicit, at);
        }
        return facts;
    }

    /// <summary>Whether conditions would see the same in both.</summary>
    public static bool SayTheSame(IReadOnlyDictionary<string, FactView> one, IReadOnlyDictionary<string, FactView> other) =>
        one.Count == other.Count
        && one.All(fact => other.TryGetValue(fact.Key, out var same) && JsonElement.DeepEquals(fact.Value.Value, same.Value));

    private static int Rank(string source) => source switch
    {
        Explicit => 2,
        Mapped => 1,
        _ => 0,
    };
}
