using System.Text.Json;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Projects;

/// <summary>What the template of a recommended action can name. Pure.</summary>
internal static class ActionValues
{
    /// <summary>The values of the roots that the template names, and of no other: a context may be 256 KB.</summary>
    public static Dictionary<string, JsonElement> Of(SignalData signal, BodyTemplate template)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var root in template.Roots)
        {
            values[root] = root switch
            {
                "signal" => JsonSerializer.SerializeToElement<SignalView>(signal, Json.Options),
                "lead" => Element(signal.Lead),
                "person" or "contact" => Element(signal.Contact),
                "company" => Company(signal.Account),
                "account" => Element(signal.Account),
                "icp" => Element(new Verdict(signal.Qualification.IcpCode, signal.Qualification.IcpScore)),
                _ => Element(new Verdict(signal.Qualification.PersonaCode, signal.Qualification.PersonaScore)),
            };
        }
        return values;
    }

    /// <summary>As in conditions: its own fields and its facts by name.</summary>
    private static JsonElement Company(AccountView? account)
    {
        if (account is null)
        {
            return default;
        }
        var fields = account.Attributes.ToDictionary(StringComparer.Ordinal);
        fields["name"] = Element(account.Name);
        fields["domain"] = Element(account.Domain);
        return Element(fields);
    }

    private static JsonElement Element<T>(T value) => JsonSerializer.SerializeToElement(value, Json.Options);

    private sealed record Verdict(string? Code, int? Score);
}
