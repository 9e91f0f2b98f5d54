namespace SignalHub.Webhooks.Formats;

/// <summary>Words of an endpoint's <c>format</c>: the form in which it gets events.</summary>
public static class EndpointFormats
{
    /// <summary>The event as it is.</summary>
    public const string Json = "json";

    /// <summary>A message that an incoming-webhook URL of Slack takes.</summary>
    public const string Slack = "slack";

    public static IReadOnlyList<string> All { get; } = [Json, Slack];

    /// <summary>The bytes to send to an endpoint of that format.</summary>
    /// <param name="slackBody">The message frozen with the event; null: nobody wanted one then, so it is made now.</param>
    internal static byte[] Body(string format, string eventType, byte[] body, byte[]? slackBody) =>
        format == Slack ? slackBody ?? SlackMessage.Of(eventType, body) : body;
}
