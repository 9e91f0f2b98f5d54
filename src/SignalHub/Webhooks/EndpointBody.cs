using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks;

/// <summary>The key form of a signal type's name as ingest makes it (<c>company_change</c> of <c>companyChange</c>); null for what can be none.</summary>
public delegate string? SignalTypeKey(string name);

/// <summary>A webhook endpoint as its owner writes it.</summary>
public sealed record EndpointBody
{
    /// <summary>Where events are sent: an absolute <c>https:</c> URL of at most 2,048 characters, without user name or password, on a public host.</summary>
    public string? Url { get; init; }

    /// <summary>For people; at most 500 characters.</summary>
    public string? Description { get; init; }

    /// <summary>Event types; default <c>["signal.qualified"]</c>.</summary>
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>
    /// The signing secret. When creating, null has one made. Later, null keeps the one there is, and another one replaces it
    /// at once; <c>rotate</c> replaces it with a grace. 8–256 printable ASCII characters; <c>whsec_</c> and the base64 of
    /// 24–64 bytes is the form that Standard Webhooks libraries take.
    /// </summary>
    public string? Secret { get; init; }

    /// <summary>Name of the header that carries the hex signature; default <c>X-SignalHub-Signature</c>.</summary>
    public string? SignatureHeader { get; init; }

    /// <summary>What of its event types the endpoint wants; by default everything.</summary>
    public EndpointFilterBody? Filter { get; init; }

    /// <summary>
    /// <c>json</c> (default): events as they are documented. <c>slack</c>: a message for an incoming-webhook URL of Slack, or of what
    /// takes the same.
    /// </summary>
    public string? Format { get; init; }

    /// <summary>Seconds for one whole exchange, 1–30; default 10.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary><c>standard</c> (ten tries over three days), <c>short</c> (four tries in about seven minutes) or <c>custom</c>. Default <c>standard</c>, or <c>short</c> when ordered.</summary>
    public string? RetryPolicy { get; init; }

    /// <summary>With <c>custom</c>: seconds before each retry, 1–20 numbers of 1–86,400.</summary>
    public IReadOnlyList<int>? Schedule { get; init; }

    /// <summary>Most deliveries a second, 1–1,000; null: as fast as the endpoint answers.</summary>
    public int? MaxPerSecond { get; init; }

    /// <summary>Whether an event about a lead waits until the one before it has ended. Needs a schedule of at most an hour.</summary>
    public bool? Ordered { get; init; }

    /// <summary>Default true. Enabling again answers how many events were missed meanwhile.</summary>
    public bool? Enabled { get; init; }

    /// <summary>With texts trimmed and every default written out; the secret stays as given.</summary>
    internal EndpointBody Complete(SignalTypeKey typeKey) => this with
    {
        Description = string.IsNullOrWhiteSpace(Description) ? null : Description.Trim(),
        Events = Events is null ? [WebhookEventTypes.SignalQualified] : [.. Events.Distinct()],
        SignatureHeader = SignatureHeader ?? DeliveryHeaders.DefaultSignature,
        Filter = (Filter ?? new EndpointFilterBody()).Complete(typeKey),
        Format = Format ?? EndpointFormats.Json,
        TimeoutSeconds = TimeoutSeconds ?? EndpointLimits.DefaultTimeoutSeconds,
        RetryPolicy = RetryPolicy ?? (Schedule is not null ? RetryPolicies.Custom : Ordered == true ? RetryPolicies.Short : RetryPolicies.Standard),
        Ordered = Ordered ?? false,
        Enabled = Enabled ?? true,
    };
}

/// <summary>The filter of an endpoint as its owner writes it: all parts have to match, and an empty list is "any".</summary>
public sealed record EndpointFilterBody
{
    /// <summary>Signal types, by name or key; shown as keys.</summary>
    public IReadOnlyList<string>? SignalTypes { get; init; }

    /// <summary>Sources, compared without ASCII case.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>Ids of projects; not for lead and operational events.</summary>
    public IReadOnlyList<string>? Projects { get; init; }

    /// <summary><c>high</c>, <c>medium</c>, <c>low</c>; a signal that matches no project is <c>low</c>. Not for lead and operational events.</summary>
    public IReadOnlyList<string>? Priorities { get; init; }

    /// <summary>A condition, such as <c>icp.score &gt;= 70 and signal.context.plan == 'pro'</c>.</summary>
    public string? When { get; init; }

    internal EndpointFilterBody Complete(SignalTypeKey typeKey) => new()
    {
        // What has no key form stays as it is, for the validator to refuse.
        SignalTypes = [.. (SignalTypes ?? []).Select(name => name is null ? null! : typeKey(name) ?? name).Distinct()],
        Sources = Trimmed(Sources),
        Projects = [.. (Projects ?? []).Select(id => Ids.TryParse(Ids.Project, id?.Trim(), out var project) ? Ids.Text(Ids.Project, project) : id!).Distinct()],
        Priorities = Trimmed(Priorities),
        When = string.IsNullOrWhiteSpace(When) ? null : When,
    };

    private static IReadOnlyList<string> Trimmed(IReadOnlyList<string>? values) => [.. (values ?? []).Select(v => v?.Trim()!).Distinct()];
}

/// <summary>The filter of an endpoint, checked: what is stored and shown.</summary>
/// <param name="SignalTypes">Keys of signal types; empty: any.</param>
/// <param name="Sources">Empty: any.</param>
/// <param name="Projects">Ids of projects; empty: any.</param>
/// <param name="Priorities"><c>high</c>, <c>medium</c>, <c>low</c>; empty: any.</param>
/// <param name="When">A condition; null: none.</param>
public sealed record EndpointFilter(
    IReadOnlyList<string> SignalTypes, IReadOnlyList<string> Sources, IReadOnlyList<string> Projects, IReadOnlyList<string> Priorities, string? When)
{
    /// <summary>Lets everything through.</summary>
    public static readonly EndpointFilter Any = new([], [], [], [], null);

    /// <summary>Of a completed and checked body.</summary>
    internal static EndpointFilter Of(EndpointFilterBody body) =>
        new(body.SignalTypes!, body.Sources!, body.Projects!, body.Priorities!, body.When);

    internal EndpointFilterBody ToBody() => new()
    {
        SignalTypes = SignalTypes,
        Sources = Sources,
        Projects = Projects,
        Priorities = Priorities,
        When = When,
    };
}

/// <summary>Words of <c>retry_policy</c>.</summary>
internal static class RetryPolicies
{
    public const string Standard = "standard";
    public const string Short = "short";
    public const string Custom = "custom";

    public static readonly string[] All = [Standard, Short, Custom];
}

/// <summary>What an endpoint's fields may be.</summary>
internal static class EndpointLimits
{
    /// <summary>Each signal is held against all endpoints of its workspace, and their lists are held in memory.</summary>
    public const int PerWorkspace = 100;

    public const int Description = 500;
    public const int DefaultTimeoutSeconds = 10;
    public const int MaxPerSecond = 1_000;

    /// <summary>Entries of one list of a filter.</summary>
    public const int FilterEntries = 200;

    /// <summary>Characters of an entry: that of a source and of a type's key.</summary>
    public const int FilterEntry = 100;

    public const int DefaultGraceHours = 24;

    /// <summary>A week: longer than that, two secrets are not a rotation.</summary>
    public const int MaxGraceHours = 168;

    /// <summary>How long one event may hold up an ordered endpoint.</summary>
    public static readonly TimeSpan OrderedSchedule = TimeSpan.FromHours(1);
}

/// <summary>How a secret is replaced; the body may be left out.</summary>
public sealed record RotateBody
{
    /// <summary>Hours for which the old secret signs beside the new one, 0–168; default 24.</summary>
    public int? GracePeriodHours { get; init; }

    /// <summary>The new secret; null has one made.</summary>
    public string? Secret { get; init; }
}
