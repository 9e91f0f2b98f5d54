using System.Text;
using System.Text.Json;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Automations;

/// <summary>What an automation's own request is made of: a body and headers with values from the signal. Immutable; compiled once.</summary>
internal sealed class ActionTemplates
{
    /// <summary>Beside what every template can name: the automation itself.</summary>
    public const string AutomationRoot = "automation";

    public static readonly IReadOnlyList<string> Roots = [.. SignalValues.Roots, AutomationRoot];

    private readonly BodyTemplate? _body;
    private readonly bool _isBroken;
    private readonly List<(string Name, BodyTemplate Value)> _headers;

    /// <param name="headers">Names and templates that were checked when they were saved.</param>
    public ActionTemplates(string? body, IReadOnlyDictionary<string, string> headers)
    {
        _body = body is null ? null : Compile(body, TemplateKind.Json);
        var compiled = headers.Select(h => (Name: h.Key, Value: Compile(h.Value, TemplateKind.Text))).ToList();
        _isBroken = (body is not null && _body is null) || compiled.Exists(h => h.Value is null);
        _headers = [.. compiled.Where(h => h.Value is not null).Select(h => (h.Name, h.Value!))];
        Wanted = [.. _headers.SelectMany(h => h.Value.Roots).Concat(_body?.Roots ?? Enumerable.Empty<string>()).Distinct()];
    }

    /// <summary>The roots whose values are named.</summary>
    public IReadOnlyList<string> Wanted { get; }

    /// <summary>The body and headers for these values, or what is wrong with them.</summary>
    /// <returns>A body of null: the usual one.</returns>
    public (byte[]? Body, IReadOnlyDictionary<string, string> Headers, string? Error) Render(IReadOnlyDictionary<string, JsonElement> values)
    {
        var headers = new Dictionary<string, string>(_headers.Count, StringComparer.OrdinalIgnoreCase);
        if (_isBroken)
        {
            return (null, headers, "A template was valid once and no longer compiles: correct it.");
        }
        foreach (var (name, template) in _headers)
        {
            var (text, error) = template.Render(values);
            if (error is not null || HeaderValue(text!) is not { Length: <= AutomationLimits.HeaderValue } value)
            {
                return (null, headers, $"The header {name} is longer than {AutomationLimits.HeaderValue} characters.");
            }
            headers.Add(name, value);
        }
        if (_body is null)
        {
            return (null, headers, null);
        }
        var (body, problem) = _body.Render(values);
        return (body, headers, problem is null ? null : $"The body template failed. {problem}");
    }

    /// <summary>
    /// Visible ASCII and spaces inside; every other byte of the UTF-8 is percent-encoded. So a name with an umlaut travels, and no
    /// value can end the header and begin another.
    /// </summary>
    internal static string HeaderValue(ReadOnlySpan<byte> text)
    {
        var value = new StringBuilder(text.Length);
        foreach (var b in text)
        {
            if (b is >= 0x20 and < 0x7F)
            {
                value.Append((char)b);
            }
            else
            {
                value.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        return value.ToString().Trim();
    }

    private static BodyTemplate? Compile(string text, TemplateKind kind) => BodyTemplate.Compile(text, kind, Roots).Template;
}
