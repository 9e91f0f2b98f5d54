using System.Text;
using System.Text.Json;
using SignalHub.Resources;

namespace SignalHub.Projects;

/// <summary>What a project says of a signal that it matches: the body of <c>signal.detected</c>. Pure and deterministic.</summary>
public static class Detection
{
    /// <summary>Characters of a recommended action.</summary>
    internal const int MaxAction = 4_000;

    // A sentence for people: what does not fit is in the signal.
    private const int MaxMembers = 5;
    private const int MaxValue = 60;

    /// <summary>The body without the company's contacts, which are not part of the signal.</summary>
    /// <param name="relevance">One sentence on how the signal was scored.</param>
    public static DetectedSignal Of(Project project, string priority, SignalData signal, string relevance) => new(
        signal.Id, project.IdText,
        new DetectedCompany(CompanyName(signal.Account), Fact(signal.Account, "tax_id"), Fact(signal.Account, "industry")),
        new DetectedEvent(signal.SignalType, Describe(signal.SignalType, signal.EventName, signal.Context), signal.ReceivedAt),
        priority, relevance, Action(project, signal), []);

    /// <summary><c>Product usage "seats_added": plan pro, team_size 12.</c></summary>
    internal static string Describe(string typeKey, string? eventName, JsonElement context)
    {
        var text = new StringBuilder(typeKey.Replace('_', ' '));
        text[0] = char.ToUpperInvariant(text[0]);
        if (eventName is not null)
        {
            text.Append(" \"").Append(Line(eventName)).Append('"');
        }
        var shown = 0;
        // By name: PostgreSQL gives the members of a stored context back in another order than they were sent in.
        foreach (var member in Members(context).OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            if (Text(member.Value) is { Length: > 0 } value)
            {
                text.Append(shown == 0 ? ": " : ", ").Append(Line(member.Name)).Append(' ').Append(Line(value));
                if (++shown == MaxMembers)
                {
                    break;
                }
            }
        }
        return text.Append('.').ToString();
    }

    private static string Action(Project project, SignalData signal) =>
        project.RecommendedAction is { } template && template.RenderText(ActionValues.Of(signal, template), MaxAction).Trim() is { Length: > 0 } action
            ? action
            : Suggest(signal.Contact, CompanyName(signal.Account));

    private static string Suggest(ContactView? contact, string? company)
    {
        if (contact is null)
        {
            return company is null ? "Find out whom the signal is about." : $"Find a decision maker at {Line(company)} and make contact.";
        }
        string?[] names = [contact.FirstName, contact.LastName];
        var name = string.Join(' ', names.OfType<string>());
        string?[] ways = [contact.Email, contact.Phone, contact.LinkedinUrl];
        var who = name.Length > 0 ? Line(name) : "the person";
        var role = contact.Title is { } title ? $" ({Line(title)})" : "";
        return Array.Find(ways, w => w is not null) is { } way ? $"Contact {who}{role}: {way}." : $"Contact {who}{role}.";
    }

    private static string? CompanyName(AccountView? account) => account?.Name ?? Fact(account, "name") ?? account?.Domain;

    private static string? Fact(AccountView? account, string name)
    {
        if (account is null || !account.Attributes.TryGetValue(name, out var value))
        {
            return null;
        }
        var text = value.ValueKind == JsonValueKind.Array
            ? string.Join(", ", value.EnumerateArray().Select(Text).Where(t => t is { Length: > 0 }))
            : Text(value);
        return text is { Length: > 0 } ? text : null;
    }

    private static IEnumerable<JsonProperty> Members(JsonElement context) =>
        context.ValueKind == JsonValueKind.Object ? context.EnumerateObject() : Enumerable.Empty<JsonProperty>();

    /// <summary>Null for what a sentence should not carry: objects, lists and null.</summary>
    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    /// <summary>On one line and of bearable length.</summary>
    private static string Line(string text)
    {
        var end = text.Length <= MaxValue ? text.Length : char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue;
        var line = string.Create(end, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) ? ' ' : source[i];
            }
        });
        return end < text.Length ? line + "…" : line;
    }
}
