namespace SignalHub.Conditions;

/// <summary>One thing a condition can look into: a signal, a lead, a person, …</summary>
public interface IFields
{
    /// <summary>
    /// The value of the first step of a path below the root, e.g. <c>context</c> of <c>signal.context.team_size</c> or
    /// <c>employees</c> of <c>company.employees</c>. <see cref="ConditionValue.Missing"/> for names it does not know.
    /// <c>properties</c> is never asked for: it is read as <c>context</c>.
    /// </summary>
    ConditionValue Get(string name);
}

/// <summary>
/// What a condition is evaluated on. A class, so that it is made once per signal and reused for every condition. A root
/// left null has no fields: all of its paths are missing.
/// </summary>
public sealed class ConditionInput
{
    public IFields? Signal { get; set; }

    /// <summary>All signals of the lead; null means that <see cref="Signal"/> is the only one.</summary>
    public IReadOnlyList<IFields>? Signals { get; set; }

    public IFields? Lead { get; set; }

    public IFields? Person { get; set; }

    public IFields? Company { get; set; }

    public IFields? Icp { get; set; }

    public IFields? Persona { get; set; }

    /// <summary>What <c>now()</c> means: the signal's <c>received_at</c> when scoring or routing, the time of asking for audiences.</summary>
    public DateTimeOffset Now { get; set; }
}
