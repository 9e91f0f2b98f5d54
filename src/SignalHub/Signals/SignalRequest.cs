using System.Text.Json;
using SignalHub.Http;
using SignalHub.Leads.Identity;
using SignalHub.Resources;

namespace SignalHub.Signals;

/// <summary>
/// One event as a client sends it, read leniently: an empty text and null count as absent, surrounding space is trimmed,
/// unknown members are dropped with a warning. What it means is checked by <see cref="SignalValidator"/>.
/// </summary>
public sealed class SignalRequest
{
    /// <summary>Unknown fields named one by one: warnings are stored and sent along with every webhook, so a body full of them must not multiply.</summary>
    private const int MaxUnknownNamed = 50;

    private const int MaxPointerShown = 200;

    private int _unknownFields;

    /// <summary>Set for dialects in which types need no declaration and time and identity may be missing.</summary>
    public bool IsFreeForm { get; init; }

    /// <summary>What the sender calls the object for data of its own.</summary>
    public string OwnData { get; init; } = "context";

    public string? SignalType { get; private set; }
    public string? Source { get; private set; }
    public string? OccurredAtText { get; private set; }

    /// <summary>In UTC, truncated to microseconds; null when absent or not a timestamp.</summary>
    public DateTimeOffset? OccurredAt { get; private set; }

    public IdentityInput Identity { get; private set; } = new();
    public bool HasIdentity { get; private set; }
    public string? EventName { get; private set; }

    /// <summary>The object as sent; undefined when absent.</summary>
    public JsonElement Context { get; private set; }

    /// <summary>The identity object with what was read of it: known members that say something, trimmed; undefined when absent.</summary>
    public JsonElement IdentityAsRead { get; private set; }

    public string? IdempotencyKey { get; set; }
    public bool Backfill { get; private set; }

    /// <summary>When it reached this server: the clock that "in the future" is measured against.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Members of the wrong JSON type: all of them are told, not just the first.</summary>
    public List<FieldError> TypeErrors { get; } = [];

    public List<Warning> Warnings { get; } = [];

    /// <summary>Reads an object that has passed <see cref="JsonGate"/>.</summary>
    public static SignalRequest Read(JsonElement body, DateTimeOffset receivedAt)
    {
        var request = new SignalRequest { ReceivedAt = receivedAt };
        foreach (var member in body.EnumerateObject())
        {
            request.ReadMember(member.Name, member.Value);
        }
        return request;
    }

    /// <summary>One member of the body, by the name that <c>POST /signals</c> gives it.</summary>
    internal void ReadMember(string name, JsonElement value)
    {
        switch (name)
        {
            case "signal_type": SignalType = Text(value, "/signal_type"); break;
            case "source": Source = Text(value, "/source"); break;
            case "event_name": EventName = Text(value, "/event_name"); break;
            case "idempotency_key": IdempotencyKey = Text(value, "/idempotency_key"); break;
            case "occurred_at":
                OccurredAtText = Text(value, "/occurred_at");
                OccurredAt = Timestamps.TryParse(OccurredAtText, out var instant) ? instant : null;
                break;
            case "backfill":
                if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
                {
                    Backfill = value.GetBoolean();
                }
                else if (!IsAbsent(value))
                {
                    WrongType("/backfill", "true or false");
                }
                break;
            case "context":
                if (value.ValueKind == JsonValueKind.Object)
                {
                    Context = value;
                }
                else if (!IsAbsent(value))
                {
                    WrongType("/context", "an object");
                }
                break;
            case "identity":
                if (value.ValueKind == JsonValueKind.Object)
                {
                    SetIdentity(ReadIdentity(value));
                }
                else if (!IsAbsent(value))
                {
                    WrongType("/identity", "an object");
                }
                break;
            default:
                Unknown($"/{JsonGate.Escape(name)}");
                break;
        }
    }

    internal void SetIdentity(IdentityInput identity)
    {
        HasIdentity = true;
        Identity = identity;
        IdentityAsRead = ToJson(identity);
    }

    private IdentityInput ReadIdentity(JsonElement identity)
    {
        var input = new IdentityInput();
        foreach (var member in identity.EnumerateObject())
        {
            if (!TryReadIdentityMember(input, member.Name, member.Value))
            {
                Unknown($"/identity/{JsonGate.Escape(member.Name)}");
            }
        }
        return input;
    }

    /// <summary>One member of the identity, by the name that <c>POST /signals</c> gives it; false: there is no such member.</summary>
    internal bool TryReadIdentityMember(IdentityInput input, string name, JsonElement value)
    {
        switch (name)
        {
            case "email": input.Email = Text(value, "/identity/email"); break;
            case "emails": input.Emails = Texts(value, "/identity/emails"); break;
            case "linkedin_url": input.LinkedInUrl = Text(value, "/identity/linkedin_url"); break;
            case "company_domain": input.CompanyDomain = Text(value, "/identity/company_domain"); break;
            case "company_linkedin_url": input.CompanyLinkedInUrl = Text(value, "/identity/company_linkedin_url"); break;
            case "company_name": input.CompanyName = Text(value, "/identity/company_name"); break;
            case "first_name": input.FirstName = Text(value, "/identity/first_name"); break;
            case "last_name": input.LastName = Text(value, "/identity/last_name"); break;
            case "title": input.Title = Text(value, "/identity/title"); break;
            case "phone": input.Phone = Text(value, "/identity/phone"); break;
            default: return false;
        }
        return true;
    }

    /// <summary>The identity object without what was dropped: one form whatever spaces and empty fields a tool sends along.</summary>
    private static JsonElement ToJson(IdentityInput identity)
    {
        using var json = JsonText.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        Write(writer, "email", identity.Email);
        if (identity.Emails is { Count: > 0 } emails)
        {
            writer.WriteStartArray("emails");
            foreach (var email in emails)
            {
                writer.WriteStringValue(email);
            }
            writer.WriteEndArray();
        }
        Write(writer, "linkedin_url", identity.LinkedInUrl);
        Write(writer, "company_domain", identity.CompanyDomain);
        Write(writer, "company_linkedin_url", identity.CompanyLinkedInUrl);
        Write(writer, "company_name", identity.CompanyName);
        Write(writer, "first_name", identity.FirstName);
        Write(writer, "last_name", identity.LastName);
        Write(writer, "title", identity.Title);
        Write(writer, "phone", identity.Phone);
        writer.WriteEndObject();
        return JsonDocument.Parse(json.Utf8.ToArray()).RootElement;
    }

    private static void Write(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }

    internal void Unknown(string pointer)
    {
        _unknownFields++;
        if (_unknownFields <= MaxUnknownNamed)
        {
            var named = pointer.Length <= MaxPointerShown ? pointer : pointer[..MaxPointerShown] + "…";
            Warnings.Add(new Warning("unknown_field", named, $"{named} is not a field of a signal and was dropped: put your own data into {OwnData}."));
        }
        else if (_unknownFields == MaxUnknownNamed + 1)
        {
            Warnings.Add(new Warning("unknown_field", "", "Further unknown fields were dropped: put your own data into {OwnData}."));
        }
    }

    private string? Text(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            var text = value.GetString()!.Trim();
            return text.Length == 0 ? null : text;
        }
        if (value.ValueKind != JsonValueKind.Null)
        {
            WrongType(pointer, "a text");
        }
        return null;
    }

    private List<string>? Texts(JsonElement value, string pointer)
    {
        if (IsAbsent(value))
        {
            return null;
        }
        if (value.ValueKind != JsonValueKind.Array)
        {
            WrongType(pointer, "an array of texts");
            return null;
        }
        var texts = new List<string>();
        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (Text(item, $"{pointer}/{index++}") is { } text)
            {
                texts.Add(text);
            }
        }
        return texts;
    }

    internal static bool IsAbsent(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString()));

    internal void WrongType(string pointer, string expected) =>
        TypeErrors.Add(new FieldError(pointer, ProblemCodes.InvalidType.Code, $"{pointer} must be {expected}."));
}
