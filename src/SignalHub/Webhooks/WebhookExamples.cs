namespace SignalHub.Webhooks;

/// <summary>Bodies that work as they stand, shown in Swagger UI.</summary>
internal static class WebhookExamples
{
    public const string Endpoint = """
        {"url": "https://example.com/hooks/signalhub", "description": "Routing service", "events": ["signal.qualified"],
         "filter": {"signal_types": [], "sources": [], "when": "icp.score >= 70"}, "timeout_seconds": 10, "retry_policy": "standard", "enabled": true}
        """;

    public const string Patch = """{"enabled": true}""";

    public const string Rotate = """{"grace_period_hours": 24}""";
}
