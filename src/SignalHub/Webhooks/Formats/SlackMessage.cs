using System.Text;
using System.Text.Json;
using SignalHub.Http;

namespace SignalHub.Webhooks.Formats;

/// <summary>
/// An event as the JSON that an incoming-webhook URL of Slack takes: <c>text</c> for notifications, <c>blocks</c> for the channel.
/// Made of the event's bytes alone, so that it can be made at any time. Never throws, for any JSON.
/// </summary>
internal static class SlackMessage
{
    // Slack takes 50 blocks; a message of more than a screen is not read.
    private const int MaxMembers = 8;

    /// <param name="body">The event as UTF-8 JSON.</param>
    public static byte[] Of(string eventType, ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = Json.MaxDepth * 2 });
        var message = Write(eventType, document.RootElement);
        return JsonSerializer.SerializeToUtf8Bytes(message.ToJson(), Json.Options);
    }

    private static Draft Write(string eventType, JsonElement body)
    {
        var data = SlackText.Find(body, "data");
        var isTest = eventType == WebhookEventTypes.Test;
        return eventType switch
        {
            _ when SlackText.At(body, "project_id") is not null => Detected(body, isTest),
            WebhookEventTypes.SignalQualified or WebhookEventTypes.Test => Qualified(data, isTest),
            WebhookEventTypes.LeadCreated => Lead(data, "New lead"),
            WebhookEventTypes.LeadUpdated => Lead(data, "Lead changed"),
            WebhookEventTypes.AutomationActionTriggered => Automation(body),
            WebhookEventTypes.EndpointFailing => Endpoint(data, "Webhook endpoint keeps failing"),
            WebhookEventTypes.EndpointDisabled => Endpoint(data, "Webhook endpoint was disabled"),
            _ => new Draft(eventType).Members("", body),
        };
    }

    private static Draft Detected(JsonElement body, bool isTest)
    {
        var priority = SlackText.At(body, "priority") ?? Priorities.Low;
        var company = SlackText.At(body, "company", "name") ?? "unknown company";
        var draft = new Draft($"{Test(isTest)}{char.ToUpperInvariant(priority[0])}{priority[1..]} priority: {company}")
            .Line(SlackText.At(body, "event", "description"))
            .Field("Industry", SlackText.At(body, "company", "industry"))
            .Field("Why", SlackText.At(body, "relevance_explanation"))
            .Field("Next step", SlackText.At(body, "recommended_action"));
        var contacts = SlackText.Find(body, "contacts");
        if (contacts.ValueKind == JsonValueKind.Array && contacts.GetArrayLength() > 0)
        {
            draft.NewSection("*Contacts*");
            foreach (var contact in contacts.EnumerateArray())
            {
                string?[] parts = [.. new[] { "name", "role", "email", "phone" }.Select(name => SlackText.At(contact, name))];
                draft.Line(string.Join(", ", parts.OfType<string>()), bullet: true);
            }
        }
        return draft.Note(SlackText.At(body, "signal_id"), SlackText.At(body, "project_id"), SlackText.At(body, "event", "detected_at"));
    }

    private static Draft Qualified(JsonElement signal, bool isTest) =>
        Who(new Draft($"{Test(isTest)}Qualified: {NameOf(signal)}"), signal)
            .Field("Signal", Joined(": ", SlackText.At(signal, "signal_type"), SlackText.At(signal, "event_name")))
            .Field("Source", SlackText.At(signal, "source"))
            .Field("ICP", Score(SlackText.Find(signal, "qualification"), "icp"))
            .Field("Persona", Score(SlackText.Find(signal, "qualification"), "persona"))
            .Members("", SlackText.Find(signal, "context"))
            .Note(SlackText.At(signal, "id"), SlackText.At(signal, "occurred_at"));

    private static Draft Lead(JsonElement lead, string what) =>
        Who(new Draft($"{what}: {NameOf(lead)}"), lead)
            .Field("ICP", Score(lead, "icp"))
            .Field("Persona", Score(lead, "persona"))
            .Field("Qualified", SlackText.At(lead, "qualified"))
            .Field("Last source", SlackText.At(lead, "attribution", "last_source"))
            .Note(SlackText.At(lead, "id"), SlackText.At(lead, "last_signal_at"));

    private static Draft Automation(JsonElement body) =>
        Who(new Draft($"Automation: {SlackText.At(body, "automation_name") ?? "without a name"}"), body)
            .Field("Signal", SlackText.At(body, "signal", "type"))
            .Field("Source", SlackText.At(body, "signal", "source"))
            .Members("", SlackText.Find(body, "signal", "properties"))
            .Note(SlackText.At(body, "signal", "id"), SlackText.At(body, "automation_id"), SlackText.At(body, "triggered_at"));

    /// <summary>Without the endpoint's URL: that of a chat is a secret.</summary>
    private static Draft Endpoint(JsonElement notice, string what) =>
        new Draft(what)
            .Field("Endpoint", Joined(" ", SlackText.At(notice, "description"), SlackText.At(notice, "id")))
            .Field("Failing since", SlackText.At(notice, "failing_since"))
            .Field("Reason", SlackText.At(notice, "disabled_reason"))
            .Field("Disabled at", SlackText.At(notice, "disabled_at") ?? SlackText.At(notice, "disables_at"));

    private static Draft Who(Draft draft, JsonElement from) => draft
        .Field("Person", Joined(", ", PersonOf(from), SlackText.At(from, "contact", "title"), SlackText.At(from, "contact", "email")))
        .Field("Company", Joined(", ", SlackText.At(from, "account", "name"), SlackText.At(from, "account", "domain")));

    private static string NameOf(JsonElement from) =>
        PersonOf(from) ?? SlackText.At(from, "contact", "email") ?? SlackText.At(from, "account", "name") ?? SlackText.At(from, "account", "domain") ?? "nobody known";

    private static string? PersonOf(JsonElement from) => Joined(" ", SlackText.At(from, "contact", "first_name"), SlackText.At(from, "contact", "last_name"));

    private static string? Score(JsonElement from, string kind) =>
        SlackText.At(from, $"{kind}_code") is { } code ? $"{code} {SlackText.At(from, $"{kind}_score")}" : null;

    private static string? Joined(string separator, params string?[] parts) =>
        string.Join(separator, parts.OfType<string>()) is { Length: > 0 } text ? text : null;

    private static string Test(bool isTest) => isTest ? "Test: " : "";

    /// <summary>A message while it is written: a header, sections of lines, a note in small print.</summary>
    private sealed class Draft(string title)
    {
        private readonly List<StringBuilder> _sections = [new StringBuilder()];
        private string? _note;

        public Draft Line(string? text, bool bullet = false) => Append(text is null or "" ? null : (bullet ? "• " : "") + SlackText.Escape(text));

        public Draft Field(string name, string? value) => Append(value is null ? null : $"*{name}:* {SlackText.Escape(value)}");

        /// <summary>The first members that have a value.</summary>
        public Draft Members(string prefix, JsonElement of)
        {
            if (of.ValueKind == JsonValueKind.Object)
            {
                foreach (var member in of.EnumerateObject().Where(m => SlackText.Of(m.Value) is not null).Take(MaxMembers))
                {
                    Field(prefix + SlackText.Escape(member.Name), SlackText.Of(member.Value));
                }
            }
            return this;
        }

        public Draft NewSection(string line)
        {
            _sections.Add(new StringBuilder(line));
            return this;
        }

        public Draft Note(params string?[] parts)
        {
            _note = Joined(" · ", parts) is { } text ? SlackText.Escape(text) : null;
            return this;
        }

        public object ToJson()
        {
            var blocks = new List<object> { new { type = "header", text = new { type = "plain_text", text = SlackText.Plain(title, SlackText.MaxHeader) } } };
            blocks.AddRange(_sections.Where(s => s.Length > 0).Select(s => new { type = "section", text = Mrkdwn(s.ToString()) }));
            if (_note is not null)
            {
                blocks.Add(new { type = "context", elements = new[] { Mrkdwn(_note) } });
            }
            return new { text = SlackText.Escape(SlackText.Plain(title, SlackText.MaxHeader), SlackText.MaxSection), blocks };
        }

        /// <summary>What no longer fits a section is left out, whole lines at a time.</summary>
        private Draft Append(string? line)
        {
            var section = _sections[^1];
            if (line is not null && section.Length + line.Length < SlackText.MaxSection)
            {
                section.Append(section.Length > 0 ? "\n" : "").Append(line);
            }
            return this;
        }

        private static object Mrkdwn(string text) => new { type = "mrkdwn", text };
    }
}
