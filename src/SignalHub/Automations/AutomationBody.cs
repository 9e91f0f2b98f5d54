using SignalHub.Webhooks;

namespace SignalHub.Automations;

/// <summary>An automation as its owner writes it.</summary>
public sealed record AutomationBody
{
    /// <summary>Shown to receivers as <c>automation_name</c>; at most 200 characters.</summary>
    public string? Name { get; init; }

    /// <summary>For people; at most 500 characters.</summary>
    public string? Description { get; init; }

    /// <summary>What signals it looks at; by default all.</summary>
    public AutomationTriggerBody? Trigger { get; init; }

    /// <summary>A condition over signal, lead, person, company, icp and persona, such as <c>signal.context.plan == 'pro' and icp.score &gt;= 70</c>; null: none.</summary>
    public string? When { get; init; }

    /// <summary>What it does.</summary>
    public AutomationActionBody? Action { get; init; }

    /// <summary>How often it fires; null: once for each signal.</summary>
    public AutomationLimitBody? Limit { get; init; }

    /// <summary>Default true.</summary>
    public bool? Enabled { get; init; }

    /// <summary>With texts trimmed and every default written out.</summary>
    internal AutomationBody Complete(SignalTypeKey typeKey) => this with
    {
        Name = Name?.Trim(),
        Description = string.IsNullOrWhiteSpace(Description) ? null : Description.Trim(),
        // What has no key form stays as it is, for the validator to refuse.
        Trigger = new AutomationTriggerBody { SignalTypes = [.. (Trigger?.SignalTypes ?? []).Select(t => t is null ? null! : typeKey(t) ?? t).Distinct()] },
        When = string.IsNullOrWhiteSpace(When) ? null : When,
        Action = Action is null ? null : Action with
        {
            Type = Action.Type ?? AutomationActions.Webhook,
            Headers = Action.Headers ?? new Dictionary<string, string>(),
            BodyTemplate = string.IsNullOrWhiteSpace(Action.BodyTemplate) ? null : Action.BodyTemplate,
        },
        Enabled = Enabled ?? true,
    };
}

/// <summary>What signals an automation looks at.</summary>
public sealed record AutomationTriggerBody
{
    /// <summary>Signal types, by name or key; shown as keys. A type may be named before its first signal. Empty: any.</summary>
    public IReadOnlyList<string>? SignalTypes { get; init; }
}

/// <summary>What an automation does: a webhook, to an endpoint of the workspace or to a URL of its own.</summary>
public sealed record AutomationActionBody
{
    /// <summary><c>webhook</c>, which is the default.</summary>
    public string? Type { get; init; }

    /// <summary><c>ep_…</c>: an endpoint of the workspace. It gets the event whatever its own events and filter say. Instead of <c>url</c>.</summary>
    public string? EndpointId { get; init; }

    /// <summary>A URL of its own; the same rules as for an endpoint. Instead of <c>endpoint_id</c>.</summary>
    public string? Url { get; init; }

    /// <summary>With <c>url</c>: the signing secret. Null has one made, or keeps the one there is.</summary>
    public string? Secret { get; init; }

    /// <summary>With <c>url</c>: name of the header that carries the hex signature; default <c>X-SignalHub-Signature</c>.</summary>
    public string? SignatureHeader { get; init; }

    /// <summary>Headers of its own, at most 20; values may have <c>{{path}}</c>.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>A JSON document with <c>{{path}}</c> inside of strings and <c>{{json path}}</c> for values; null: the usual body.</summary>
    public string? BodyTemplate { get; init; }
}

/// <summary>At most once for a lead in a period.</summary>
public sealed record AutomationLimitBody
{
    /// <summary><c>lead</c>.</summary>
    public string? Per { get; init; }

    /// <summary>Hours from one firing to the next, 1–8,760. Counted from when signals were received.</summary>
    public int? PeriodHours { get; init; }
}

/// <summary>Words of an action's <c>type</c>.</summary>
internal static class AutomationActions
{
    public const string Webhook = "webhook";
}

/// <summary>What an automation's fields may be.</summary>
internal static class AutomationLimits
{
    /// <summary>Each signal is held against all that its type triggers, and all are held in memory.</summary>
    public const int PerWorkspace = 500;

    public const int Name = 200;
    public const int Description = 500;
    public const int SignalTypes = 200;

    /// <summary>Characters of a type's key.</summary>
    public const int SignalType = 100;

    public const int Headers = 20;

    /// <summary>Characters of a header's template and bytes of its value.</summary>
    public const int HeaderValue = 2_048;

    public const string PerLead = "lead";

    /// <summary>A year.</summary>
    public const int MaxPeriodHours = 8_760;
}
