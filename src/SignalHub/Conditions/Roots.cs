namespace SignalHub.Conditions;

/// <summary>
/// The names a path may begin with. A scope that has <see cref="Signal"/> also accepts <c>signals</c>: both are the one signal at
/// hand.
/// </summary>
[Flags]
public enum Roots
{
    None = 0,
    Signal = 1,
    Signals = 2,
    Lead = 4,
    Person = 8,
    Company = 16,
    Icp = 32,
    Persona = 64,
    All = 127,
}

/// <summary>Which roots a condition may use, by the place it is written in.</summary>
public static class ConditionScopes
{
    /// <summary>Sub-rules of a signal type: nothing but the signal is known yet.</summary>
    public const Roots SubRule = Roots.Signal | Roots.Signals;

    /// <summary>Criteria of an ICP, which scores the company.</summary>
    public const Roots IcpCriteria = SubRule | Roots.Person | Roots.Company;

    /// <summary>Criteria of a persona, scored after its ICP.</summary>
    public const Roots PersonaCriteria = IcpCriteria | Roots.Icp;

    /// <summary>Endpoint filters, projects, automations: after scoring, everything is known.</summary>
    public const Roots Routing = Roots.All;

    /// <summary>Audiences are about a lead and all of its signals; there is no single signal at hand.</summary>
    public const Roots Audience = Roots.Lead | Roots.Person | Roots.Company | Roots.Signals;
}

internal static class RootNames
{
    /// <summary>In the order in which messages list them.</summary>
    public static readonly (string Name, Roots Root)[] InOrder =
    [
        ("signal", Roots.Signal),
        ("signals", Roots.Signals),
        ("lead", Roots.Lead),
        ("person", Roots.Person),
        ("company", Roots.Company),
        ("icp", Roots.Icp),
        ("persona", Roots.Persona),
    ];

    /// <summary>The root of that name, or <see cref="Roots.None"/>.</summary>
    public static Roots Find(string name)
    {
        foreach (var (known, root) in InOrder)
        {
            if (known == name)
            {
                return root;
            }
        }
        return Roots.None;
    }

    public static string NameOf(Roots root) => Array.Find(InOrder, entry => entry.Root == root).Name;

    /// <summary>Names of the allowed roots.</summary>
    public static string[] In(Roots allowed) => [.. InOrder.Where(entry => (allowed & entry.Root) != 0).Select(entry => entry.Name)];

    public static Roots Effective(Roots allowed) => (allowed & Roots.Signal) != 0 ? allowed | Roots.Signals : allowed;
}
