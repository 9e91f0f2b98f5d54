using System.Collections.Frozen;

namespace SignalHub.Conditions;

/// <summary>What a value can turn out to be, as far as the text alone tells.</summary>
[Flags]
internal enum ValueTypes
{
    None = 0,
    Boolean = 1,
    Number = 2,
    Text = 4,
    Instant = 8,
    List = 16,
    Document = 32,
    Null = 64,
    Any = 127,
}

/// <summary>The fields of each root, for warnings only: at run time the record itself decides what it has.</summary>
internal static class KnownFields
{
    public const string Context = "context";
    public const string ContextAlias = "properties";

    private static readonly FrozenDictionary<string, ValueTypes> _signal = Fields(
        (ValueTypes.Text, "id signal_type source event_name bucket mode"),
        (ValueTypes.Instant, "occurred_at received_at"),
        (ValueTypes.Document, Context));

    private static readonly FrozenDictionary<string, ValueTypes> _person = Fields(
        (ValueTypes.Text, "email email_class first_name last_name title seniority function linkedin_url"));

    private static readonly FrozenDictionary<string, ValueTypes> _company = Fields(
        (ValueTypes.Text, "domain name industry country tax_id"),
        (ValueTypes.Number, "employees"));

    private static readonly FrozenDictionary<string, ValueTypes> _lead = Fields(
        (ValueTypes.Text, "icp_code persona_code first_source last_source stage"),
        (ValueTypes.Number, "icp_score persona_score signal_count engagement"),
        (ValueTypes.Boolean, "qualified"),
        (ValueTypes.Instant, "first_signal_at last_signal_at"));

    private static readonly FrozenDictionary<string, ValueTypes> _score = Fields(
        (ValueTypes.Text, "code"),
        (ValueTypes.Number, "score coverage"),
        (ValueTypes.Boolean, "qualified"));

    public static FrozenDictionary<string, ValueTypes> Of(PathNode path) => path switch
    {
        { IsSignal: true } => _signal,
        { Root: Roots.Lead } => _lead,
        { Root: Roots.Person } => _person,
        { Root: Roots.Company } => _company,
        _ => _score,
    };

    /// <summary>Persons and companies also have whatever attributes a workspace gives them.</summary>
    public static bool HasAttributes(PathNode path) => path.Root is Roots.Person or Roots.Company;

    public static bool IsSignalField(string name) => name == ContextAlias || _signal.ContainsKey(name);

    private static FrozenDictionary<string, ValueTypes> Fields(params (ValueTypes Type, string Names)[] groups) =>
        groups.SelectMany(group => group.Names.Split(' ').Select(name => (name, group.Type)))
            .ToFrozenDictionary(field => field.name, field => field.Type, StringComparer.Ordinal);
}
