using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Resources;

namespace SignalHub.Webhooks.Templates;

/// <summary>
/// What templates can name of a signal: the roots of conditions with the fields that conditions and webhooks have, and
/// <c>contact</c> and <c>account</c>, as webhooks call person and company. Pure.
/// </summary>
public static class SignalValues
{
    public static readonly IReadOnlyList<string> Roots = ["signal", "lead", "person", "company", "icp", "persona", "contact", "account"];

    private static readonly string[] _leadFields = ["first_source", "last_source"];
    private static readonly string[] _personFields = ["email_class"];
    private static readonly string[] _scoreFields = ["code", "score", "coverage", "qualified"];

    /// <summary>Adds the values of those roots that are wanted and not there yet: a context may be 256 KB.</summary>
    public static void AddTo(Dictionary<string, JsonElement> values, IEnumerable<string> wanted, SignalData signal, ConditionInput facts)
    {
        foreach (var root in wanted)
        {
            if (!values.ContainsKey(root) && Roots.Contains(root))
            {
                values.Add(root, Of(root, signal, facts));
            }
        }
    }

    private static JsonElement Of(string root, SignalData signal, ConditionInput facts) => root switch
    {
        "signal" => Signal(signal),
        "lead" => Object(signal.Lead, facts.Lead, _leadFields),
        "person" or "contact" => Object(signal.Contact, facts.Person, _personFields),
        "company" or "account" => Company(signal.Account),
        "icp" => Object<object>(null, facts.Icp, _scoreFields),
        _ => Object<object>(null, facts.Persona, _scoreFields),
    };

    /// <summary>As it is read, and its context by the other name too.</summary>
    private static JsonElement Signal(SignalData signal) => Write(writer =>
    {
        Members(writer, JsonSerializer.SerializeToElement<SignalView>(signal, Json.Options));
        writer.WritePropertyName("properties");
        signal.Context.WriteTo(writer);
    });

    /// <summary>As it is shown, and its facts by name where that is not taken.</summary>
    private static JsonElement Company(AccountView? account) => account is null ? default : Write(writer =>
    {
        var shown = JsonSerializer.SerializeToElement(account, Json.Options);
        Members(writer, shown);
        foreach (var (name, value) in account.Attributes.Where(a => !shown.TryGetProperty(a.Key, out _)))
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    });

    /// <summary>What is shown, and those fields that only conditions have.</summary>
    private static JsonElement Object<T>(T? shown, IFields? fields, string[] names) where T : class => shown is null && fields is null ? default : Write(writer =>
    {
        if (shown is not null)
        {
            Members(writer, JsonSerializer.SerializeToElement(shown, Json.Options));
        }
        foreach (var name in names)
        {
            if (fields?.Get(name) is { Kind: not ConditionValueKind.Missing } value)
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        }
    });

    private static void Members(Utf8JsonWriter writer, JsonElement shown)
    {
        foreach (var member in shown.EnumerateObject())
        {
            member.WriteTo(writer);
        }
    }

    private static JsonElement Write(Action<Utf8JsonWriter> members)
    {
        using var json = JsonText.Rent();
        json.Writer.WriteStartObject();
        members(json.Writer);
        json.Writer.WriteEndObject();
        return JsonElement.Parse(json.Utf8);
    }
}
