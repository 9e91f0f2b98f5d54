namespace SignalHub.Webhooks.Formats;

/// <summary>Words of an endpoint's <c>format</c>: the form in which it gets events.</summary>
public static class EndpointFormats
{
    /// <summary>The event as it is.</summary>
    public const string Json = "json";

    /// <summary>A message that an incoming-webhook URL of Slack takes.</summary>
    public const string Slack = "slack";

    public static IReadOnlyList<string> All { get; } = [Json, Slack];

    /// <summary>What of the row <c>v</c> of <c>webhook_events</c> the endpoint <c>e</c> gets.</summary>
    internal const string BodySql = "case when e.format = 'slack' then coalesce(v.slack_body, v.body) else v.body end";

    /// <summary>Whether that is still to be put into the endpoint's form: nobody wanted it so when the event was raised.</summary>
    internal const string IsUnformattedSql = "coalesce(e.format = 'slack' and v.slack_body is null, false)";

    /// <summary>The bytes to send of what the two expressions gave.</summary>
    internal static byte[] Body(string eventType, byte[] stored, bool isUnformatted) => isUnformatted ? SlackMessage.Of(eventType, stored) : stored;
}
